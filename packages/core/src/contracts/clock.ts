/** A timer that has been set. */
export interface TimerHandle {
  /** Stops the timer. Idempotent; does nothing once it has fired. */
  cancel(): void
}

/** Time and the turns of the event loop, injected so that tests own them. */
export interface Clock {
  /** Milliseconds since some fixed moment, with fractions; never goes back. For deadlines and intervals. */
  monotonicMs(): number
  /** Milliseconds since 1970 UTC, with fractions as fine as the system gives; may jump. For timestamps and due times. */
  wallMs(): number
  /** Calls `callback` once, `delayMs` (0 or more) from now, never before it returned. Does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): TimerHandle
  /**
   * Calls `callback` once at the end of this turn of the event loop, after every socket that is readable now was read.
   * Callbacks run in the order in which they were given; one given by another runs in the same turn, after it.
   */
  atEndOfTurn(callback: () => void): void
  /** Calls `callback` once at the end of the next turn: sockets are read in between. For work that has had its share of this one. */
  inNextTurn(callback: () => void): void
}

/** Randomness, injected so that tests own it. Returns a number in [0, 1). */
export type Random = () => number
