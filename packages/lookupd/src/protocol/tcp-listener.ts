import { createServer, type Server, type Socket } from 'node:net'
import { type ListenAddress, peerAddressOf } from '@spillway/core'
import { boundAddressOf, listen } from '@spillway/http'
import { type V1Service, V1Session } from './v1-session.js'

/** After everything was said, the peer may read it for so long before the connection is cut. */
const LINGER_MS = 1_000
/** The system looks after a silent peer this often: one that lost its power says no goodbye. */
const KEEP_ALIVE_MS = 15_000
/** Connections beyond the limit are logged once in a while, with their number. */
const REFUSED_LOG_INTERVAL_MS = 10_000

/** V1 over TCP and Unix sockets. */
export class TcpListener {
  readonly #server: Server
  readonly #service: V1Service
  readonly #sockets = new Set<Socket>()
  #isListening = false
  #refusedCount = 0

  constructor(service: V1Service, connectionCountMax: number) {
    this.#service = service
    // A half-closed peer still gets the answers to what it asked.
    this.#server = createServer({
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    })
    this.#server.maxConnections = connectionCountMax
    this.#server.on('connection', (socket) => this.#accept(socket))
    this.#server.on('drop', () => this.#refused())
  }

  /** @throws BrokerError `E_LISTEN` */
  async start(address: string, basePath: string): Promise<ListenAddress> {
    await listen(this.#server, address, basePath)
    this.#isListening = true
    const { logger } = this.#service
    this.#server.on('error', (error) => logger.error('TCP connection not accepted', { error: error.message }))
    return boundAddressOf(this.#server, 'tcp')
  }

  /** Closes every connection: what was answered is sent, for a second at most. Idempotent. */
  async stop(): Promise<void> {
    if (!this.#isListening) return
    this.#isListening = false
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroySoon()
    const timer = this.#service.clock.setTimer(LINGER_MS, () => {
      for (const socket of this.#sockets) socket.destroy()
    })
    await closed
    timer.cancel()
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    let isEnded = false
    const end = (): void => {
      if (isEnded) return
      isEnded = true
      socket.end()
      const timer = this.#service.clock.setTimer(LINGER_MS, () => socket.destroy())
      socket.on('close', () => timer.cancel())
      socket.resume() // so that an end of the peer's is seen
    }
    const session = new V1Session(this.#service, { write: (bytes) => socket.write(bytes), end }, peerAddressOf(socket))
    socket.on('data', (part) => {
      session.read(part)
      // Whoever does not take its answers is not read from: they pile up at most by those to one read.
      if (socket.writableNeedDrain && !isEnded) socket.pause()
    })
    socket.on('drain', () => socket.resume())
    socket.on('end', () => session.readEnd())
    socket.on('error', () => {}) // it is closed then, which is all that there is to do
    socket.on('close', () => {
      this.#sockets.delete(socket)
      session.closed()
    })
  }

  #refused(): void {
    const { clock, logger } = this.#service
    if (this.#refusedCount++ > 0) return
    clock.setTimer(REFUSED_LOG_INTERVAL_MS, () => {
      const max = this.#server.maxConnections
      logger.warn(`connections of nsqds closed at once: there are ${max} already`, { count: this.#refusedCount })
      this.#refusedCount = 0
    })
  }
}
