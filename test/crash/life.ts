import type { HttpClient } from '../support/http-client.js'
import type { Random } from '../support/random.js'
import type { LifeClock } from './channel-ledger.js'
import type { Violations } from './violations.js'

const BUSY_MS_MAX = 6

/** Something that is connected to the broker and loses it. */
export interface Client {
  /** The kill comes within a few milliseconds: whoever publishes has as much under way as it may. */
  beBusy(): void
  /** The kill is about to come: nothing more may be counted as done. */
  brokerDies(): void
  /** Resolves when nothing more can come from the broker. */
  readonly closed: Promise<void>
}

export interface LifeParts {
  /** Counts up from 1. */
  readonly number: number
  readonly tcpPort: number
  readonly http: HttpClient
  readonly random: Random
  readonly violations: Violations
  readonly isDraining: boolean
  readonly isLast: boolean
  readonly savedAfterMs: number
}

/** From one start of the broker to its kill, as scenarios see it. */
export class Life implements LifeClock {
  readonly number: number
  readonly tcpPort: number
  readonly http: HttpClient
  readonly random: Random
  readonly violations: Violations
  /** Everything is to be finished now: nothing is held back, requeued or published. */
  readonly isDraining: boolean
  /** No other life follows. */
  readonly isLast: boolean
  /** Resolves when a scenario wants the kill to come at this very moment. */
  readonly killWanted: Promise<void>
  readonly savedAfterMs: number
  killedAtMs = Infinity
  readonly #clients: Client[] = []
  readonly #sleepers = new Set<() => void>()
  #wantKill: () => void = () => undefined

  constructor(parts: LifeParts) {
    this.number = parts.number
    this.tcpPort = parts.tcpPort
    this.http = parts.http
    this.random = parts.random
    this.violations = parts.violations
    this.isDraining = parts.isDraining
    this.isLast = parts.isLast
    this.savedAfterMs = parts.savedAfterMs
    this.killWanted = new Promise((resolve) => {
      this.#wantKill = resolve
    })
  }

  get isOver(): boolean {
    return this.killedAtMs !== Infinity
  }

  /** A client that is already lost when it comes is told at once. */
  add(client: Client): void {
    this.#clients.push(client)
    if (this.isOver) client.brokerDies()
  }

  wantKill(): void {
    this.#wantKill()
  }

  /** Returns after `ms`, or when the life is over. */
  async pause(ms: number): Promise<void> {
    if (this.isOver) return
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        this.#sleepers.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.#sleepers.add(wake)
    })
  }

  /**
   * Makes sure that the kill, which follows, comes in the middle of something. Returns after 0 to 6 ms in which nothing
   * is read or written here: otherwise everything would have its answer whenever this process has the time to kill.
   */
  beBusy(): void {
    for (const client of this.#clients) client.beBusy()
    const endMs = performance.now() + this.random.next() ** 2 * BUSY_MS_MAX
    while (performance.now() < endMs);
  }

  /** To be called right before the kill. */
  end(nowMs: number): void {
    this.killedAtMs = nowMs
    for (const client of this.#clients) client.brokerDies()
    for (const wake of this.#sleepers) wake()
  }

  /** Resolves when all answers that the dead broker had given have been read. */
  async closed(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.closed))
  }

  /**
   * Asks the broker to change something. Resolves with true when it has answered 200, with false when it died before it
   * answered; any other answer is a violation.
   */
  async change(path: string): Promise<boolean> {
    try {
      const { status, text } = await this.http.post(path)
      if (status === 200) return true
      this.violations.add('a request was refused', `life ${this.number}: POST ${path}: ${status} ${text}`)
      return false
    } catch (error) {
      if (!this.isOver) this.violations.add('a request got no answer', `life ${this.number}: POST ${path}: ${error}`)
      return false
    }
  }
}
