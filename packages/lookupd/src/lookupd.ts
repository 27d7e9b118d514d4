import { hostname } from 'node:os'
import { type Clock, type ListenAddress, type Logger, NSQ_VERSION, RefusalLog } from '@spillway/core'
import { HttpListener, Router, toGoJson } from '@spillway/http'
import { changeRoutes } from './http/change-routes.js'
import { lookRoutes } from './http/look-routes.js'
import type { Exchange, LookupdHttpNode } from './http/node.js'
import { defaultOptions, type LookupdOptions } from './options.js'
import { TcpListener } from './protocol/tcp-listener.js'
import { KeptRegistrations } from './registrations/kept-registrations.js'
import { RegistrationDatabase } from './registrations/registration-database.js'

export interface LookupdParts {
  readonly clock: Clock
  readonly logger: Logger
}

/** HTTP clients of nsqlookupd are consumers and people. */
const HTTP_LIMITS = {
  connectionCountMax: 10_000,
  keepAliveTimeoutMs: 75_000,
  requestTimeoutMs: 60_000,
  headerSizeBytesMax: 16_384,
}

/**
 * NSQ's directory service: nsqds tell it over TCP which topics and channels they have, consumers ask it over HTTP.
 *
 * ```
 *   const lookupd = new Lookupd({ tcpAddress: '127.0.0.1:4160', httpAddress: '127.0.0.1:4161' }, { clock, logger })
 *   await lookupd.start()
 * ```
 */
export class Lookupd {
  readonly options: LookupdOptions
  readonly #logger: Logger
  readonly #kept: KeptRegistrations | null
  readonly #database: RegistrationDatabase
  readonly #tcp: TcpListener
  readonly #http: HttpListener<LookupdHttpNode>
  #tcpAddress: ListenAddress | null = null
  #httpAddress: ListenAddress | null = null

  constructor(options: Partial<LookupdOptions>, { clock, logger }: LookupdParts) {
    const all = { ...defaultOptions(), ...options }
    const kept = all.dataPath === '' ? null : new KeptRegistrations(all.dataPath, clock, logger)
    const database = new RegistrationDatabase({
      clock,
      countMax: all.registrationCountMax,
      onChange: () => kept?.changed(),
    })
    const refusals = new RefusalLog(clock, logger)
    const service = { database, clock, logger, refusals, describe: () => this.#describe() }
    this.options = all
    this.#logger = logger
    this.#kept = kept
    this.#database = database
    this.#tcp = new TcpListener(service, all.tcpConnectionCountMax)
    this.#http = new HttpListener(
      new Router<Exchange>([...lookRoutes, ...changeRoutes]),
      { ...all, database, logger, refusals },
      clock,
      HTTP_LIMITS,
    )
  }

  /** Where nsqds register; null before the start. */
  get tcpAddress(): ListenAddress | null {
    return this.#tcpAddress
  }

  /** Where everybody asks; null before the start. */
  get httpAddress(): ListenAddress | null {
    return this.#httpAddress
  }

  /** @throws BrokerError `E_LISTEN`; `E_STORAGE_IO` for a data path that cannot be used, `E_STORAGE_LOCKED` for one that another process uses. Nothing is left open then */
  async start(): Promise<void> {
    try {
      await this.#kept?.load(this.#database)
      // An nsqd is told of both addresses as soon as it has said who it is.
      this.#httpAddress = await this.#http.start(this.options.httpAddress, process.cwd())
      this.#tcpAddress = await this.#tcp.start(this.options.tcpAddress, process.cwd())
    } catch (error) {
      await this.stop()
      throw error
    }
    for (const { protocol, address, port } of [this.#tcpAddress, this.#httpAddress]) {
      const where = port === -1 ? address : `${address.includes(':') ? `[${address}]` : address}:${port}`
      this.#logger.info(`${protocol.toUpperCase()}: listening on ${where}`)
    }
  }

  /** Closes every connection, and writes what is to be kept. Idempotent. */
  async stop(): Promise<void> {
    await Promise.all([this.#tcp.stop(), this.#http.stop()])
    await this.#kept?.close()
  }

  #describe(): string {
    return toGoJson({
      broadcast_address: this.options.broadcastAddress,
      hostname: hostname(),
      http_port: this.#httpAddress?.port ?? 0,
      tcp_port: this.#tcpAddress?.port ?? 0,
      version: NSQ_VERSION,
    })
  }
}
