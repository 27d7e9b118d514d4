import type { Clock, TimerHandle } from '@spillway/core'
import { SystemClock } from '@spillway/core/node'

/** How much sooner timers fire: what happens every second happens every 4 ms. */
const SPEED = 250

/** The system's clock with timers that fire sooner, so that what happens in the background happens all the time. */
export class QuickClock implements Clock {
  readonly #clock = new SystemClock()

  monotonicMs(): number {
    return this.#clock.monotonicMs()
  }

  wallMs(): number {
    return this.#clock.wallMs()
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    return this.#clock.setTimer(delayMs / SPEED, callback)
  }

  atEndOfTurn(callback: () => void): void {
    this.#clock.atEndOfTurn(callback)
  }

  inNextTurn(callback: () => void): void {
    this.#clock.inNextTurn(callback)
  }
}
