import type { Chooser } from './mode.js'

/** One after the other, whether they fail or not. */
export class RoundRobin implements Chooser {
  readonly #count: number
  #next = 0

  constructor(count: number) {
    this.#count = count
  }

  next(): number {
    const index = this.#next
    this.#next = (index + 1) % this.#count
    return index
  }

  succeeded(): void {}

  failed(): void {}
}
