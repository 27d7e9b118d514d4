/** A connection that was open for less counts as one that failed. */
export const STABLE_MS = 5_000

/** How long to wait before connecting again: twice as long after each failure, less up to a quarter of it by chance. */
export class ReconnectDelay {
  readonly #firstMs: number
  readonly #maxMs: number
  readonly #random: () => number
  #failureCount = 0

  constructor(firstMs: number, maxMs: number, random: () => number) {
    this.#firstMs = firstMs
    this.#maxMs = maxMs
    this.#random = random
  }

  /** Of a connection that has ended. */
  wasOpenFor(openMs: number): void {
    if (openMs >= STABLE_MS) this.#failureCount = 0
  }

  /** Counts a failure. */
  nextMs(): number {
    const delayMs = Math.min(this.#maxMs, this.#firstMs * 2 ** Math.min(this.#failureCount++, 30))
    return delayMs * (1 - this.#random() / 4)
  }
}
