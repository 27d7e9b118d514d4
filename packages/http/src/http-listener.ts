import { createServer, IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock, ListenAddress } from '@spillway/core'
import { HttpExchange, type HttpNode } from './exchange.js'
import { boundAddressOf, listen } from './listen.js'
import { refuseConnection } from './refuse-connection.js'
import type { Router } from './router.js'

export interface HttpLimits {
  /** Open connections; a client beyond them is disconnected at once. */
  readonly connectionCountMax: number
  /** How long a connection may be idle between two requests. */
  readonly keepAliveTimeoutMs: number
  /** How long a client may take to send a request, with its body; and for how long it may take nothing of an answer. */
  readonly requestTimeoutMs: number
  /** Request line and headers together. */
  readonly headerSizeBytesMax: number
}

/** How often connections are looked through for those that take too long. */
const CHECK_INTERVAL_MS = 5_000
/** Answers that are not taken within this time of a stop are cut off. */
const STOP_MS_MAX = 1_000

/** An HTTP API on one address, for services that read no request bodies: what comes of one is thrown away. */
export class HttpListener<Node extends HttpNode> {
  readonly #server: Server
  readonly #node: Node
  readonly #clock: Clock
  readonly #router: Router<HttpExchange<Node>>
  /** How many requests of each open connection have no answer yet. */
  readonly #unansweredCounts = new Map<Socket, number>()
  /** One listener for all responses; its `this` is the response. */
  readonly #onAnswered: (this: ServerResponse) => void
  #isListening = false
  #isStopping = false

  constructor(router: Router<HttpExchange<Node>>, node: Node, clock: Clock, limits: HttpLimits) {
    this.#node = node
    this.#clock = clock
    this.#router = router
    const answered = (socket: Socket): void => this.#answered(socket)
    this.#onAnswered = function () {
      answered(this.req.socket)
    }
    this.#server = this.#createServer(limits)
  }

  /** @throws BrokerError `E_LISTEN` */
  async start(address: string, basePath: string): Promise<ListenAddress> {
    await listen(this.#server, address, basePath)
    this.#isListening = true
    // For example when there are no file descriptors left. Those who are connected stay so.
    this.#server.on('error', (error) =>
      this.#node.logger.error('HTTP connection not accepted', { error: error.message }),
    )
    return boundAddressOf(this.#server, 'http')
  }

  /** Ends every connection once its requests are answered. Idempotent. */
  async stop(): Promise<void> {
    if (!this.#isListening) return
    this.#isListening = false
    this.#isStopping = true
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const [socket, count] of this.#unansweredCounts) if (count === 0) socket.destroySoon()
    const timer = this.#clock.setTimer(STOP_MS_MAX, () => {
      for (const socket of this.#unansweredCounts.keys()) socket.destroy()
    })
    await closed
    timer.cancel()
  }

  #createServer(limits: HttpLimits): Server {
    const server = createServer({
      IncomingMessage,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      headersTimeout: limits.requestTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(limits.requestTimeoutMs, CHECK_INTERVAL_MS),
      maxHeaderSize: limits.headerSizeBytesMax,
      requireHostHeader: false, // it is missed here, with a word to the client
    })
    server.timeout = limits.requestTimeoutMs
    server.maxConnections = limits.connectionCountMax
    server.on('connection', (socket: Socket) => {
      this.#unansweredCounts.set(socket, 0)
      socket.on('close', () => this.#unansweredCounts.delete(socket))
    })
    server.on('request', (request, response) => this.#handle(request, response))
    server.on('clientError', ({ code = '' }: NodeJS.ErrnoException, socket: Socket) => {
      if (socket.writable) refuseConnection(socket, code)
      else socket.destroy()
    })
    return server
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    this.#unansweredCounts.set(socket, (this.#unansweredCounts.get(socket) ?? 0) + 1)
    response.on('close', this.#onAnswered)
    const exchange = new HttpExchange(this.#node, request, response)
    if (exchange.lacksHost) exchange.sendBadRequest('400 Bad Request: the Host header is missing')
    else this.#router.route(exchange)
  }

  #answered(socket: Socket): void {
    const count = this.#unansweredCounts.get(socket)
    if (count === undefined) return
    this.#unansweredCounts.set(socket, count - 1)
    if (this.#isStopping && count === 1) socket.destroySoon()
  }
}
