import type { Chunk } from '../contracts/chunk.js'
import type { Sequence } from '../contracts/sequence.js'
import { BrokerError } from '../errors.js'
import { decodeDueTimes, encodeAttributes } from './attributes.js'
import { FRAME_HEADER_BYTES, type FrameStamp, frameSizeBytes, readSize, readTimestampMs, writeFrame } from './frame.js'

/**
 * A stretch of a log in memory: a slab of frames, back to back, and where each begins.
 *
 * ```
 *   slab     | frame | frame | frame | …room… |
 *   offsets  0       ^       ^       ^ usedBytes       one more than there are records
 * ```
 * Bytes that were written never change, since sockets and the storage may hold them.
 */
export class Segment {
  readonly first: Sequence
  readonly slab: Buffer
  count = 0
  /** Records that a store has taken; the rest is still being gathered. */
  appendedCount = 0
  #offsets: Uint32Array
  /** Wall-clock ms by index, 0 for records that are not deferred; null while none is. */
  #dues: Float64Array | null = null
  /** When it was used last; the longest unused goes first when memory is short. */
  usedAtMs = 0

  private constructor(first: Sequence, slab: Buffer, recordsExpected: number) {
    this.first = first
    this.slab = slab
    this.#offsets = new Uint32Array(recordsExpected + 1)
  }

  /** An empty one with room for `sizeBytes` of frames. */
  static allocate(first: Sequence, sizeBytes: number, recordsExpected: number): Segment {
    return new Segment(first, Buffer.allocUnsafeSlow(sizeBytes), recordsExpected)
  }

  /**
   * The records of chunks that were read back, as far as they lie in `[from, end)`; null when none does. The chunks' frames lie
   * back to back in one buffer. Records between them were erased: they count, and take no room.
   * @throws BrokerError `E_STORAGE_CORRUPT` when the frames do not add up.
   */
  static fromChunks(chunks: readonly Chunk[], from: Sequence, end: Sequence): Segment | null {
    const last = chunks[chunks.length - 1]
    const first = Math.max(from, chunks[0].first)
    const count = Math.min(end, last.first + last.count) - first
    if (count <= 0) return null
    const { buffer, byteOffset } = chunks[0].frames
    const slab = Buffer.from(buffer, byteOffset, last.frames.byteOffset + last.frames.length - byteOffset)
    const segment = new Segment(first, slab, count)
    let at = 0
    let next = chunks[0].first
    for (const chunk of chunks) {
      segment.#fillOffsets(next, chunk.first, at, count)
      at = segment.#readOffsets(chunk, at, count)
      next = chunk.first + chunk.count
    }
    segment.#fillOffsets(next, next + 1, at, count)
    segment.count = count
    segment.appendedCount = count
    for (const chunk of chunks) if (chunk.attributes !== null) segment.#readDues(chunk, chunk.attributes)
    return segment
  }

  /** Records `[from, end)` take no room: all begin at the same place. */
  #fillOffsets(from: Sequence, end: Sequence, at: number, count: number): void {
    const start = Math.max(0, from - this.first)
    const stop = Math.min(count + 1, end - this.first)
    if (stop > start) this.#offsets.fill(at, start, stop)
  }

  /** Finds where each record of the chunk begins, as far as they are of this segment. Returns where the chunk ends in the slab. */
  #readOffsets(chunk: Chunk, start: number, count: number): number {
    const { slab } = this
    const stop = start + chunk.frames.length
    let at = start
    let index = chunk.first - this.first
    for (let i = 0; i < chunk.count; i++, index++) {
      if (index >= 0 && index <= count) this.#offsets[index] = at
      const sizeBytes = at + FRAME_HEADER_BYTES <= stop ? frameSizeBytes(slab, at) : 0
      if (sizeBytes < FRAME_HEADER_BYTES || at + sizeBytes > stop) {
        throw new BrokerError('E_STORAGE_CORRUPT', `frame ${chunk.first + i} does not fit its chunk`)
      }
      at += sizeBytes
    }
    if (at === stop) return stop
    throw new BrokerError('E_STORAGE_CORRUPT', `bytes behind the frames of chunk ${chunk.first}`)
  }

  #readDues(chunk: Chunk, attributes: Uint8Array): void {
    for (const [index, due] of decodeDueTimes(attributes)) {
      const sequence = chunk.first + index
      if (sequence >= this.first && sequence < this.end) this.setDue(sequence, due)
    }
  }

  /** When the record was published, in wall-clock milliseconds. */
  timestampMsOf(sequence: Sequence): number {
    return readTimestampMs(this.slab, this.#offsets[sequence - this.first])
  }

  /** One past its last record. */
  get end(): Sequence {
    return this.first + this.count
  }

  get usedBytes(): number {
    return this.#offsets[this.count]
  }

  get sizeBytes(): number {
    return this.slab.length
  }

  get freeBytes(): number {
    return this.slab.length - this.#offsets[this.count]
  }

  /** Its deferred records and their due times. */
  *dues(): Generator<readonly [sequence: Sequence, dueAtMs: number]> {
    if (this.#dues === null) return
    for (let index = 0; index < this.count; index++) {
      if (this.#dues[index] > 0) yield [this.first + index, this.#dues[index]]
    }
  }

  /** Where the record begins in the slab; for `end`, where the last one ends. */
  offsetOf(sequence: Sequence): number {
    return this.#offsets[sequence - this.first]
  }

  /**
   * Writes `count` messages from `bytes[start, …)`, where each lies as `int32 size | body`; there must be room.
   * Returns where reading stopped.
   */
  write(
    bytes: Uint8Array,
    start: number,
    count: number,
    stamp: FrameStamp,
    lease: number,
    leaseFirst: Sequence,
  ): number {
    this.#makeRoomForOffsets(count)
    const offsets = this.#offsets
    const { slab } = this
    const base = this.first - leaseFirst
    let index = this.count
    let to = offsets[index]
    let at = start
    for (let i = 0; i < count; i++) {
      const bodySize = readSize(bytes, at)
      writeFrame(slab, to, stamp, lease, base + index, bytes, at + 4, bodySize)
      at += 4 + bodySize
      to += FRAME_HEADER_BYTES + bodySize
      offsets[++index] = to
    }
    this.count = index
    return at
  }

  setDue(sequence: Sequence, dueAtMs: number): void {
    const index = sequence - this.first
    if (this.#dues === null || index >= this.#dues.length) {
      const dues = new Float64Array(Math.max(index + 1, this.#offsets.length))
      if (this.#dues !== null) dues.set(this.#dues)
      this.#dues = dues
    }
    this.#dues[index] = dueAtMs
  }

  /** The records from `appendedCount` on as a chunk. */
  takeChunk(): Chunk {
    const from = this.appendedCount
    const chunk: Chunk = {
      first: this.first + from,
      count: this.count - from,
      frames: this.slab.subarray(this.#offsets[from], this.#offsets[this.count]),
      attributes: this.#dues === null ? null : encodeAttributes(this.#dues, from, this.count),
    }
    this.appendedCount = this.count
    return chunk
  }

  /** Forgets the records from `end` on: the store refused them. Their bytes are not written again. */
  truncate(end: Sequence): void {
    this.count = Math.max(0, end - this.first)
    this.appendedCount = Math.min(this.appendedCount, this.count)
    this.#dues?.fill(0, this.count)
  }

  #makeRoomForOffsets(count: number): void {
    const needed = this.count + count + 1
    if (needed <= this.#offsets.length) return
    const offsets = new Uint32Array(Math.max(needed, Math.ceil(this.#offsets.length * 1.5)))
    offsets.set(this.#offsets.subarray(0, this.count + 1))
    this.#offsets = offsets
  }
}
