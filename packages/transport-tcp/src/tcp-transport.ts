import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import {
  type Broker,
  type ListenAddress,
  type ListenTarget,
  type Logger,
  listenError,
  parseListenAddress,
  type Transport,
} from '@spillway/core'
import { SessionContext } from '@spillway/protocol'
import type { TlsCredentials, TlsOptions } from '@spillway/tls'
import { TcpConnection } from './tcp-connection.js'
import { Upgrades } from './upgrades.js'

/** Connections waiting to be accepted; more than Node's default, for clients that reconnect all at once. */
const BACKLOG_MAX = 1024
/** Refused connections are logged once in a while, with their number. */
const REFUSED_LOG_INTERVAL_MS = 10_000
/** Draining that takes longer than this is worth a line in the log. */
const DRAIN_QUIET_MS = 1_000

export interface TcpTransportOptions {
  /** `host:port`, `:port`, or the path of a Unix socket. */
  readonly address: string
  /** Connections beyond this number are closed at once; 0 is unlimited. */
  readonly connectionsMax: number
  /** Without it no connection can be encrypted. */
  readonly tls?: TlsOptions
  /**
   * Clients must have their connection encrypted before anything but IDENTIFY; so they must, whatever this says, where
   * `tls` asks them for a certificate.
   */
  readonly tlsRequired: boolean
  /** Whether clients may have their connection compressed. */
  readonly snappy: boolean
  readonly deflate: boolean
}

/** V2 over TCP and Unix sockets. */
export class TcpTransport implements Transport {
  readonly #options: TcpTransportOptions
  readonly #basePath: string
  readonly #logger: Logger
  readonly #connections = new Set<TcpConnection>()
  readonly #credentials: TlsCredentials | null
  readonly #upgrades: Upgrades
  #server: Server | null = null
  #context: SessionContext | null = null
  #addresses: readonly ListenAddress[] = []
  #refusedCount = 0
  #isRefusalLogged = false

  /**
   * @param basePath - where a relative path of a Unix socket begins
   * @param credentials - of `options.tls`
   */
  constructor(options: TcpTransportOptions, logger: Logger, basePath: string, credentials: TlsCredentials | null) {
    this.#options = options
    this.#basePath = basePath
    this.#logger = logger
    this.#credentials = credentials
    this.#upgrades = new Upgrades(options, credentials, logger)
  }

  get addresses(): readonly ListenAddress[] {
    return this.#addresses
  }

  /** Connections that were closed at once because there were too many. */
  get refusedCount(): number {
    return this.#refusedCount
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  async start(broker: Broker): Promise<void> {
    const target = parseListenAddress(this.#options.address, this.#basePath)
    await this.#credentials?.load()
    // As in nsqd: a client could get round showing its certificate by doing without TLS.
    const requiresTls = this.#options.tlsRequired || this.#credentials?.requestCert === true
    this.#context = new SessionContext(broker, { requiresTls })
    // A half-closed peer still gets the answers to what it asked.
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true })
    if (this.#options.connectionsMax > 0) server.maxConnections = this.#options.connectionsMax
    server.on('connection', (socket) => this.#accept(socket))
    server.on('drop', () => this.#refused())
    await this.#listen(server, target)
    server.on('error', (error) => this.#logger.error('accepting connections failed', { error: error.message }))
    this.#server = server
    this.#addresses = [addressOf(server, target)]
  }

  async drain(timeoutMs: number): Promise<void> {
    this.#server?.close()
    if (this.#context === null) return
    const { clock } = this.#context.broker
    let unansweredCount = this.#connections.size
    const log = (message: string): void => this.#logger.info(message, { connectionCount: unansweredCount })
    // Each goes as soon as it is answered: one that does not read its answers holds up nobody but the stop.
    const answered = Promise.all(
      Array.from(this.#connections, async (connection) => {
        await connection.session.drain()
        connection.end()
        unansweredCount--
      }),
    )
    const quietTimer = clock.setTimer(DRAIN_QUIET_MS, () => log('TCP: waiting for connections to take their answers'))
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(timeoutMs, () => {
        log('TCP: connections that have not taken their answers are cut off')
        resolve()
      })
      void answered.then(() => {
        timer.cancel()
        resolve()
      })
    })
    quietTimer.cancel()
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = null
    this.#addresses = []
    if (server === null) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const connection of this.#connections) connection.destroy()
    await closed
  }

  async #listen(server: Server, target: ListenTarget): Promise<void> {
    const listening = once(server, 'listening')
    server.listen({ ...target, backlog: BACKLOG_MAX })
    await listening.catch((error: Error) => {
      throw listenError(this.#options.address, error)
    })
  }

  #accept(socket: Socket): void {
    const context = this.#context as SessionContext
    const connection = new TcpConnection(socket, context, this.#upgrades, this.#logger, (gone) => {
      this.#connections.delete(gone)
    })
    this.#connections.add(connection)
  }

  #refused(): void {
    this.#refusedCount++
    if (this.#isRefusalLogged) return
    this.#isRefusalLogged = true
    const { connectionsMax } = this.#options
    this.#logger.warn('too many connections', { connectionsMax, refusedCount: this.#refusedCount })
    this.#context?.broker.clock.setTimer(REFUSED_LOG_INTERVAL_MS, () => {
      this.#isRefusalLogged = false
    })
  }
}

function addressOf(server: Server, target: ListenTarget): ListenAddress {
  if ('path' in target) return { protocol: 'tcp', address: target.path, port: -1 }
  const { address, port } = server.address() as AddressInfo
  return { protocol: 'tcp', address, port }
}
