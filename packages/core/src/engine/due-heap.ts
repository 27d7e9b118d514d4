import type { Sequence } from '../contracts/sequence.js'

/** A binary heap of (time, sequence), earliest first; 16 bytes an entry. Single entries are never removed from the middle: whoever takes one checks whether it still counts. */
export class DueHeap {
  #times = new Float64Array(0)
  #sequences = new Float64Array(0)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The earliest time; `Infinity` when empty. */
  get earliest(): number {
    return this.#size === 0 ? Infinity : this.#times[0]
  }

  push(time: number, sequence: Sequence): void {
    if (this.#size === this.#times.length) this.#resize(Math.max(16, this.#size * 2))
    let at = this.#size++
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.#times[parent] <= time) break
      this.#move(parent, at)
      at = parent
    }
    this.#times[at] = time
    this.#sequences[at] = sequence
  }

  /** Takes the earliest entry out and returns its sequence. The heap must not be empty. */
  pop(): Sequence {
    const taken = this.#sequences[0]
    const last = --this.#size
    const time = this.#times[last]
    const sequence = this.#sequences[last]
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= last) break
      if (child + 1 < last && this.#times[child + 1] < this.#times[child]) child++
      if (this.#times[child] >= time) break
      this.#move(child, at)
      at = child
    }
    this.#times[at] = time
    this.#sequences[at] = sequence
    if (last === 0) this.clear()
    else if (last * 8 < this.#times.length) this.#resize(this.#times.length >> 1)
    return taken
  }

  /** Takes out every entry of the records `[first, end)`. Costs as much as there are entries. */
  removeRange(first: Sequence, end: Sequence): void {
    const times = this.#times
    const sequences = this.#sequences
    const size = this.#size
    this.clear()
    for (let at = 0; at < size; at++) {
      if (sequences[at] < first || sequences[at] >= end) this.push(times[at], sequences[at])
    }
  }

  clear(): void {
    this.#size = 0
    this.#times = new Float64Array(0)
    this.#sequences = new Float64Array(0)
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from]
    this.#sequences[to] = this.#sequences[from]
  }

  #resize(capacity: number): void {
    const times = new Float64Array(capacity)
    const sequences = new Float64Array(capacity)
    times.set(this.#times.subarray(0, this.#size))
    sequences.set(this.#sequences.subarray(0, this.#size))
    this.#times = times
    this.#sequences = sequences
  }
}
