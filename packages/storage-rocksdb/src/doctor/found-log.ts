import type { Lease, Sequence, SequenceRange } from '@spillway/core'
import { addRange, countOf, difference } from '../ranges.js'
import type { Piece } from '../stretch-codec.js'
import type { RebuiltIndex } from './rebuilt-index.js'

/** A value in RocksDB whose index entry can be read. */
export interface FoundStretch {
  readonly first: Sequence
  readonly end: Sequence
  readonly framesBytes: number
  readonly pieces: readonly Piece[]
}

/** What is stored of one log, by sequences: no message is kept in mind. */
export class FoundLog {
  readonly log: Lease
  first: Sequence = 0
  /** Ascending. */
  readonly stretches: FoundStretch[] = []
  /** Where stretches begin whose index entries cannot be read. */
  readonly badIndexes: Sequence[] = []
  /** What could be made of them again, by where they begin. */
  readonly rebuilt = new Map<Sequence, RebuiltIndex>()
  /** Stretches that turned out not to be readable. */
  readonly badStretches = new Set<FoundStretch>()
  /** What only the journal has. */
  #young: SequenceRange[] = []
  #youngBytes = 0

  constructor(log: Lease) {
    this.log = log
  }

  get #storedEnd(): Sequence {
    return this.stretches.at(-1)?.end ?? 0
  }

  /** As recovery does: what RocksDB has counts once, and a chunk that begins where an earlier one did takes its place. */
  chunkFound(first: Sequence, end: Sequence, framesBytes: number): void {
    if (end <= Math.max(this.#storedEnd, this.first)) return
    this.#young = difference(this.#young, [{ first, end: Infinity }])
    addRange(this.#young, { first, end })
    this.#youngBytes += framesBytes
  }

  /** The records that can be read, ascending. */
  records(): SequenceRange[] {
    const records: SequenceRange[] = []
    for (const stretch of this.stretches) {
      if (this.badStretches.has(stretch)) continue
      for (const { first, count } of stretch.pieces) addRange(records, { first, end: first + count })
    }
    for (const range of this.#young) addRange(records, range)
    for (const { pieces } of this.rebuilt.values()) {
      for (const { first, count } of pieces) addRange(records, { first, end: first + count })
    }
    return records
  }

  get storedBytes(): number {
    return this.stretches.reduce((sum, { framesBytes }) => sum + framesBytes, this.#youngBytes)
  }

  get storedCount(): number {
    return countOf(this.records())
  }

  /** One past the last record that there is any sign of. */
  get next(): Sequence {
    return Math.max(
      this.first,
      this.#storedEnd,
      this.#young.at(-1)?.end ?? 0,
      ...this.badIndexes.map((first) => first + 1),
    )
  }
}
