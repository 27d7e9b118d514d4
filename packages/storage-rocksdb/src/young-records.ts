import type { Chunk, Sequence } from '@spillway/core'
import { offsetsOf } from './record-offsets.js'

/** Stands for the journal file of a record that is in none: above all others. */
export const NO_FILE = Number.MAX_SAFE_INTEGER

/** A joined entry grows no further than this: it becomes one value in RocksDB. */
export const STRETCH_BYTES_MAX = 1024 * 1024

/**
 * A run of consecutive records in memory. Runs whose frames lie behind each other in one buffer are joined, so that a million
 * messages that were published one at a time cost as few objects as a million published at once.
 */
export interface YoungEntry {
  readonly first: Sequence
  count: number
  readonly buffer: ArrayBufferLike
  /** The frames are `buffer[start, end)`. */
  readonly start: number
  end: number
  readonly attributes: Uint8Array | null
  /** The oldest journal file that has anything of it; {@link NO_FILE} when none has. */
  readonly journalFile: number
  /** Being stored: nothing is joined to it any more. */
  isFrozen: boolean
}

export function framesOf(entry: YoungEntry): Uint8Array {
  return new Uint8Array(entry.buffer, entry.start, entry.end - entry.start)
}

export function endOf(entry: YoungEntry): Sequence {
  return entry.first + entry.count
}

/** The entry as a chunk; a view of its buffer. */
export function chunkOf(entry: YoungEntry): Chunk {
  return { first: entry.first, count: entry.count, frames: framesOf(entry), attributes: entry.attributes }
}

/** The records of one log that are not in RocksDB yet, in order. */
export class YoungRecords {
  sizeBytes = 0
  #entries: YoungEntry[] = []
  #head = 0

  get oldestJournalFile(): number {
    return this.#head === this.#entries.length ? Infinity : this.#entries[this.#head].journalFile
  }

  get isEmpty(): boolean {
    return this.#head === this.#entries.length
  }

  /** With `mayJoin` the records are known to be safe. Returns by how much {@link sizeBytes} has grown. */
  append({ first, count, frames, attributes }: Chunk, journalFile: number, mayJoin: boolean): number {
    const sizeBytes = frames.length + (attributes?.length ?? 0)
    this.sizeBytes += sizeBytes
    const start = frames.byteOffset
    const end = start + frames.length
    const last = this.#head < this.#entries.length ? this.#entries[this.#entries.length - 1] : undefined
    if (
      mayJoin &&
      last !== undefined &&
      !last.isFrozen &&
      last.buffer === frames.buffer &&
      last.end === start &&
      last.first + last.count === first &&
      last.attributes === null &&
      attributes === null &&
      end - last.start <= STRETCH_BYTES_MAX
    ) {
      last.count += count
      last.end = end
    } else {
      this.#entries.push({ first, count, buffer: frames.buffer, start, end, attributes, journalFile, isFrozen: false })
    }
    return sizeBytes
  }

  /** Adds chunks from the one that holds `from` on, up to `until`, to `chunks`, which have `sizeBytes` already. */
  read(from: Sequence, until: Sequence, sizeBytesMax: number, chunks: Chunk[], sizeBytes: number): void {
    let total = sizeBytes
    for (let at = this.#firstEndingAbove(from); at < this.#entries.length; at++) {
      const entry = this.#entries[at]
      if (entry.first >= until) break
      total += entry.end - entry.start
      if (chunks.length > 0 && total > sizeBytesMax) break
      const { first, count, attributes } = entry
      chunks.push({ first, count, frames: framesOf(entry), attributes })
    }
  }

  /** The oldest entries that end at or below `until` and begin in a journal file below `journalFile`; they are frozen. */
  freeze(until: Sequence, journalFile: number): readonly YoungEntry[] {
    let at = this.#head
    while (at < this.#entries.length) {
      const entry = this.#entries[at]
      const isLater = entry.journalFile >= journalFile && entry.journalFile !== NO_FILE // which may not keep those behind it
      if (endOf(entry) > until || isLater) break
      entry.isFrozen = true
      at++
    }
    return this.#entries.slice(this.#head, at)
  }

  /** Forgets entries that end at or below `before`. Returns by how much {@link sizeBytes} has shrunk. */
  dropBelow(before: Sequence): number {
    const head = this.#firstEndingAbove(before)
    let sizeBytes = 0
    for (let at = this.#head; at < head; at++) {
      const { start, end, attributes } = this.#entries[at]
      sizeBytes += end - start + (attributes?.length ?? 0)
      this.#entries[at] = NOTHING
    }
    this.#head = head
    if (head === this.#entries.length || (head > 1024 && head > this.#entries.length / 2)) {
      this.#entries = this.#entries.slice(head)
      this.#head = 0
    }
    this.sizeBytes -= sizeBytes
    return sizeBytes
  }

  /** Forgets the records from `from` on: they were refused. Returns by how much {@link sizeBytes} has shrunk. */
  dropFrom(from: Sequence): number {
    let sizeBytes = 0
    const at = this.#firstEndingAbove(from)
    const straddling = this.#entries[at]
    if (straddling !== undefined && straddling.first < from && straddling.attributes === null) {
      const count = from - straddling.first
      const end = straddling.start + offsetsOf(chunkOf(straddling))[count]
      sizeBytes += straddling.end - end
      straddling.count = count
      straddling.end = end
    }
    while (this.#entries.length > this.#head && this.#entries[this.#entries.length - 1].first >= from) {
      const { start, end, attributes } = this.#entries.pop() as YoungEntry
      sizeBytes += end - start + (attributes?.length ?? 0)
    }
    this.sizeBytes -= sizeBytes
    return sizeBytes
  }

  #firstEndingAbove(sequence: Sequence): number {
    let low = this.#head
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (endOf(this.#entries[middle]) > sequence) high = middle
      else low = middle + 1
    }
    return low
  }
}

const NOTHING: YoungEntry = {
  first: 0,
  count: 0,
  buffer: new ArrayBuffer(0),
  start: 0,
  end: 0,
  attributes: null,
  journalFile: NO_FILE,
  isFrozen: true,
}
