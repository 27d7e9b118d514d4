import type { Sequence } from '../contracts/sequence.js'
import { DueHeap } from './due-heap.js'

/** Records that consumers requeued with a delay. Each is in here once, until its time has come or its channel was emptied. */
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

  clear(): void {
    this.#heap.clear()
    this.#dueAtMs.clear()
  }
}
