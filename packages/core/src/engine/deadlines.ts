import type { Sequence } from '../contracts/sequence.js'
import { DueHeap } from './due-heap.js'

/** A record in flight whose deadline is its own: it was touched, or delivered again. */
export interface OwnDeadline {
  deadlineMs: number
  readonly deliveredAtMs: number
}

/** Stale heap entries that are tolerated beyond one per record. */
const STALE_MAX = 1024

/** Deadlines of the few records whose deadline is not that of the run they were delivered in. */
export class OwnDeadlines {
  readonly #bySequence = new Map<Sequence, OwnDeadline>()
  readonly #heap = new DueHeap()

  get size(): number {
    return this.#bySequence.size
  }

  /** The earliest moment at which {@link takeExpired} may find something. */
  get earliestMs(): number {
    return this.#heap.earliest
  }

  get(sequence: Sequence): OwnDeadline | undefined {
    return this.#bySequence.get(sequence)
  }

  has(sequence: Sequence): boolean {
    return this.#bySequence.size > 0 && this.#bySequence.has(sequence)
  }

  set(sequence: Sequence, deadline: OwnDeadline): void {
    this.#bySequence.set(sequence, deadline)
    this.#heap.push(deadline.deadlineMs, sequence)
    if (this.#heap.size > 2 * this.#bySequence.size + STALE_MAX) this.#compact()
  }

  /** Moves a deadline later. Its entry in the heap is found stale when its time comes, and is pushed again then. */
  extend(deadline: OwnDeadline, deadlineMs: number): void {
    deadline.deadlineMs = Math.max(deadline.deadlineMs, deadlineMs)
  }

  delete(sequence: Sequence): void {
    if (this.#bySequence.size > 0) this.#bySequence.delete(sequence)
  }

  /** Takes out one record whose deadline has passed; -1 when there is none. */
  takeExpired(nowMs: number): Sequence {
    while (this.#heap.earliest <= nowMs) {
      const sequence = this.#heap.pop()
      const deadline = this.#bySequence.get(sequence)
      if (deadline === undefined) continue
      if (deadline.deadlineMs <= nowMs) {
        this.#bySequence.delete(sequence)
        return sequence
      }
      this.#heap.push(deadline.deadlineMs, sequence)
    }
    return -1
  }

  clear(): void {
    this.#bySequence.clear()
    this.#heap.clear()
  }

  #compact(): void {
    this.#heap.clear()
    for (const [sequence, deadline] of this.#bySequence) this.#heap.push(deadline.deadlineMs, sequence)
  }
}
