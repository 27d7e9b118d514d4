import { SnappyDecoder, SnappyEncoder, type SnappyLibrary } from '@spillway/snappy'
import type { Codec, CodecEnds } from './codec.js'

/** Snappy is quick enough to be done on the spot. */
export class SnappyCodec implements Codec {
  readonly pendingBytes = 0
  readonly #ends: CodecEnds
  readonly #encoder: SnappyEncoder
  readonly #decoder: SnappyDecoder
  #isOver = false

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
    if (this.#isOver) return
    try {
      this.#decoder.decode(chunk)
    } catch (error) {
      this.#isOver = true
      this.#ends.failed(error as Error)
    }
  }

  /** Whatever was read has been handed on already. */
  pause(): void {}
  resume(): void {}

  end(sent: () => void): void {
    this.#isOver = true
    sent()
  }

  destroy(): void {
    this.#isOver = true
  }
}
