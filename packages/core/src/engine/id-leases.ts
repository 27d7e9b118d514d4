import type { Lease, Sequence } from '../contracts/sequence.js'
import { readHex32 } from './frame.js'

export const RECORDS_PER_LEASE = 2 ** 32

/** A stretch of a log whose ids are `lease` and the distance from `first`. It ends where the next one begins, at most 2^32 records on. */
export interface IdLease {
  readonly lease: Lease
  readonly first: Sequence
}

/** Which ids the records of a log have: 8 hex digits of a lease, 8 of the place in it. Ascending; the last one gives out new ids. */
export class IdLeases {
  readonly #leases: IdLease[]

  constructor(leases: readonly IdLease[]) {
    this.#leases = [...leases]
  }

  /** As the catalogue keeps them. */
  get all(): readonly IdLease[] {
    return this.#leases
  }

  /** One past the last record that has an id. */
  get end(): Sequence {
    return this.#leases[this.#leases.length - 1].first + RECORDS_PER_LEASE
  }

  add(lease: Lease, first: Sequence): void {
    this.#leases.push({ lease, first })
  }

  /** The lease of a record, of which there must be one. */
  at(sequence: Sequence): IdLease {
    let index = this.#leases.length - 1
    while (this.#leases[index].first > sequence) index--
    return this.#leases[index]
  }

  /** The record with the id in the 16 bytes at `at`; -1 when they are no id of this log. */
  sequenceOf(id: Uint8Array, at: number): Sequence {
    const place = readHex32(id, at + 8)
    const lease = readHex32(id, at)
    if (place === -1) return -1
    for (let index = this.#leases.length - 1; index >= 0; index--) {
      if (this.#leases[index].lease === lease) return this.#leases[index].first + place
    }
    return -1
  }

  /** Forgets leases of records below `before` only. */
  dropBelow(before: Sequence): void {
    let count = 0
    while (count + 1 < this.#leases.length && this.#leases[count + 1].first <= before) count++
    if (count > 0) this.#leases.splice(0, count)
  }
}
