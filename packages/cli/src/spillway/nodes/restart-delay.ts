export const RESTART_MS_MIN = 100
export const RESTART_MS_MAX = 10_000

/** A node that has listened for this long is well again. */
const WELL_AFTER_MS = 30_000

/** How long a node that ended waits for its next start: twice as long each time, within bounds, until it has run well. */
export class RestartDelay {
  #nextMs = RESTART_MS_MIN

  /** @param listenedMs - how long it had listened; 0 when it never did */
  afterMs(listenedMs: number): number {
    if (listenedMs >= WELL_AFTER_MS) this.#nextMs = RESTART_MS_MIN
    const delayMs = this.#nextMs
    this.#nextMs = Math.min(2 * delayMs, RESTART_MS_MAX)
    return delayMs
  }
}
