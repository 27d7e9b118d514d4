import type { Clock, TimerHandle } from '../contracts/clock.js'

/** 2026-01-02T03:04:05Z, so that a test which never asks for a date gets a plausible one. */
const WALL_START_MS = 1_767_323_045_000
const MONOTONIC_START_MS = 1_000
/** A test that runs this many callbacks without time moving has a callback that queues itself again. */
const CALLBACKS_MAX = 1_000_000

export interface FakeClockOptions {
  readonly monotonicMs?: number
  readonly wallMs?: number
}

class FakeTimer implements TimerHandle {
  /** `null` once it has fired or was cancelled. */
  callback: (() => void) | null

  constructor(
    readonly dueMs: number,
    callback: () => void,
  ) {
    this.callback = callback
  }

  cancel(): void {
    this.callback = null
  }
}

/**
 * A clock that moves only when a test says so.
 *
 * ```
 *   advance(100):  turns | timer due at 10 | turns | timer due at 40 | turns | … | at 100
 * ```
 *
 * Every timer begins a turn of the event loop of its own, as in Node, and turns go on until no callback waits for one. {@link advance} is synchronous: promises do not settle
 * in between. Where code under test awaits something, use {@link advanceAsync} or {@link settle}.
 */
export class FakeClock implements Clock {
  #monotonicMs: number
  #wallMs: number
  /** By due time, then in the order in which they were set. */
  #timers: FakeTimer[] = []
  #endOfTurn: (() => void)[] = []
  #nextTurn: (() => void)[] = []
  #running = false

  constructor(options: FakeClockOptions = {}) {
    this.#monotonicMs = options.monotonicMs ?? MONOTONIC_START_MS
    this.#wallMs = options.wallMs ?? WALL_START_MS
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  wallMs(): number {
    return this.#wallMs
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    // NaN would sort anywhere, and a negative delay means that the caller computed a deadline wrongly.
    if (!(delayMs >= 0)) throw new RangeError(`setTimer: delayMs is ${delayMs}`)
    const timer = new FakeTimer(this.#monotonicMs + delayMs, callback)
    let at = this.#timers.length
    while (at > 0 && this.#timers[at - 1].dueMs > timer.dueMs) at--
    this.#timers.splice(at, 0, timer)
    return timer
  }

  atEndOfTurn(callback: () => void): void {
    this.#endOfTurn.push(callback)
  }

  inNextTurn(callback: () => void): void {
    this.#nextTurn.push(callback)
  }

  /** Timers that are set and neither fired nor cancelled. */
  get timerCount(): number {
    return this.#timers.filter((timer) => timer.callback !== null).length
  }

  /** Callbacks that wait for the end of this turn or of the next one. */
  get turnCallbackCount(): number {
    return this.#endOfTurn.length + this.#nextTurn.length
  }

  /** When the next timer is due on the monotonic clock; `Infinity` when none is set. */
  get nextTimerMs(): number {
    this.#dropCancelled()
    return this.#timers[0]?.dueMs ?? Number.POSITIVE_INFINITY
  }

  /** Moves the wall clock, and nothing else, as an administrator or NTP does. */
  setWallMs(wallMs: number): void {
    this.#wallMs = wallMs
  }

  /** Ends this turn: runs what waits for its end, also what that queues. What is meant for the next turn then waits for its end. */
  runTurn(): void {
    if (this.#running) return // called from one of the callbacks: the loop below is already at it
    this.#running = true
    try {
      let ran = 0
      // The array grows while it is walked through: what a callback queues runs after everything queued before it.
      for (; ran < this.#endOfTurn.length; ran++) {
        countCallbacks(ran)
        this.#endOfTurn[ran]()
      }
      this.#endOfTurn = this.#nextTurn
      this.#nextTurn = []
    } finally {
      this.#running = false
    }
  }

  /** Runs turns until no callback waits. Fires no timer. */
  flush(): void {
    for (let turns = 0; this.turnCallbackCount > 0 && !this.#running; turns++) {
      countCallbacks(turns)
      this.runTurn()
    }
  }

  /** Moves both clocks by `ms`, firing what comes due, in order. `advance(0)` fires what is due now. */
  advance(ms: number): void {
    const untilMs = this.#monotonicMs + requireSpan(ms)
    this.flush()
    for (let fired = 0; this.#fireNext(untilMs); fired++) {
      countCallbacks(fired)
      this.flush()
    }
    this.#moveTo(untilMs)
  }

  /** Like {@link advance}, letting promises settle before, between and after timers. */
  async advanceAsync(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + requireSpan(ms)
    await this.settle()
    for (let fired = 0; this.#fireNext(untilMs); fired++) {
      countCallbacks(fired)
      await this.settle()
    }
    this.#moveTo(untilMs)
  }

  /** Ends turns and lets promises settle until neither queues anything more. Time does not move. */
  async settle(): Promise<void> {
    do {
      this.flush()
      // A macrotask of the real event loop comes after every microtask, however long their chain.
      await new Promise((resolve) => setImmediate(resolve))
    } while (this.turnCallbackCount > 0)
  }

  /** Fires the first timer that is due at or before `untilMs`. */
  #fireNext(untilMs: number): boolean {
    if (this.nextTimerMs > untilMs) return false
    const timer = this.#timers.shift() as FakeTimer
    this.#moveTo(timer.dueMs)
    const callback = timer.callback
    timer.callback = null
    callback?.()
    return true
  }

  #moveTo(monotonicMs: number): void {
    if (monotonicMs <= this.#monotonicMs) return
    this.#wallMs += monotonicMs - this.#monotonicMs
    this.#monotonicMs = monotonicMs
  }

  #dropCancelled(): void {
    let cancelled = 0
    while (cancelled < this.#timers.length && this.#timers[cancelled].callback === null) cancelled++
    if (cancelled > 0) this.#timers.splice(0, cancelled)
  }
}

function countCallbacks(ran: number): void {
  if (ran > CALLBACKS_MAX) throw new Error('FakeClock: callbacks queue themselves for ever')
}

function requireSpan(ms: number): number {
  if (!(ms >= 0)) throw new RangeError(`a clock does not go back: advance by ${ms} ms`)
  return ms
}
