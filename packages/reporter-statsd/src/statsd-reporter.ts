import { lookup as lookUp } from 'node:dns/promises'
import { type Broker, type Clock, type Logger, ProcessMemory, type Reporter, type TimerHandle } from '@spillway/core'
import { Destination, type Lookup } from './destination.js'
import { metricCountOf, metricsOf, type Snapshot } from './metrics.js'
import type { StatsdOptions } from './options.js'
import { packetsOf } from './packets.js'
import { Push } from './push.js'

/** Packets of one push go out over this much less than the interval, so that the next push finds them gone. */
const SPREAD_MARGIN_MS = 1_000
/** How long the last numbers may hold up the stop of the node. */
const LAST_PUSH_MS_MAX = 1_000

/** Pushes to statsd every so often, one push at a time. */
export class StatsdReporter implements Reporter {
  readonly #options: StatsdOptions
  readonly #clock: Clock
  readonly #destination: Destination
  readonly #memory = new ProcessMemory()
  #broker: Broker | null = null
  #timer: TimerHandle | null = null
  /** What was told last. */
  #told: Snapshot | null = null
  #push: Push | null = null
  /** Ends with the push under way, or with the one that waits for its end. Never rejects. */
  #pushes: Promise<void> = Promise.resolve()
  #isNextWaiting = false
  #isStopping = false
  #hasStopped = false
  #stopping: Promise<void> | null = null

  /** @throws BrokerError `E_INVALID_OPTION` */
  constructor(options: StatsdOptions, clock: Clock, logger: Logger, lookup: Lookup = lookUp) {
    this.#options = options
    this.#clock = clock
    this.#destination = new Destination(options.address, lookup, logger)
  }

  start(broker: Broker): void {
    this.#broker = broker
    this.#memory.start()
    // A host that is not found is told at once; one that is may be told the last numbers, however soon they come.
    this.#pushes = this.#destination.find().then(() => {})
    this.#arm()
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#isStopping = true
    if (this.#broker !== null) {
      this.#timer?.cancel()
      await this.#atMost(LAST_PUSH_MS_MAX, this.#pushNext())
      this.#memory.stop()
    }
    this.#hasStopped = true
    this.#push?.cancel()
    await this.#destination.close()
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(this.#options.intervalMs, () => {
      this.#arm()
      void this.#pushNext()
    })
  }

  /**
   * Pushes after what is left of the push before: its counters are not told again. Where that takes longer than the
   * interval, one push stands for all that would have been made meanwhile.
   */
  #pushNext(): Promise<void> {
    this.#push?.hurry()
    if (!this.#isNextWaiting) {
      this.#isNextWaiting = true
      this.#pushes = this.#pushes.then(() => {
        this.#isNextWaiting = false
        return this.#pushNow()
      })
    }
    return this.#pushes
  }

  /** Where statsd is not found, nothing is told: the next push tells it. */
  async #pushNow(): Promise<void> {
    if (this.#hasStopped) return
    const destination = this.#destination
    // At the end, the last answer must do: the name server may be gone as well, and the process cannot exit before it answers.
    const isFound = this.#isStopping ? destination.isFound : await destination.find()
    if (!isFound) return
    const { intervalMs, packetSizeBytes, excludeEphemeral, prefix } = this.#options
    const broker = this.#broker as Broker
    const now = this.#snapshot(broker)
    this.#push = new Push({
      packets: packetsOf(metricsOf(now, this.#told, excludeEphemeral), prefixFor(broker, prefix), packetSizeBytes),
      lineCount: metricCountOf(now, excludeEphemeral),
      spreadMs: this.#isStopping ? 0 : Math.max(0, intervalMs - SPREAD_MARGIN_MS),
      clock: this.#clock,
      send: (packet) => destination.send(packet),
    })
    this.#told = now
    await this.#push.done
    this.#push = null
    await destination.flushed()
  }

  #snapshot(broker: Broker): Snapshot {
    return {
      stats: broker.stats({ includeClients: false }),
      memory: this.#options.memStats ? this.#memory.stats() : null,
    }
  }

  async #atMost(timeoutMs: number, work: Promise<void>): Promise<void> {
    let timer: TimerHandle | null = null
    const timeout = new Promise<void>((resolve) => {
      timer = this.#clock.setTimer(timeoutMs, resolve)
    })
    await Promise.race([work, timeout])
    ;(timer as TimerHandle | null)?.cancel()
  }
}

/** As nsqd makes it: dots and colons of the node's address are taken for separators otherwise. */
function prefixFor({ options, addresses }: Broker, prefix: string): string {
  const httpPort = options.broadcastHttpPort || (addresses.find(({ protocol }) => protocol === 'http')?.port ?? 0)
  const node = `${options.broadcastAddress}:${Math.max(0, httpPort)}`.replace(/[.:]/g, '_')
  const named = prefix.replaceAll('%s', node)
  return named === '' || named.endsWith('.') ? named : `${named}.`
}
