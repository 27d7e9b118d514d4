import type { TransformOptions } from 'node:stream'
import {
  constants,
  createDeflateRaw,
  createInflateRaw,
  type DeflateRaw,
  type InflateRaw,
  type ZlibOptions,
} from 'node:zlib'
import type { Codec, CodecEnds } from './codec.js'

/** What waits to be decompressed: above it the connection is not read, so that a peer is held up by its own socket. */
const INPUT_BYTES_MAX = 64 * 1024
/** Handed to the session in one piece. */
const OUTPUT_BYTES = 16 * 1024

/** Raw deflate in the thread pool, in order; each write ends on a byte that the peer can decompress up to. */
export class DeflateCodec implements Codec {
  readonly #ends: CodecEnds
  readonly #deflate: DeflateRaw
  readonly #inflate: InflateRaw
  readonly #onEncoded = (): void => this.#ends.encoded()
  /** What is decoded now is thrown away. */
  #isOver = false
  /** Nothing more is decoded. */
  #isInputOver = false

  /** @param level - 1 … 9 */
  constructor(level: number, ends: CodecEnds) {
    this.#ends = ends
    this.#deflate = createDeflateRaw({ level, flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH })
    this.#deflate.on('data', (bytes: Buffer) => ends.send(bytes))
    const options: ZlibOptions & Pick<TransformOptions, 'readableHighWaterMark' | 'writableHighWaterMark'> = {
      flush: constants.Z_SYNC_FLUSH,
      finishFlush: constants.Z_SYNC_FLUSH, // a peer may go away in the middle of a block
      chunkSize: OUTPUT_BYTES,
      readableHighWaterMark: OUTPUT_BYTES,
      writableHighWaterMark: INPUT_BYTES_MAX,
    }
    this.#inflate = createInflateRaw(options)
    this.#inflate.on('data', (bytes: Buffer) => {
      if (!this.#isOver) ends.received(bytes)
    })
    this.#inflate.on('drain', () => ends.readingWanted(true))
    this.#deflate.on('error', (error) => {
      if (!this.#isOver) ends.failed(error)
    })
    this.#inflate.on('error', (error) => this.#inputOver(error))
    // The peer has ended the connection, or has said that its stream is complete and yet sent more.
    this.#inflate.on('end', () => this.#inputOver(null))
  }

  /** The buffer is read in the thread pool. */
  encode(bytes: Uint8Array): boolean {
    this.#deflate.write(bytes, this.#onEncoded)
    return false
  }

  get pendingBytes(): number {
    return this.#deflate.writableLength
  }

  decode(chunk: Buffer): void {
    if (this.#isOver || this.#isInputOver) return
    // The read's buffer is used again for the next one.
    if (!this.#inflate.write(Buffer.from(chunk))) this.#ends.readingWanted(false)
  }

  inputEnded(): void {
    this.#inflate.end()
  }

  pause(): void {
    this.#inflate.pause()
  }

  resume(): void {
    this.#inflate.resume()
  }

  end(sent: () => void): void {
    this.#isOver = true
    this.#inflate.destroy()
    this.#deflate.once('end', sent)
    this.#deflate.end()
  }

  destroy(): void {
    this.#isOver = true
    this.#inflate.destroy()
    this.#deflate.destroy()
  }

  #inputOver(error: Error | null): void {
    if (this.#isOver || this.#isInputOver) return
    this.#isInputOver = true
    this.#ends.readingWanted(true) // and thrown away, so that the peer's end is seen
    this.#ends.ended(error)
  }
}
