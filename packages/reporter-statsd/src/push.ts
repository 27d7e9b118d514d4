import type { Clock, TimerHandle } from '@spillway/core'
import type { Packet } from './packets.js'

/** About 2 ms of work. What is more waits for the next turn, so that messages need not wait for it. */
const PACKETS_PER_TURN = 64

export interface PushOptions {
  /** Made one by one, when they are due. */
  readonly packets: Iterator<Packet>
  /** Of all packets together. */
  readonly lineCount: number
  /** How long the push is to take: the burst would be too much for statsd otherwise. 0: as long as it needs. */
  readonly spreadMs: number
  readonly clock: Clock
  readonly send: (packet: string) => void
}

/**
 * Sends the packets of one push by a schedule: at any time, those that are due by then have gone. Timers that are late
 * do not add up.
 */
export class Push {
  /** Resolves when the last packet was sent, or with {@link cancel}. */
  readonly done: Promise<void>
  readonly #options: PushOptions
  readonly #startedAtMs: number
  #end: () => void = () => {}
  #next: Packet | null
  #sentLineCount = 0
  #timer: TimerHandle | null = null
  #isHurried = false
  #hasEnded = false

  constructor(options: PushOptions) {
    this.#options = options
    this.#startedAtMs = options.clock.monotonicMs()
    this.done = new Promise((resolve) => {
      this.#end = resolve
    })
    this.#next = this.#takeNext()
    this.#sendDue()
  }

  /** What is left goes out now, as fast as turns allow. */
  hurry(): void {
    if (this.#isHurried) return
    this.#isHurried = true
    // Without a timer the rest waits for the next turn already.
    if (this.#timer === null) return
    this.#timer.cancel()
    this.#sendDue()
  }

  /** What is left is not sent. */
  cancel(): void {
    this.#timer?.cancel()
    this.#hasEnded = true
    this.#end()
  }

  #sendDue(): void {
    this.#timer = null
    const { clock, send } = this.#options
    for (let sentCount = 0; sentCount < PACKETS_PER_TURN; sentCount++) {
      if (this.#hasEnded) return
      const packet = this.#next
      if (packet === null) {
        this.cancel()
        return
      }
      const waitMs = this.#isHurried ? 0 : this.#dueMs - clock.monotonicMs()
      if (waitMs > 0) {
        this.#timer = clock.setTimer(waitMs, () => this.#sendDue())
        return
      }
      send(packet.text)
      this.#sentLineCount += packet.lineCount
      this.#next = this.#takeNext()
    }
    clock.inNextTurn(() => this.#sendDue())
  }

  get #dueMs(): number {
    const { lineCount, spreadMs } = this.#options
    return this.#startedAtMs + (this.#sentLineCount / lineCount) * spreadMs
  }

  #takeNext(): Packet | null {
    const next = this.#options.packets.next()
    return next.done ? null : next.value
  }
}
