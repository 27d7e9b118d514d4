import type { Sequence } from '../contracts/sequence.js'

/**
 * What one consumer holds, in the order in which it got it: runs of consecutive records with the moment of their delivery.
 * A consumer has one message timeout, so the run at the head expires first, and nothing is done per message until then.
 *
 * A run only says what was given out. Whether a record of it is still in flight here is for the channel's record states to
 * say; records that were delivered again or touched have a deadline of their own elsewhere.
 */
export class InFlightRuns {
  #firsts = new Float64Array(0)
  #counts = new Uint32Array(0)
  #deliveredAtMs = new Float64Array(0)
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  push(first: Sequence, count: number, deliveredAtMs: number): void {
    const capacity = this.#firsts.length
    if (this.#size > 0) {
      const tail = (this.#head + this.#size - 1) & (capacity - 1)
      if (this.#deliveredAtMs[tail] === deliveredAtMs && this.#firsts[tail] + this.#counts[tail] === first) {
        this.#counts[tail] += count
        return
      }
    }
    if (this.#size === capacity) this.#grow(Math.max(4, capacity * 2))
    const at = (this.#head + this.#size++) & (this.#firsts.length - 1)
    this.#firsts[at] = first
    this.#counts[at] = count
    this.#deliveredAtMs[at] = deliveredAtMs
  }

  /** The head of the oldest run; only with {@link size} above 0. */
  get headFirst(): Sequence {
    return this.#firsts[this.#head]
  }

  get headCount(): number {
    return this.#counts[this.#head]
  }

  get headDeliveredAtMs(): number {
    return this.#deliveredAtMs[this.#head]
  }

  /** Forgets the first `count` records of the oldest run, and the run when none is left. */
  dropFromHead(count: number): void {
    this.#firsts[this.#head] += count
    this.#counts[this.#head] -= count
    if (this.#counts[this.#head] > 0) return
    this.#head = (this.#head + 1) & (this.#firsts.length - 1)
    if (--this.#size === 0) this.#head = 0
  }

  /** When the record was delivered last, as the newest run that has it says; -1 when none has. */
  deliveredAtMs(sequence: Sequence): number {
    for (let i = this.#size - 1; i >= 0; i--) {
      const at = (this.#head + i) & (this.#firsts.length - 1)
      if (sequence >= this.#firsts[at] && sequence < this.#firsts[at] + this.#counts[at]) return this.#deliveredAtMs[at]
    }
    return -1
  }

  clear(): void {
    this.#firsts = new Float64Array(0)
    this.#counts = new Uint32Array(0)
    this.#deliveredAtMs = new Float64Array(0)
    this.#head = 0
    this.#size = 0
  }

  #grow(capacity: number): void {
    const firsts = new Float64Array(capacity)
    const counts = new Uint32Array(capacity)
    const deliveredAtMs = new Float64Array(capacity)
    const old = this.#firsts.length - 1
    for (let i = 0; i < this.#size; i++) {
      const at = (this.#head + i) & old
      firsts[i] = this.#firsts[at]
      counts[i] = this.#counts[at]
      deliveredAtMs[i] = this.#deliveredAtMs[at]
    }
    this.#firsts = firsts
    this.#counts = counts
    this.#deliveredAtMs = deliveredAtMs
    this.#head = 0
  }
}
