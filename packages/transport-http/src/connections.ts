import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { HttpError } from '@spillway/http'
import { abandonBody } from './body-reader.js'
import type { FastConnection } from './fast-path/fast-connection.js'
import type { HttpRequest } from './request.js'

/** What is known of one connection. */
interface Connection {
  /** It began on the fast path, and may still be there. */
  readonly fast: FastConnection | null
  /** Requests that have no answer yet, or whose answer is not handed over to the socket yet. */
  unansweredCount: number
  /** The newest request; the only one whose body may still be on its way. */
  latest: HttpRequest | null
  /** Requests that wait for storage to catch up. While there are any, nothing is read. */
  heldCount: number
  /** It is ended with its last answer. */
  isEnding: boolean
}

/** The open connections. */
export class Connections {
  readonly #connections = new Map<Socket, Connection>()
  readonly #draining = new AbortController()
  /** One listener for all responses; its `this` is the response. */
  readonly #onResponseClose: (this: ServerResponse) => void

  constructor() {
    const answered = (socket: Socket): void => this.answered(socket)
    this.#onResponseClose = function () {
      answered(this.req.socket)
    }
  }

  get isDraining(): boolean {
    return this.#draining.signal.aborted
  }

  /** Aborted when draining begins: for answers that are not ready for long. */
  get draining(): AbortSignal {
    return this.#draining.signal
  }

  /** How many are open. */
  get count(): number {
    return this.#connections.size
  }

  has(socket: Socket): boolean {
    return this.#connections.has(socket)
  }

  opened(socket: Socket, fast: FastConnection | null = null): void {
    const connection: Connection = { fast, unansweredCount: 0, latest: null, heldCount: 0, isEnding: this.isDraining }
    this.#connections.set(socket, connection)
    // Node resumes a socket at the end of each request that it has parsed.
    socket.on('resume', () => {
      if (connection.heldCount > 0) socket.pause()
    })
    socket.on('close', () => this.#connections.delete(socket))
  }

  requestBegan(request: HttpRequest, response: ServerResponse): void {
    const connection = this.#connections.get(request.socket)
    if (connection === undefined) return
    connection.unansweredCount++
    connection.latest = request
    response.on('close', this.#onResponseClose)
  }

  /** A request on the fast path: there is one at a time, and {@link answered} is called for each. */
  publishBegan(socket: Socket): void {
    const connection = this.#connections.get(socket)
    if (connection !== undefined) connection.unansweredCount++
  }

  answered(socket: Socket): void {
    const connection = this.#connections.get(socket)
    if (connection === undefined) return
    connection.unansweredCount--
    if (connection.isEnding && connection.unansweredCount === 0) socket.destroySoon()
  }

  /** Whether the connection ends with its last answer. */
  isEnding(socket: Socket): boolean {
    return this.#connections.get(socket)?.isEnding === true
  }

  /** Whether the connection ends with the answer to this request. */
  isLastAnswer(request: HttpRequest): boolean {
    const connection = this.#connections.get(request.socket)
    // Answers keep the order of the requests, so that of the newest one is the last, whenever it is given.
    return connection?.isEnding === true && connection.latest === request
  }

  /** Stops reading from a connection until {@link letGo} was called as often. */
  hold(socket: Socket): void {
    const connection = this.#connections.get(socket)
    if (connection === undefined) return
    connection.heldCount++
    socket.pause()
  }

  letGo(socket: Socket): void {
    const connection = this.#connections.get(socket)
    if (connection !== undefined && --connection.heldCount === 0) socket.resume()
  }

  /** A held connection is late because of us. */
  isHeld(socket: Socket): boolean {
    return (this.#connections.get(socket)?.heldCount ?? 0) > 0
  }

  /** The request of whose body more is wanted, if there is one. */
  requestBeingRead(socket: Socket): HttpRequest | null {
    const latest = this.#connections.get(socket)?.latest ?? null
    return latest === null || latest.sink === null || latest.complete ? null : latest
  }

  /** Ends a connection once all its requests are answered. @returns false when they are: nothing has been done then. */
  endAfterAnswers(socket: Socket): boolean {
    const connection = this.#connections.get(socket)
    if (connection === undefined || connection.unansweredCount === 0) return false
    connection.isEnding = true
    return true
  }

  /**
   * Ends idle connections now and the others with their last answer. A request whose body is not there in full has not
   * been accepted: it is refused now, as nobody knows when the rest would come.
   */
  drain(): void {
    this.#draining.abort()
    for (const [socket, connection] of this.#connections) {
      if (connection.fast?.hasUnpublished) {
        connection.isEnding = true
        connection.fast.handOver()
        continue
      }
      if (!this.endAfterAnswers(socket)) {
        socket.destroySoon()
        continue
      }
      const request = this.requestBeingRead(socket)
      if (request !== null) abandonBody(request, new HttpError(503, 'EXITING'))
    }
  }

  destroy(): void {
    for (const socket of this.#connections.keys()) socket.destroy()
  }
}
