import type { Broker } from './contracts/broker.js'
import type { Clock, TimerHandle } from './contracts/clock.js'
import type { Logger } from './contracts/logger.js'
import { BrokerError } from './errors.js'

/** So many refusals have a line of their own within a window; the others are counted. */
const LINES_MAX = 10
const WINDOW_MS = 10_000
/** Reasons may quote what a client has sent. */
const REASON_LENGTH_MAX = 200

/**
 * Tells which clients were refused, and why: address, code, reason. Whoever is refused tries again at once and for ever, so the
 * first {@link LINES_MAX} of a window are told one by one, and the rest as a number when the window ends.
 */
export class RefusalLog {
  readonly #clock: Clock
  readonly #logger: Logger
  #window: TimerHandle | null = null
  #countInWindow = 0

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
  }

  /** @param peer - `ip:port`; `@` on a Unix socket */
  note(peer: string, code: string, reason: string): void {
    this.#window ??= this.#clock.setTimer(WINDOW_MS, () => this.#windowEnded())
    this.#countInWindow++
    if (this.#countInWindow > LINES_MAX) return
    const isLong = reason.length > REASON_LENGTH_MAX
    const shown = isLong ? `${reason.slice(0, REASON_LENGTH_MAX)}…` : reason
    this.#logger.warn('client refused', { peer, code, reason: shown })
  }

  /** The same for an error: what caused it is told to the log, where the client may learn less. */
  noteError(peer: string, error: BrokerError): void {
    const { code, detail, cause } = error
    const why = cause instanceof BrokerError ? cause.detail : cause instanceof Error ? cause.message : ''
    this.note(peer, code, detail.includes(why) ? detail : `${detail}: ${why}`)
  }

  #windowEnded(): void {
    const untoldCount = this.#countInWindow - LINES_MAX
    this.#window = null
    this.#countInWindow = 0
    if (untoldCount > 0) this.#logger.warn('more clients refused', { count: untoldCount, seconds: WINDOW_MS / 1000 })
  }
}

const logs = new WeakMap<object, RefusalLog>()

/** The one log of a node's refusals: its bound is for all listeners together. */
export function refusalsOf(broker: Pick<Broker, 'clock' | 'logger'>): RefusalLog {
  let log = logs.get(broker)
  if (log === undefined) {
    log = new RefusalLog(broker.clock, broker.logger)
    logs.set(broker, log)
  }
  return log
}
