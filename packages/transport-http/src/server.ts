import { createServer, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Broker, BrokerError, type ListenAddress, ProcessMemory, refusalsOf, type Transport } from '@spillway/core'
import { boundAddressOf, HttpError, listen, Router, refuseConnection } from '@spillway/http'
import { hasCertificate, type TlsCredentials } from '@spillway/tls'
import { HttpAuthorization } from './authorization.js'
import { abandonBody } from './body-reader.js'
import { Connections } from './connections.js'
import { type BrokerNode, Exchange } from './exchange.js'
import { addFastPath } from './fast-path/index.js'
import { RawAnswers } from './fast-path/raw-answers.js'
import { Handshakes } from './handshakes.js'
import { noteRefusal } from './note-refusal.js'
import type { HttpTransportOptions } from './options.js'
import { HttpRequest } from './request.js'
import { DEBUG_ROUTES, ROUTES } from './routes/index.js'
import { type Route, runPermitted } from './routes/route.js'

/** How often connections are looked through for those that take too long. */
const CHECK_INTERVAL_MS = 5_000
/** Draining that takes longer than this is worth a line in the log. */
const DRAIN_QUIET_MS = 1_000
/** A handshake that takes longer has failed. */
const HANDSHAKE_MS_MAX = 5_000
/** The fast path waits no longer than this for what a client has begun. */
const PATIENCE_MS_MAX = 1_000

/** nsqd's HTTP API on one address. */
export class HttpTransport implements Transport {
  readonly #options: HttpTransportOptions
  readonly #basePath: string
  readonly #connections = new Connections()
  readonly #handshakes = new Handshakes()
  readonly #memory = new ProcessMemory()
  readonly #router: Router<Exchange, Route>
  readonly #credentials: TlsCredentials | null
  #server: Server | null = null
  #broker: Broker | null = null
  #addresses: readonly ListenAddress[] = []
  #closed: Promise<void> | null = null

  /**
   * @param basePath - where a relative path of a Unix socket starts
   * @param credentials - of `options.tls`
   */
  constructor(options: HttpTransportOptions, basePath: string, credentials: TlsCredentials | null = null) {
    this.#options = options
    this.#basePath = basePath
    this.#credentials = credentials
    this.#router = new Router(options.debug ? [...ROUTES, ...DEBUG_ROUTES] : ROUTES, runPermitted)
  }

  get addresses(): readonly ListenAddress[] {
    return this.#addresses
  }

  async start(broker: Broker): Promise<void> {
    const authorization = this.#authorizationFor(broker)
    const server = await this.#createServer({
      broker,
      logger: broker.logger,
      refusals: refusalsOf(broker),
      connections: this.#connections,
      memory: this.#memory,
      authorization,
      metricsDetail: this.#options.metricsDetail,
    })
    await listen(server, this.#options.address, this.#basePath)
    // For example when there are no file descriptors left. Those who are connected stay so.
    server.on('error', (error) => broker.logger.error('HTTP connection not accepted', { error: error.message }))
    this.#memory.start()
    this.#server = server
    this.#broker = broker
    this.#addresses = [boundAddressOf(server, this.#credentials === null ? 'http' : 'https')]
  }

  /** Reads certificates again. Connections that there are go on with the old ones. @throws BrokerError when they cannot be used; the old ones stay */
  async reload(): Promise<void> {
    await this.#credentials?.load()
    if (this.#server !== null && 'setSecureContext' in this.#server) {
      ;(this.#server as HttpsServer).setSecureContext(this.#credentials?.contextOptions ?? {})
    }
  }

  async drain(timeoutMs: number): Promise<void> {
    if (this.#broker === null) return
    const { clock, logger } = this.#broker
    const closed = this.#close()
    this.#handshakes.destroy()
    this.#connections.drain()
    const log = (message: string): void => logger.info(message, { connectionCount: this.#connections.count })
    const quietTimer = clock.setTimer(DRAIN_QUIET_MS, () =>
      log('HTTP: waiting for connections with unanswered requests'),
    )
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(timeoutMs, () => {
        log('HTTP: connections with unanswered requests are cut off')
        resolve()
      })
      closed.then(() => {
        timer.cancel()
        resolve()
      })
    })
    quietTimer.cancel()
  }

  async stop(): Promise<void> {
    const closed = this.#close()
    this.#handshakes.destroy()
    this.#connections.destroy()
    await closed
    this.#memory.stop()
    this.#addresses = []
  }

  /** Stops listening, once; resolves when the last connection has gone. */
  #close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      if (this.#server === null) resolve()
      else this.#server.close(() => resolve())
    })
    return this.#closed
  }

  async #createServer(node: BrokerNode): Promise<Server> {
    const { connectionCountMax, keepAliveTimeoutMs, headersTimeoutMs, requestTimeoutMs, headerSizeBytesMax } =
      this.#options
    const timeoutsMs = this.#timeoutsMs
    const options = {
      IncomingMessage: HttpRequest,
      keepAliveTimeout: keepAliveTimeoutMs,
      // The head is part of the request; node:http insists on it.
      headersTimeout: headersTimeoutMs === 0 ? 0 : Math.min(...timeoutsMs),
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(...timeoutsMs, CHECK_INTERVAL_MS),
      maxHeaderSize: headerSizeBytesMax,
      // It is missed here, since node:http says nothing about it to the client.
      requireHostHeader: false,
    }
    const { server, connected } = await this.#listenerFor(options)
    // A client may close its half after its last request, and still gets its answers.
    Object.assign(server, { httpAllowHalfOpen: true })
    if (connectionCountMax > 0) server.maxConnections = connectionCountMax
    const isFast = this.#mayBeFast(node) && this.#addFastPath(server, node)
    if (!isFast) server.on(connected, (socket: Socket) => this.#connections.opened(socket))
    server.on('request', (request: HttpRequest, response) => this.#handle(node, request, response, false))
    server.on('checkContinue', (request: HttpRequest, response) => this.#handle(node, request, response, true))
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => this.#refuse(node.broker, error, socket))
    return server
  }

  /** How long a client may take, where that is limited. */
  get #timeoutsMs(): number[] {
    const { headersTimeoutMs, requestTimeoutMs } = this.#options
    return [headersTimeoutMs, requestTimeoutMs].filter((timeoutMs) => timeoutMs > 0)
  }

  /** Where a request needs no more than to be understood. */
  #mayBeFast({ authorization }: BrokerNode): boolean {
    const { fastPublish, tlsRequired } = this.#options
    return fastPublish && !tlsRequired && authorization === null && this.#credentials === null
  }

  #addFastPath(server: Server, { broker, connections }: BrokerNode): boolean {
    const { headerSizeBytesMax, keepAliveTimeoutMs } = this.#options
    return addFastPath(server, {
      broker,
      connections,
      answers: new RawAnswers(broker.clock, keepAliveTimeoutMs),
      headerSizeBytesMax,
      keepAliveTimeoutMs,
      patienceMs: Math.min(PATIENCE_MS_MAX, ...this.#timeoutsMs),
    })
  }

  /** @throws BrokerError `E_INVALID_OPTION` */
  #authorizationFor({ authenticator, clock, logger }: Broker): HttpAuthorization | null {
    const { authenticate, address } = this.#options
    if (authenticate) {
      if (authenticator !== null) return new HttpAuthorization(authenticator, clock)
      throw new BrokerError('E_INVALID_OPTION', `transport-http: authenticate is set, and there is no authenticator`)
    }
    if (authenticator !== null) logger.warn(`HTTP: clients of ${address} need not authenticate (see \`authenticate\`)`)
    return null
  }

  /** A server, and the event that tells of a connection that requests may come on. */
  async #listenerFor(options: ServerOptions<typeof HttpRequest>) {
    const credentials = this.#credentials
    if (credentials === null) return { server: createServer(options), connected: 'connection' }
    await credentials.load()
    const { createServer: createHttpsServer } = await import('node:https') // only where it is needed
    const server: Server = createHttpsServer({
      ...options,
      ...credentials.contextOptions,
      requestCert: credentials.requestCert,
      rejectUnauthorized: credentials.verifiesClients,
      handshakeTimeout: HANDSHAKE_MS_MAX,
    })
    this.#handshakes.watch(server)
    if (credentials.requestCert) server.on('secureConnection', destroyWithoutCertificate)
    return { server, connected: 'secureConnection' }
  }

  #handle(node: BrokerNode, request: HttpRequest, response: ServerResponse, isContinueExpected: boolean): void {
    this.#connections.requestBegan(request, response)
    const exchange = new Exchange(node, request, response, isContinueExpected)
    request.exchange = exchange
    if (exchange.lacksHost) {
      exchange.sendBadRequest('400 Bad Request: the Host header is missing')
    } else if (this.#options.tlsRequired) {
      exchange.sendJson(403, `{"message": "TLS_REQUIRED", "https_port": ${httpsPortOf(node.broker)}}`)
    } else if (this.#connections.isDraining) {
      exchange.fail(new HttpError(503, 'EXITING'))
    } else {
      this.#router.route(exchange)
    }
  }

  /** The client sent what is not HTTP, or took too long, or has gone. What it asked before that is answered. */
  #refuse(broker: Broker, error: NodeJS.ErrnoException, socket: Socket): void {
    const { code = '' } = error
    if (!this.#connections.has(socket)) {
      // It is in the middle of a handshake: nothing can be said to it.
      if (this.#credentials !== null) noteRefusal(broker, socket, 'TLS handshake', 'TLS_FAILED', error.message)
      socket.destroy()
      return
    }
    // It took too long because the node does not read from it at the moment.
    if (code === 'ERR_HTTP_REQUEST_TIMEOUT' && this.#connections.isHeld(socket)) return
    if (!socket.writable) {
      socket.destroy()
      return
    }
    const isBusy = this.#connections.endAfterAnswers(socket)
    const request = this.#connections.requestBeingRead(socket)
    if (request !== null) abandonBody(request, bodyFailureOf(code))
    if (!isBusy) refuseConnection(socket, code)
  }
}

/** Node's servers do not insist on a certificate that they do not verify. */
function destroyWithoutCertificate(socket: TLSSocket): void {
  if (!hasCertificate(socket)) socket.destroy()
}

/** 0 when nobody listens there. */
function httpsPortOf(broker: Broker): number {
  return broker.addresses.find(({ protocol }) => protocol === 'https')?.port ?? 0
}

/** How a request is refused whose body does not come. */
function bodyFailureOf(code: string): HttpError {
  return code === 'ERR_HTTP_REQUEST_TIMEOUT'
    ? new HttpError(408, 'REQUEST_TIMEOUT')
    : new HttpError(500, 'INTERNAL_ERROR')
}
