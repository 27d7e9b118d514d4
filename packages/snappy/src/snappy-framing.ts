import type { SnappyLibrary } from './snappy-library.js'

/**
 * The framing format of snappy, a stream of chunks:
 *
 * ```
 *   | type u8 | length u24, little-endian | data |
 *   0xff        6                           "sNaPpY"                          first, and now and then again
 *   0x00        …                           | masked crc32c u32 LE | snappy block of at most 64 KiB |
 *   0x01        …                           | masked crc32c u32 LE | the bytes as they are |
 *   0x80…0xfe   …                           to be skipped
 * ```
 * Checksums are of the bytes before compression.
 */
const Type = { compressed: 0x00, plain: 0x01, skippableFirst: 0x80, streamId: 0xff } as const
const HEADER_BYTES = 4
const CHECKSUM_BYTES = 4
/** Of one chunk, before compression. */
const BLOCK_BYTES_MAX = 64 * 1024
/** A block that does not get smaller is a bit larger. */
const DATA_BYTES_MAX = CHECKSUM_BYTES + 32 + BLOCK_BYTES_MAX + Math.floor(BLOCK_BYTES_MAX / 6)
const STREAM_ID = Buffer.from('\xff\x06\x00\x00sNaPpY', 'latin1')

/** Makes chunks of writes. */
export class SnappyEncoder {
  readonly #library: SnappyLibrary
  #hasBegun = false

  constructor(library: SnappyLibrary) {
    this.#library = library
  }

  /** All of `bytes`, framed; a copy. */
  encode(bytes: Uint8Array): Buffer {
    const parts: Buffer[] = []
    if (!this.#hasBegun) parts.push(STREAM_ID)
    this.#hasBegun = true
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES_MAX) {
      const block = bytes.subarray(at, Math.min(bytes.length, at + BLOCK_BYTES_MAX))
      const compressed = this.#library.compress(block)
      const isSmaller = compressed.length < block.length
      const data = isSmaller ? compressed : block
      const header = Buffer.allocUnsafe(HEADER_BYTES + CHECKSUM_BYTES)
      header[0] = isSmaller ? Type.compressed : Type.plain
      header.writeUIntLE(CHECKSUM_BYTES + data.length, 1, 3)
      header.writeUInt32LE(masked(this.#library.crc32c(block)), HEADER_BYTES)
      parts.push(header, data as Buffer)
    }
    return Buffer.concat(parts)
  }
}

/**
 * Takes chunks apart, however they are split over reads. The beginning of one chunk is kept; and of a read of 64 kB, which
 * may hold 20 times as much, what comes while it is paused.
 */
export class SnappyDecoder {
  readonly #library: SnappyLibrary
  readonly #received: (bytes: Buffer) => void
  /** The beginning of a chunk; everything that has come since, while it is paused. */
  #carry: Buffer = Buffer.alloc(0)
  /** Of a chunk that is skipped. */
  #skipBytes = 0
  #hasBegun = false
  #isPaused = false

  /** @param received - gets what each chunk holds; it may be kept */
  constructor(library: SnappyLibrary, received: (bytes: Buffer) => void) {
    this.#library = library
    this.#received = received
  }

  /** @throws Error when that is no such stream */
  decode(read: Buffer): void {
    const isOurs = this.#carry.length > 0
    const bytes = isOurs ? Buffer.concat([this.#carry, read]) : read
    this.#keep(bytes, this.#consume(bytes), isOurs)
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Takes no further chunk apart until {@link resume}, also when it is told so by whom it hands one to. */
  pause(): void {
    this.#isPaused = true
  }

  /** Goes on with what was kept. @throws Error when that is no such stream */
  resume(): void {
    this.#isPaused = false
    if (this.#carry.length > 0) this.#keep(this.#carry, this.#consume(this.#carry), true)
  }

  #keep(bytes: Buffer, at: number, isOurs: boolean): void {
    // A read's buffer is used again for the next one, and a large one is not kept for the beginning of a small chunk. But
    // all of it is not copied again for each chunk after which it is paused.
    this.#carry = isOurs && this.#isPaused ? bytes.subarray(at) : Buffer.from(bytes.subarray(at))
  }

  /** Returns how far it came. */
  #consume(bytes: Buffer): number {
    let at = 0
    while (!this.#isPaused) {
      const skipped = Math.min(this.#skipBytes, bytes.length - at)
      this.#skipBytes -= skipped
      at += skipped
      if (bytes.length - at < HEADER_BYTES) break
      const type = bytes[at]
      const dataBytes = bytes.readUIntLE(at + 1, 3)
      this.#check(type, dataBytes)
      if (type >= Type.skippableFirst && type !== Type.streamId) {
        at += HEADER_BYTES
        this.#skipBytes = dataBytes
        continue
      }
      const end = at + HEADER_BYTES + dataBytes
      if (end > bytes.length) break
      this.#take(type, bytes.subarray(at, end))
      at = end
    }
    return at
  }

  #check(type: number, dataBytes: number): void {
    if (!this.#hasBegun && type !== Type.streamId) throw new Error('snappy: the stream does not begin with its name')
    if (type > Type.plain && type < Type.skippableFirst) throw new Error(`snappy: unknown chunk type ${type}`)
    if (type <= Type.plain && (dataBytes < CHECKSUM_BYTES || dataBytes > DATA_BYTES_MAX)) {
      throw new Error(`snappy: a chunk of ${dataBytes} bytes`)
    }
    if (type === Type.streamId && dataBytes !== STREAM_ID.length - HEADER_BYTES) throw new Error('snappy: bad name')
  }

  #take(type: number, chunk: Buffer): void {
    if (type === Type.streamId) {
      if (!chunk.equals(STREAM_ID)) throw new Error('snappy: bad name')
      this.#hasBegun = true
      return
    }
    const data = chunk.subarray(HEADER_BYTES + CHECKSUM_BYTES)
    const isPlain = type === Type.plain
    const sizeBytes = isPlain ? data.length : uncompressedSize(data)
    if (sizeBytes > BLOCK_BYTES_MAX) throw new Error(`snappy: a block of ${sizeBytes} bytes`)
    const bytes = isPlain ? Buffer.from(data) : this.#library.uncompress(data)
    if (masked(this.#library.crc32c(bytes)) !== chunk.readUInt32LE(HEADER_BYTES)) {
      throw new Error('snappy: checksum does not match')
    }
    if (bytes.length > 0) this.#received(bytes)
  }
}

/** A block begins with its size before compression, seven bits a byte, the lowest first. */
function uncompressedSize(block: Buffer): number {
  let size = 0
  for (let at = 0; at < 5 && at < block.length; at++) {
    size += (block[at] & 0x7f) * 2 ** (7 * at)
    if (block[at] < 0x80) return size
  }
  throw new Error('snappy: a block without a size')
}

/** As the format has it: a checksum of bytes that hold their own checksum would be a weak one. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
