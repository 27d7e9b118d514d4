import type { Chunk, ChunkAttributes, Sequence, SequenceRange } from '@spillway/core'
import { addRange } from './ranges.js'

/** A joined entry grows no further than this, so that a trim can give memory back in steps. */
const JOINED_SIZE_BYTES_MAX = 1024 * 1024
/** Entries already trimmed are tolerated in front of the others up to this many, then moved out in one go. */
const TRIMMED_COUNT_MAX = 1024
/** The same for those that were erased between others. */
const ERASED_COUNT_MAX = 1024

/**
 * A run of consecutive records, as it was appended; or several such runs whose frames lie behind each other in memory:
 *
 * ```
 *   the engine's slab:  | … frame 7 | frame 8 | frame 9 | (free) |
 *   appended:                 7         8         9                 three chunks
 *   entry:                    [start             end)               one entry, count 3
 * ```
 *
 * So a million messages that were published one at a time cost as few objects as a million published at once.
 */
interface Entry {
  readonly first: Sequence
  count: number
  readonly buffer: ArrayBufferLike
  /** The frames are `buffer[start, end)`. */
  readonly start: number
  end: number
  readonly attributes: Uint8Array | null
  /** What was erased of it, while some of it is needed: ascending, apart from each other. */
  erased: SequenceRange[] | null
}

/** The records of one log, in order. Holds on to the buffers that it is given and copies nothing. */
export class MemoryRecords {
  /** The records below this are forgotten, or may be at any time. */
  trimmedBefore: Sequence = 0
  /** One more than the highest sequence ever appended or trimmed. */
  next: Sequence = 0
  sizeBytes = 0
  /** In order; those before `#head` were trimmed. */
  #entries: Entry[] = []
  #head = 0
  /** Entries that hold nothing any more, between others. */
  #erasedCount = 0

  append({ first, count, frames, attributes }: Chunk): void {
    if (first < this.next) throw new RangeError(`append at ${first}, but the log ends at ${this.next}`)
    this.next = first + count
    this.sizeBytes += frames.length + (attributes?.length ?? 0)
    const start = frames.byteOffset
    const end = start + frames.length
    const last = this.#entries.at(-1)
    if (
      last !== undefined &&
      last.buffer === frames.buffer &&
      last.end === start &&
      last.first + last.count === first &&
      last.attributes === null &&
      attributes === null &&
      end - last.start <= JOINED_SIZE_BYTES_MAX
    ) {
      last.count += count
      last.end = end
    } else {
      this.#entries.push({ first, count, buffer: frames.buffer, start, end, attributes, erased: null })
    }
  }

  read(from: Sequence, sizeBytesMax: number): readonly Chunk[] {
    const chunks: Chunk[] = []
    let sizeBytes = 0
    for (let at = this.#firstEndingAbove(from); at < this.#entries.length; at++) {
      const { first, count, buffer, start, end, attributes } = this.#entries[at]
      if (buffer === NO_BUFFER) continue
      sizeBytes += end - start
      if (chunks.length > 0 && sizeBytes > sizeBytesMax) break
      chunks.push({ first, count, frames: new Uint8Array(buffer, start, end - start), attributes })
    }
    return chunks
  }

  readAttributes(from: Sequence, sizeBytesMax: number): readonly ChunkAttributes[] {
    const found: ChunkAttributes[] = []
    let sizeBytes = 0
    for (let at = this.#firstEndingAbove(from); at < this.#entries.length; at++) {
      const { first, count, attributes } = this.#entries[at]
      if (attributes === null) continue
      sizeBytes += attributes.length
      if (found.length > 0 && sizeBytes > sizeBytesMax) break
      found.push({ first, count, attributes })
    }
    return found
  }

  /** An entry goes once all of it was erased: a buffer is held in full or not at all. */
  erase(ranges: readonly SequenceRange[]): void {
    for (const range of ranges) {
      for (let at = this.#firstEndingAbove(range.first); at < this.#entries.length; at++) {
        const entry = this.#entries[at]
        if (entry.first >= range.end) break
        this.#eraseIn(at, Math.max(range.first, entry.first), Math.min(range.end, entry.first + entry.count))
      }
    }
    if (this.#erasedCount <= ERASED_COUNT_MAX || this.#erasedCount < (this.#entries.length - this.#head) / 2) return
    this.#entries = this.#entries.slice(this.#head).filter(({ buffer }) => buffer !== NO_BUFFER)
    this.#head = 0
    this.#erasedCount = 0
  }

  #eraseIn(at: number, first: Sequence, end: Sequence): void {
    const entry = this.#entries[at]
    if (entry.buffer === NO_BUFFER) return
    if (end - first < entry.count) {
      entry.erased ??= []
      addRange(entry.erased, { first, end })
      if (entry.erased[0].end - entry.erased[0].first < entry.count) return
    }
    this.sizeBytes -= entry.end - entry.start + (entry.attributes?.length ?? 0)
    this.#entries[at] = { ...NOTHING, first: entry.first, count: entry.count }
    this.#erasedCount++
  }

  trim(before: Sequence): void {
    if (before <= this.trimmedBefore) return
    this.trimmedBefore = before
    this.next = Math.max(this.next, before)
    const head = this.#firstEndingAbove(before)
    for (let at = this.#head; at < head; at++) {
      const { buffer, start, end, attributes } = this.#entries[at]
      if (buffer === NO_BUFFER) this.#erasedCount--
      this.sizeBytes -= end - start + (attributes?.length ?? 0)
      this.#entries[at] = NOTHING // lets go of the buffers, although the entry stays in the array for now
    }
    this.#head = head
    // Moving the rest to the front costs as much as there is to move: wait until that is less than what was trimmed.
    if (head === this.#entries.length || (head > TRIMMED_COUNT_MAX && head > this.#entries.length / 2)) {
      this.#entries = this.#entries.slice(head)
      this.#head = 0
    }
  }

  /** Index of the first entry that holds `sequence` or something above it. */
  #firstEndingAbove(sequence: Sequence): number {
    let low = this.#head
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const { first, count } = this.#entries[middle]
      if (first + count > sequence) high = middle
      else low = middle + 1
    }
    return low
  }
}

const NO_BUFFER = new ArrayBuffer(0)
const NOTHING: Entry = { first: 0, count: 0, buffer: NO_BUFFER, start: 0, end: 0, attributes: null, erased: null }
