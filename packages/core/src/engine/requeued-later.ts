import type { Sequence } from '../contracts/sequence.js'
import { DueHeap } from './due-heap.js'

/** Records that consumers requeued with a delay. Each is in here once, until its time has come, its channel was emptied, or it was dropped. */
export class RequeuedLater {
  /** By monotonic clock. */
  readonly #heap = new DueHeap()
  /** By wall clock, for the saved cursor. */
  readonly #dueAtMs = new Map<Sequence, number>()

  add(sequence: Sequence, atMonotonicMs: number, dueAtMs: number): void {
    this.#heap.push(atMonotonicMs, sequence)
    this.#dueAtMs.set(sequence, dueAtMs)
  }

  has(sequence: Sequence): boolean {
    return this.#dueAtMs.size > 0 && this.#dueAtMs.has(sequence)
  }

  /** Wall-clock ms; 0 for a record that is not in here. */
  dueAtMs(sequence: Sequence): number {
    return this.#dueAtMs.get(sequence) ?? 0
  }

  /** Takes out one record whose time has come; -1 when there is none. */
  takeDue(nowMs: number): Sequence {
    if (this.#heap.earliest > nowMs) return -1
    const sequence = this.#heap.pop()
    this.#dueAtMs.delete(sequence)
    return sequence
  }

  /** `Infinity` when empty. */
  get earliestMs(): number {
    return this.#heap.earliest
  }

  /** Forgets those of the records `[first, end)`. */
  forget(first: Sequence, end: Sequence): void {
    const { size } = this.#dueAtMs
    for (const sequence of this.#dueAtMs.keys()) {
      if (sequence >= first && sequence < end) this.#dueAtMs.delete(sequence)
    }
    if (this.#dueAtMs.size < size) this.#heap.removeRange(first, end)
  }

  clear(): void {
    this.#heap.clear()
    this.#dueAtMs.clear()
  }
}
