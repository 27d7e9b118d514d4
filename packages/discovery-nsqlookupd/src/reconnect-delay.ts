import type { Random } from '@spillway/core'

const FIRST_MS = 1_000
/** A connection that was good for less counts as one that failed: one that takes us and sends us away again, say. */
const STABLE_MS = 5_000

/**
 * How long to wait before connecting again: twice as long after each failure, and by chance as little as half of that, so that
 * not all nodes come at once when an nsqlookupd is back.
 */
export class ReconnectDelay {
  readonly #maxMs: number
  readonly #random: Random
  #failureCount = 0

  constructor(maxMs: number, random: Random) {
    this.#maxMs = maxMs
    this.#random = random
  }

  /** @param goodForMs - how long this node was registered over the connection that has ended */
  next(goodForMs: number): number {
    if (goodForMs >= STABLE_MS) this.#failureCount = 0
    const longestMs = Math.min(this.#maxMs, FIRST_MS * 2 ** this.#failureCount)
    if (longestMs < this.#maxMs) this.#failureCount++
    return longestMs * (1 - this.#random() / 2)
  }
}
