import type { Clock, TimerHandle } from '../contracts/clock.js'

/** What a {@link SystemClock} reads, so that tests can step it. */
export interface TimeSource {
  /** `Date.now`: whole milliseconds, follows every step of the system's clock. */
  wallMs(): number
  /** `performance.now`: fractions, never steps. */
  monotonicMs(): number
  /** Wall clock minus monotonic clock, finer than whole milliseconds, where that is known. */
  readonly offsetMs?: number
}

const SYSTEM: TimeSource = {
  wallMs: Date.now,
  monotonicMs: () => performance.now(),
  offsetMs: performance.timeOrigin,
}

/** The longest delay that Node's timers take. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** The process's own clock and event loop. */
export class SystemClock implements Clock {
  /** Wall clock minus monotonic clock, as last seen. */
  private offsetMs: number
  private endOfTurn: (() => void)[] = []
  private endOfNextTurn: (() => void)[] = []
  private isTurnScheduled = false

  constructor(private readonly source: TimeSource = SYSTEM) {
    this.offsetMs = source.offsetMs ?? source.wallMs() - source.monotonicMs()
  }

  monotonicMs(): number {
    return this.source.monotonicMs()
  }

  /**
   * `Date.now` says which millisecond it is, the monotonic clock where in it we are. Wherever the two do not agree (the
   * wall clock was set, or runs at another speed), `Date.now` is right, and the offset moves just far enough.
   */
  wallMs(): number {
    const monotonicMs = this.source.monotonicMs()
    const millisecond = this.source.wallMs()
    const wallMs = monotonicMs + this.offsetMs
    if (wallMs >= millisecond && wallMs < millisecond + 1) return wallMs
    const nearestMs = wallMs < millisecond ? millisecond : millisecond + 0.999
    this.offsetMs = nearestMs - monotonicMs
    return nearestMs
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    return new SystemTimer(delayMs, callback)
  }

  atEndOfTurn(callback: () => void): void {
    this.endOfTurn.push(callback)
    this.scheduleTurn()
  }

  inNextTurn(callback: () => void): void {
    this.endOfNextTurn.push(callback)
    this.scheduleTurn()
  }

  private scheduleTurn(): void {
    if (this.isTurnScheduled) return
    this.isTurnScheduled = true
    setImmediate(this.runTurn)
  }

  /** One immediate runs a turn's callbacks, since an immediate that was set by another only runs a turn later. */
  private readonly runTurn = (): void => {
    const callbacks = this.endOfTurn
    // The list may grow while it is walked.
    for (let index = 0; index < callbacks.length; index++) callbacks[index]()
    callbacks.length = 0
    this.endOfTurn = this.endOfNextTurn
    this.endOfNextTurn = callbacks
    this.isTurnScheduled = false
    if (this.endOfTurn.length > 0) this.scheduleTurn()
  }
}

class SystemTimer implements TimerHandle {
  private timeout: NodeJS.Timeout

  constructor(
    private remainingMs: number,
    private readonly callback: () => void,
  ) {
    this.timeout = this.arm()
  }

  cancel(): void {
    clearTimeout(this.timeout)
  }

  private arm(): NodeJS.Timeout {
    // Node drops fractions, which would fire too early.
    const delayMs = Math.min(Math.ceil(this.remainingMs), TIMER_MS_MAX)
    this.remainingMs -= delayMs
    return setTimeout(this.fire, delayMs).unref()
  }

  private readonly fire = (): void => {
    if (this.remainingMs > 0) this.timeout = this.arm()
    else this.callback()
  }
}
