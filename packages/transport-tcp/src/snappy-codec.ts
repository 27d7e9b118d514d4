import { SnappyDecoder, SnappyEncoder, type SnappyLibrary } from '@spillway/snappy'
import type { Codec, CodecEnds } from './codec.js'

/** Snappy is quick enough to be done on the spot. */
export class SnappyCodec implements Codec {
  readonly pendingBytes = 0
  readonly #ends: CodecEnds
  readonly #encoder: SnappyEncoder
  readonly #decoder: SnappyDecoder
  /** The peer sends nothing more. */
  #hasPeerEnded = false
  /** What is decoded now is thrown away. */
  #isOver = false
  /** Nothing more is decoded. */
  #isInputOver = false

  constructor(library: SnappyLibrary, ends: CodecEnds) {
    this.#ends = ends
    this.#encoder = new SnappyEncoder(library)
    this.#decoder = new SnappyDecoder(library, (bytes) => {
      if (!this.#isOver) ends.received(bytes)
    })
  }

  encode(bytes: Uint8Array): boolean {
    this.#ends.send(this.#encoder.encode(bytes))
    return true
  }

  decode(chunk: Buffer): void {
    if (this.#isOver || this.#isInputOver) return
    try {
      this.#decoder.decode(chunk)
    } catch (error) {
      this.#inputOver(error as Error)
    }
  }

  inputEnded(): void {
    this.#hasPeerEnded = true
    if (!this.#decoder.isPaused) this.#inputOver(null)
  }

  pause(): void {
    this.#decoder.pause()
  }

  resume(): void {
    if (this.#isOver || this.#isInputOver) return
    try {
      this.#decoder.resume()
    } catch (error) {
      this.#inputOver(error as Error)
    }
    if (this.#hasPeerEnded && !this.#decoder.isPaused) this.#inputOver(null)
  }

  end(sent: () => void): void {
    this.#isOver = true
    sent()
  }

  destroy(): void {
    this.#isOver = true
  }

  #inputOver(error: Error | null): void {
    if (this.#isOver || this.#isInputOver) return
    this.#isInputOver = true
    this.#ends.ended(error)
  }
}
