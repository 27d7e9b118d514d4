import { NsqError } from './errors.js'

/**
 * Cuts what a node sends into frames, however it is split over reads.
 *
 * ```
 *   | size i32 | type i32 | data                                                  |   size counts from the type on
 *                 0         "OK", "_heartbeat_", JSON …
 *                 1         "E_BAD_TOPIC …"
 *                 2         | timestamp i64 | attempts u16 | id, 16 bytes | body |
 * ```
 * Messages are not copied: they lie in the read's buffer, which is nobody else's and is never written again. Only a
 * frame that is split over reads is put together in a buffer of its own.
 */
const FRAME_RESPONSE = 0
const FRAME_ERROR = 1
const FRAME_MESSAGE = 2
const SIZE_BYTES = 4
const HEADER_BYTES = 8
/** What a message has before its body. */
export const MESSAGE_HEADER_BYTES = 26
/** `HTTP`, the beginning of what answers at the wrong port. */
const HTTP = 0x48545450
/** A frame that is split over reads gets that much at first; its size is only what the other end says. */
const PARTIAL_BYTES = 64 * 1024

/** Gets the frames, in order. */
export interface FrameSink {
  /** `bytes[at, end)` is timestamp, attempts, id and body; it may be kept. */
  message(bytes: Buffer, at: number, end: number): void
  ok(): void
  heartbeat(): void
  /** Any other response. */
  response(text: string): void
  error(text: string): void
}

export class FrameReader {
  readonly #sink: FrameSink
  readonly #frameSizeBytesMax: number
  /** The beginning of a frame that is not complete yet. */
  #partial: Buffer | null = null
  #partialBytes = 0
  /** Set by the sink while it is called: the rest is not to be read as frames, not yet or never. */
  isStopped = false

  constructor(sink: FrameSink, frameSizeBytesMax: number) {
    this.#sink = sink
    this.#frameSizeBytesMax = frameSizeBytesMax
  }

  /**
   * Reads the frames of `chunk`, which is the reader's from here on.
   * @returns where it stopped: `chunk.length`, or what follows the frame at which {@link isStopped} was set
   * @throws NsqError `E_PROTOCOL`
   */
  read(chunk: Buffer): number {
    let at = this.#partial === null ? 0 : this.#complete(chunk)
    const end = chunk.length
    while (!this.isStopped && end - at >= SIZE_BYTES) {
      const sizeBytes = readInt32(chunk, at)
      this.#check(sizeBytes)
      const next = at + SIZE_BYTES + sizeBytes
      if (next > end) break
      this.#frame(chunk, at, next)
      at = next
    }
    if (this.isStopped || at === end) return at
    this.#keep(chunk, at)
    return end
  }

  #frame(bytes: Buffer, at: number, end: number): void {
    const type = readInt32(bytes, at + SIZE_BYTES)
    const dataAt = at + HEADER_BYTES
    if (type === FRAME_MESSAGE) {
      if (end - dataAt < MESSAGE_HEADER_BYTES) throw new NsqError('E_PROTOCOL', `a message of ${end - dataAt} bytes`)
      this.#sink.message(bytes, dataAt, end)
    } else if (type === FRAME_RESPONSE) {
      if (end - dataAt === 2 && bytes[dataAt] === 0x4f && bytes[dataAt + 1] === 0x4b) this.#sink.ok()
      else {
        const text = bytes.toString('utf8', dataAt, end)
        if (text === '_heartbeat_') this.#sink.heartbeat()
        else this.#sink.response(text)
      }
    } else if (type === FRAME_ERROR) {
      this.#sink.error(bytes.toString('utf8', dataAt, end))
    } else {
      throw new NsqError('E_PROTOCOL', `a frame of type ${type}`)
    }
  }

  #check(sizeBytes: number): void {
    if (sizeBytes >= SIZE_BYTES && sizeBytes <= this.#frameSizeBytesMax) return
    if (sizeBytes === HTTP)
      throw new NsqError('E_PROTOCOL', 'that is an HTTP port: nsqd listens for clients on another one, 4150 by default')
    throw new NsqError(
      'E_PROTOCOL',
      `a frame of ${sizeBytes} bytes, and ${SIZE_BYTES} to ${this.#frameSizeBytesMax} are allowed`,
    )
  }

  #keep(chunk: Buffer, at: number): void {
    const keptBytes = chunk.length - at
    const wantedBytes = keptBytes < SIZE_BYTES ? HEADER_BYTES : SIZE_BYTES + readInt32(chunk, at)
    this.#partial = Buffer.allocUnsafeSlow(Math.max(keptBytes, Math.min(wantedBytes, PARTIAL_BYTES)))
    this.#partialBytes = chunk.copy(this.#partial, 0, at)
  }

  /** Adds to the frame that is not complete, and reads it when it is. @returns how much of `chunk` that took */
  #complete(chunk: Buffer): number {
    let at = 0
    if (this.#partialBytes < SIZE_BYTES) {
      at = this.#add(chunk, 0, SIZE_BYTES)
      if (this.#partialBytes < SIZE_BYTES) return at
      this.#check(readInt32(this.#partial as Buffer, 0))
    }
    const frameBytes = SIZE_BYTES + readInt32(this.#partial as Buffer, 0)
    at = this.#add(chunk, at, frameBytes)
    if (this.#partialBytes < frameBytes) return at
    const frame = this.#partial as Buffer
    this.#partial = null
    this.#frame(frame, 0, frameBytes)
    return at
  }

  /** Takes from `chunk` until there are `wantedBytes`. */
  #add(chunk: Buffer, at: number, wantedBytes: number): number {
    const end = Math.min(chunk.length, at + wantedBytes - this.#partialBytes)
    const filledBytes = this.#partialBytes + end - at
    if (filledBytes > (this.#partial as Buffer).length) this.#grow(filledBytes, wantedBytes)
    chunk.copy(this.#partial as Buffer, this.#partialBytes, at, end)
    this.#partialBytes = filledBytes
    return end
  }

  #grow(filledBytes: number, wantedBytes: number): void {
    const old = this.#partial as Buffer
    this.#partial = Buffer.allocUnsafeSlow(Math.min(wantedBytes, Math.max(filledBytes, old.length * 2, PARTIAL_BYTES)))
    old.copy(this.#partial, 0, 0, this.#partialBytes)
  }
}

function readInt32(bytes: Buffer, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]
}
