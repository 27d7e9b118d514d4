import type { Clock, TimerHandle } from '@spillway/core'

/** Ends the wait of messages that a client asked to be held back for a while. */
export class HoldTimer {
  readonly #clock: Clock
  readonly #onTimer: () => void
  #timer: TimerHandle | null = null

  constructor(clock: Clock, onTimer: () => void) {
    this.#clock = clock
    this.#onTimer = () => {
      this.#timer = null
      onTimer()
    }
  }

  /** The first byte is held: calls back after `timeoutMs`, or never when that is 0. Does nothing while it runs. */
  start(timeoutMs: number): void {
    if (this.#timer === null && timeoutMs > 0) this.#timer = this.#clock.setTimer(timeoutMs, this.#onTimer)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
  }
}
