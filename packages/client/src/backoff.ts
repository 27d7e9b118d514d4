import type { Clock, TimerHandle } from './clock.js'

export interface BackoffOptions {
  readonly delayMs: number
  /** 0: never. */
  readonly delayMsMax: number
  /** Waits a random part of it. */
  readonly jitter: boolean
  readonly clock: Clock
  readonly random: () => number
  /** Takes nothing for `delayMs`, then one message to see; at level 0 everything again. */
  readonly changed: (level: number, delayMs: number) => void
  /** The delay is over: one message may come. */
  readonly probe: () => void
}

/**
 * How a consumer holds back while its messages fail, as go-nsq does.
 *
 * ```
 *   full ── failure ──► level 1: nothing for 2 s ──► one message ── fails ──► level 2: nothing for 4 s ──► one message …
 *    ▲                                                   └── succeeds ──► level 0
 *    └───────────────────────────────────────────────────────────────────────┘
 * ```
 * A success at level n leads to level n - 1, after its delay. What happens during a delay changes nothing: those are
 * messages that were in flight already.
 */
export class Backoff {
  readonly #options: BackoffOptions
  #level = 0
  #timer: TimerHandle | null = null

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  /** 0: all is well. */
  get level(): number {
    return this.#level
  }

  failed(): void {
    if (this.#options.delayMsMax === 0 || this.#timer !== null) return
    if (this.#fullDelayMs(this.#level + 1) <= this.#options.delayMsMax || this.#level === 0) this.#level++
    this.#wait()
  }

  /** Requeued, but that is no failure: it says nothing of whether the next one would succeed. */
  kept(): void {
    if (this.#level > 0 && this.#timer === null) this.#wait()
  }

  succeeded(): void {
    if (this.#level === 0 || this.#timer !== null) return
    this.#level--
    if (this.#level === 0) this.#options.changed(0, 0)
    else this.#wait()
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#level = 0
  }

  #fullDelayMs(level: number): number {
    return this.#options.delayMs * 2 ** level
  }

  #wait(): void {
    const { delayMsMax, jitter, random, clock } = this.#options
    const fullMs = Math.min(delayMsMax, this.#fullDelayMs(this.#level))
    const delayMs = jitter ? fullMs * random() : fullMs
    this.#timer = clock.setTimer(delayMs, () => {
      this.#timer = null
      this.#options.probe()
    })
    this.#options.changed(this.#level, delayMs)
  }
}
