import type { Sequence } from '../contracts/sequence.js'
import type { MemoryBudget } from './memory-budget.js'
import type { Segment } from './segment.js'

/** The resident segments of a log, by first sequence, never overlapping. What they take is charged to the node's budget. */
export class SegmentList {
  readonly #budget: MemoryBudget
  readonly #segments: Segment[] = []
  /** Of all of them. */
  sizeBytes = 0
  /** Most look-ups hit the one before. */
  #lastFound: Segment | null = null

  constructor(budget: MemoryBudget) {
    this.#budget = budget
  }

  get all(): readonly Segment[] {
    return this.#segments
  }

  /** The segment that holds the record; null when none does. */
  at(sequence: Sequence): Segment | null {
    const last = this.#lastFound
    if (last !== null && sequence >= last.first && sequence < last.end) return last
    const index = this.indexAt(sequence)
    if (index < 0) return null
    const segment = this.#segments[index]
    if (sequence >= segment.end) return null
    this.#lastFound = segment
    return segment
  }

  /** Index of the last segment that begins at or below `sequence`; -1 when there is none. */
  indexAt(sequence: Sequence): number {
    let low = 0
    let high = this.#segments.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#segments[middle].first <= sequence) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** Adds a segment at its place. */
  add(segment: Segment): void {
    this.#charge(segment.sizeBytes)
    const index = this.indexAt(segment.first) + 1
    if (index === this.#segments.length) this.#segments.push(segment)
    else this.#segments.splice(index, 0, segment)
  }

  remove(segment: Segment): void {
    const index = this.#segments.indexOf(segment)
    if (index !== -1) this.#forget(index, 1)
  }

  /** Removes those at the head that end at or below `sequence` and that `mayGo`. Returns their bytes. */
  removeBelow(sequence: Sequence, mayGo: (segment: Segment) => boolean): number {
    let count = 0
    let sizeBytes = 0
    for (const segment of this.#segments) {
      if (segment.end > sequence || !mayGo(segment)) break
      sizeBytes += segment.sizeBytes
      count++
    }
    this.#forget(0, count)
    return sizeBytes
  }

  /** Forgets the records from `end` on: the store refused them. */
  truncate(end: Sequence): void {
    while (this.#segments.length > 0) {
      const segment = this.#segments[this.#segments.length - 1]
      if (segment.end <= end && segment.count > 0) break
      segment.truncate(end)
      if (segment.count > 0) break
      this.#forget(this.#segments.length - 1, 1)
    }
  }

  /** Bytes of those that end at or below `sequence`. */
  bytesBelow(sequence: Sequence): number {
    let sizeBytes = 0
    for (const segment of this.#segments) {
      if (segment.end > sequence) break
      sizeBytes += segment.sizeBytes
    }
    return sizeBytes
  }

  clear(): void {
    this.#forget(0, this.#segments.length)
  }

  #forget(index: number, count: number): void {
    this.#lastFound = null
    for (const segment of this.#segments.splice(index, count)) this.#charge(-segment.sizeBytes)
  }

  #charge(sizeBytes: number): void {
    this.sizeBytes += sizeBytes
    this.#budget.charge(sizeBytes)
  }
}
