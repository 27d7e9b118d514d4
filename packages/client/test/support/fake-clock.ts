import type { Clock, TimerHandle } from '../../src/clock.js'

class FakeTimer implements TimerHandle {
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

  unref(): void {}
}

/** A clock that moves only when a test says so. */
export class FakeClock implements Clock {
  #nowMs = 1_000
  #timers: FakeTimer[] = []

  nowMs(): number {
    return this.#nowMs
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    const timer = new FakeTimer(this.#nowMs + delayMs, callback)
    this.#timers.push(timer)
    return timer
  }

  /** The delays from now after which something would happen, the soonest first. */
  get pendingDelaysMs(): number[] {
    const live = this.#timers.filter(({ callback }) => callback !== null)
    return live.map(({ dueMs }) => dueMs - this.#nowMs).sort((a, b) => a - b)
  }

  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs
    for (;;) {
      this.#timers = this.#timers.filter(({ callback }) => callback !== null)
      const due = this.#timers.filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)
      if (due.length === 0) break
      this.#nowMs = Math.max(this.#nowMs, due[0].dueMs)
      const { callback } = due[0]
      due[0].cancel()
      callback?.()
    }
    this.#nowMs = endMs
  }
}
