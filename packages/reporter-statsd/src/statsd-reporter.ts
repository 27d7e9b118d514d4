import { createSocket, type Socket } from 'node:dgram'
import { type Broker, type Clock, type Logger, ProcessMemory, type Reporter, type TimerHandle } from '@spillway/core'
import { type Counted, metricsOf } from './metrics.js'
import type { StatsdOptions } from './options.js'
import { packetsOf } from './packets.js'

/** Packets of one push go out over this much less than the interval, so that the next push finds them gone. */
const SPREAD_MARGIN_MS = 1_000

/** Pushes to statsd every so often. A daemon that is not there is logged once, and costs nothing else. */
export class StatsdReporter implements Reporter {
  readonly #options: StatsdOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #memory = new ProcessMemory()
  readonly #counted: Counted = new Map()
  #broker: Broker | null = null
  #socket: Socket | null = null
  #timer: TimerHandle | null = null
  #sendTimer: TimerHandle | null = null
  #hasFailed = false

  constructor(options: StatsdOptions, clock: Clock, logger: Logger) {
    this.#options = options
    this.#clock = clock
    this.#logger = logger
  }

  start(broker: Broker): void {
    this.#broker = broker
    this.#memory.start()
    const socket = createSocket(this.#options.address.startsWith('[') ? 'udp6' : 'udp4')
    socket.on('error', (error) => this.#failed(error))
    socket.unref()
    this.#socket = socket
    this.#arm()
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    this.#sendTimer?.cancel()
    const socket = this.#socket
    if (socket === null) return
    this.#socket = null
    this.#memory.stop()
    // The last numbers of this life, at once.
    await Promise.all(Array.from(this.#packets(), (packet) => this.#send(socket, packet)))
    await new Promise<void>((resolve) => socket.close(() => resolve()))
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(this.#options.intervalMs, () => {
      this.#arm()
      this.#push()
    })
  }

  #push(): void {
    this.#sendTimer?.cancel()
    const packets = [...this.#packets()]
    const spreadMs = Math.max(0, this.#options.intervalMs - SPREAD_MARGIN_MS)
    const pauseMs = spreadMs / packets.length
    const sendNext = (): void => {
      const packet = packets.shift()
      if (packet === undefined || this.#socket === null) return
      void this.#send(this.#socket, packet)
      if (pauseMs === 0) sendNext()
      else this.#sendTimer = this.#clock.setTimer(pauseMs, sendNext)
    }
    sendNext()
  }

  #packets(): Iterable<string> {
    const broker = this.#broker as Broker
    const { memStats, packetSizeBytes, excludeEphemeral, prefix } = this.#options
    const stats = broker.stats({ includeClients: false })
    const memory = memStats ? this.#memory.stats() : null
    const metrics = metricsOf(stats, memory, this.#counted, excludeEphemeral)
    return packetsOf(metrics, prefixFor(broker, prefix), packetSizeBytes)
  }

  #send(socket: Socket, packet: string): Promise<void> {
    const { address } = this.#options
    const colon = address.lastIndexOf(':')
    const host = address.slice(0, colon).replace(/^\[|\]$/g, '')
    return new Promise((resolve) => {
      socket.send(packet, Number(address.slice(colon + 1)), host, (error) => {
        if (error !== null) this.#failed(error)
        else this.#hasFailed = false
        resolve()
      })
    })
  }

  #failed(error: Error): void {
    if (!this.#hasFailed) this.#logger.error(`statsd at ${this.#options.address} failed`, { error: error.message })
    this.#hasFailed = true
  }
}

/** As nsqd makes it: dots and colons of the node's address are taken for separators otherwise. */
function prefixFor({ options, addresses }: Broker, prefix: string): string {
  const httpPort = options.broadcastHttpPort || (addresses.find(({ protocol }) => protocol === 'http')?.port ?? 0)
  const node = `${options.broadcastAddress}:${Math.max(0, httpPort)}`.replace(/[.:]/g, '_')
  const named = prefix.replaceAll('%s', node)
  return named === '' || named.endsWith('.') ? named : `${named}.`
}
