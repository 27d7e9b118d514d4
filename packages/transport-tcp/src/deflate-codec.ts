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
  #isOver = false

  /** @param level - 1 … 9 */
  constructor(level: number, ends: CodecEnds) {
    this.#ends = ends
    this.#deflate = createDeflateRaw({ level, flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH })
    this.#deflate.on('data', (bytes: Buffer) => ends.send(bytes))
    const options: ZlibOptions & Pick<TransformOptions, 'readableHighWaterMark' | 'writableHighWaterMark'> = {
      flush: constants.Z_SYNC_FLUSH,
      chunkSize: OUTPUT_BYTES,
      readableHighWaterMark: OUTPUT_BYTES,
      writableHighWaterMark: INPUT_BYTES_MAX,
    }
    this.#inflate = createInflateRaw(options)
    this.#inflate.on('data', (bytes: Buffer) => {
      if (!this.#isOver) ends.received(bytes)
    })
    this.#inflate.on('drain', () => ends.readingWanted(true))
    this.#deflate.on('error', (error) => this.#failed(error))
    this.#inflate.on('error', (error) => this.#failed(error))
    // A peer that says that its stream is complete can say nothing more.
    this.#inflate.on('end', () => this.#failed(new Error('deflate: the stream has ended')))
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
    if (this.#isOver) return
    // The read's buffer is used again for the next one.
    if (!this.#inflate.write(Buffer.from(chunk))) this.#ends.readingWanted(false)
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

  #failed(error: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#ends.failed(error)
  }
}
