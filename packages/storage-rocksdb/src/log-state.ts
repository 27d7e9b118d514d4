import type { Durability, Lease, Sequence, SequenceRange } from '@spillway/core'
import { addRange, countOf, without } from './ranges.js'
import type { Piece } from './stretch-codec.js'
import { YoungRecords } from './young-records.js'

/** A value in RocksDB, as far as it is kept in mind: what is in it is in its index entry. */
export interface Stretch {
  readonly first: Sequence
  readonly end: Sequence
  readonly framesBytes: number
  /** Records in it. */
  readonly count: number
  readonly hasAttributes: boolean
  /** What has gone of it, and what may go; null while it is whole. */
  erased: SequenceRange[] | null
}

/** What is kept in mind of a stretch with these pieces. */
export function stretchOf(pieces: readonly Piece[], framesBytes: number, end: Sequence): Stretch {
  const { first } = pieces[0]
  const count = pieces.reduce((sum, piece) => sum + piece.count, 0)
  const hasAttributes = pieces.some(({ attributes }) => attributes !== null)
  const kept = pieces.map((piece) => ({ first: piece.first, end: piece.first + piece.count }))
  return {
    first,
    end,
    framesBytes,
    count,
    hasAttributes,
    erased: count === end - first ? null : without(kept, first, end),
  }
}

/** When so much of a stretch may go, the rest is moved. */
const ERASED_SHARE = 0.5

/**
 * What is known of one log, open or not.
 *
 * ```
 *   first        stored (RocksDB)        young (memory and journal)      readable        appended
 *   |============|======|=====|==========|----------|-----|--------------|...............|
 *                                                                         not yet safe
 * ```
 */
export class LogState {
  readonly log: Lease
  first: Sequence = 0
  /** One past the last record that is safe. */
  readable: Sequence = 0
  /** One past the last record that was handed over. */
  appended: Sequence = 0
  /** Ascending. */
  readonly stored: Stretch[] = []
  storedBytes = 0
  /** Where what RocksDB had when it was opened ends. */
  foundEnd: Sequence = 0
  readonly young = new YoungRecords()
  /** Records that are still young and may go. */
  readonly erased: SequenceRange[] = []
  /** Stretches of which so much may go that they should be rewritten. */
  readonly sparse = new Set<Stretch>()
  /** Consecutive stretches that are being rewritten: they stay until that is done. */
  rewriting: readonly Stretch[] = []
  /** While RocksDB is told of their replacement: whoever reads them meanwhile may find either. */
  replacing: Promise<void> | null = null
  /** Durability of who has it open. */
  durability: Durability = 'process'
  isDeleted = false

  constructor(log: Lease) {
    this.log = log
  }

  get storedEnd(): Sequence {
    return this.stored.length === 0 ? 0 : this.stored[this.stored.length - 1].end
  }

  get sizeBytes(): number {
    return this.storedBytes + this.young.sizeBytes
  }

  /** At the start: a stretch that was found; they come in ascending order. */
  found(stretch: Stretch): void {
    this.add(stretch)
    this.foundEnd = stretch.end
    this.readable = Math.max(this.readable, stretch.end)
    this.appended = this.readable
  }

  add(stretch: Stretch): void {
    this.stored.push(stretch)
    this.storedBytes += stretch.framesBytes
  }

  /** Index of the first stretch that ends above `sequence`. */
  storedFrom(sequence: Sequence): number {
    let low = 0
    let high = this.stored.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.stored[middle].end > sequence) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Takes out the stretches that end at or below `before`, up to the first one that is being rewritten. */
  dropStoredBelow(before: Sequence): Stretch[] {
    const end = this.storedFrom(before)
    const rewritten = this.rewriting.length === 0 ? -1 : this.stored.indexOf(this.rewriting[0])
    const dropped = this.stored.splice(0, rewritten === -1 ? end : Math.min(end, rewritten))
    for (const stretch of dropped) this.#forget(stretch)
    return dropped
  }

  /** Puts `by` where `old`, consecutive stretches of this log, are. */
  replace(old: readonly Stretch[], by: readonly Stretch[]): void {
    this.stored.splice(this.stored.indexOf(old[0]), old.length, ...by)
    for (const stretch of old) this.#forget(stretch)
    for (const stretch of by) this.storedBytes += stretch.framesBytes
  }

  /** The stretches that should be rewritten, and what may go of each as far as is known now. */
  sparseNow(): ReadonlyMap<Stretch, readonly SequenceRange[]> {
    return new Map([...this.sparse].map((stretch) => [stretch, [...(stretch.erased ?? [])]]))
  }

  #forget(stretch: Stretch): void {
    this.storedBytes -= stretch.framesBytes
    this.sparse.delete(stretch)
  }

  /** Takes note of what may go. Returns whether something should be rewritten. */
  erase(ranges: readonly SequenceRange[]): boolean {
    const { storedEnd } = this
    for (const { first, end } of ranges) {
      for (let at = this.storedFrom(first); at < this.stored.length && this.stored[at].first < end; at++) {
        const stretch = this.stored[at]
        stretch.erased ??= []
        addRange(stretch.erased, { first: Math.max(first, stretch.first), end: Math.min(end, stretch.end) })
        const left = stretch.end - stretch.first - countOf(stretch.erased)
        if (left <= stretch.count * (1 - ERASED_SHARE)) this.sparse.add(stretch)
      }
      if (end > storedEnd) addRange(this.erased, { first: Math.max(first, storedEnd), end })
    }
    return this.sparse.size > 0
  }

  /** Takes out the notes on records below `end`, which are stored now, or gone. */
  takeErasedBelow(end: Sequence): SequenceRange[] {
    let count = 0
    while (count < this.erased.length && this.erased[count].end <= end) count++
    const taken = this.erased.splice(0, count)
    if (this.erased.length === 0 || this.erased[0].first >= end) return taken
    taken.push({ first: this.erased[0].first, end })
    this.erased[0] = { first: end, end: this.erased[0].end }
    return taken
  }
}
