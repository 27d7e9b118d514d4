/** A timer that has been set. */
export interface TimerHandle {
  /** Stops the timer. Idempotent; does nothing once it has fired. */
  cancel(): void
  /** From here on it does not keep the process alive. */
  unref(): void
}

/** Time, injected so that tests own it. */
export interface Clock {
  /** Milliseconds since some fixed moment, with fractions; never goes back. */
  nowMs(): number
  /** Calls `callback` once, `delayMs` from now. Until then the process is kept alive. */
  setTimer(delayMs: number, callback: () => void): TimerHandle
}

/** What a producer or a consumer does not take from the process when a test gives it something else. */
export interface Surroundings {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
}

/** `setTimeout` counts in 31 bits, and fires at once above. */
const DELAY_MS_MAX = 2 ** 31 - 1

class SystemTimer implements TimerHandle {
  readonly #timeout: NodeJS.Timeout

  constructor(delayMs: number, callback: () => void) {
    this.#timeout = setTimeout(callback, Math.min(delayMs, DELAY_MS_MAX))
  }

  cancel(): void {
    clearTimeout(this.#timeout)
  }

  unref(): void {
    this.#timeout.unref()
  }
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  setTimer: (delayMs, callback) => new SystemTimer(delayMs, callback),
}

export const SYSTEM: Surroundings = { clock: systemClock, random: Math.random }
