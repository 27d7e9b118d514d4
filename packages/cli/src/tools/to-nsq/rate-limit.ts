const SECOND_MS = 1_000

/**
 * Lets at most so many things happen in a second. What was not used is kept, up to a second's worth: after a pause, that
 * many may happen at once.
 */
export class RateLimit {
  readonly #perSecond: number
  readonly #nowMs: () => number
  #allowed = 1
  #countedMs: number

  /** @param nowMs - a clock that does not go back */
  constructor(perSecond: number, nowMs: () => number) {
    this.#perSecond = perSecond
    this.#nowMs = nowMs
    this.#countedMs = nowMs()
  }

  /** Takes as many of `wanted` as may happen now. 0: wait for {@link waitMs} first. */
  take(wanted: number): number {
    const nowMs = this.#nowMs()
    const gained = ((nowMs - this.#countedMs) * this.#perSecond) / SECOND_MS
    this.#countedMs = nowMs
    this.#allowed = Math.min(this.#allowed + gained, Math.max(1, this.#perSecond))
    const taken = Math.min(wanted, Math.floor(this.#allowed))
    this.#allowed -= taken
    return taken
  }

  /** How long after the last {@link take} the next one may happen, rounded up to whole milliseconds. */
  get waitMs(): number {
    return Math.ceil(Math.max(0, ((1 - this.#allowed) * SECOND_MS) / this.#perSecond))
  }
}
