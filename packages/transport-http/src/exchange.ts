import type { ServerResponse } from 'node:http'
import { type Broker, BrokerError, type ProcessMemory, type PublishWaiter } from '@spillway/core'
import type { HttpAuthorization } from './authorization.js'
import type { BodySink } from './bodies/body-sink.js'
import { discardBody, hasBody, readBody } from './body-reader.js'
import type { Connections } from './connections.js'
import { toGoJson } from './go-json.js'
import { CLOSE, EMPTY, type HeaderList, jsonHeaders, OK, plainTextHeaders, textHeaders } from './headers.js'
import { HttpError } from './http-error.js'
import type { MetricsDetail } from './metrics/render.js'
import { noteRefusal } from './note-refusal.js'
import type { HttpRequest } from './request.js'
import { failedPublishCodeOf, reasonOf, unavailableCodeOf } from './unavailable.js'

/** Questions with the answer no, and not a client that was refused. */
const UNLOGGED_STATUS: ReadonlySet<number> = new Set([404, 405])

/** What all requests of one listener share. */
export interface HttpNode {
  readonly broker: Broker
  readonly connections: Connections
  readonly memory: ProcessMemory
  /** Null: everybody may ask everything. */
  readonly authorization: HttpAuthorization | null
  readonly metricsDetail: MetricsDetail
}

/**
 * One request and its answer. It is given exactly one answer; an answer to a client that has gone is dropped. It waits
 * itself for what it publishes, so that a publish needs nothing more.
 */
export class Exchange implements PublishWaiter {
  readonly request: HttpRequest
  readonly node: HttpNode
  readonly broker: Broker
  /** As the client sent it, not decoded. */
  readonly path: string
  /** Of a path whose route ends in `*`: what stands there, decoded. */
  pathRest = ''
  /** What follows the first `?`, not decoded. */
  readonly rawQuery: string
  readonly #response: ServerResponse
  /** The client holds back the body until it is told to go on. */
  #isContinueExpected: boolean

  constructor(node: HttpNode, request: HttpRequest, response: ServerResponse, isContinueExpected: boolean) {
    this.node = node
    this.broker = node.broker
    this.request = request
    this.#response = response
    this.#isContinueExpected = isContinueExpected
    const target = request.url ?? '/'
    const query = target.indexOf('?')
    this.path = query === -1 ? target : target.slice(0, query)
    this.rawQuery = query === -1 ? '' : target.slice(query + 1)
  }

  get method(): string {
    return this.request.method ?? ''
  }

  get isAnswered(): boolean {
    return this.#response.headersSent
  }

  /** The Content-Length; 0 when the client did not say. */
  get bodySizeBytesDeclared(): number {
    const length = this.request.headers['content-length']
    return length === undefined ? 0 : Number(length)
  }

  /** Gives the body to `sink`, as soon as publishers may go on. */
  readBody(sink: BodySink): void {
    readBody(this.request, sink)
  }

  /** Has the client send its body, when it waits to be told so. */
  sendContinue(): void {
    if (!this.#isContinueExpected) return
    this.#isContinueExpected = false
    this.#response.writeContinue()
  }

  // ---- answers ---------------------------------------------------------------------------------------------------

  sendOk(): void {
    this.send(200, OK, 'OK')
  }

  sendEmpty(): void {
    this.send(200, EMPTY, '')
  }

  /** Text without NSQ's version header. */
  sendPlainText(status: number, text: string): void {
    this.send(status, plainTextHeaders(Buffer.byteLength(text)), text)
  }

  sendText(text: string): void {
    this.send(200, textHeaders(Buffer.byteLength(text)), text)
  }

  /** @param json - already encoded */
  sendJson(status: number, json: string, headers: HeaderList = []): void {
    this.send(status, [...headers, ...jsonHeaders(Buffer.byteLength(json))], json)
  }

  sendError(status: number, code: string, headers?: HeaderList): void {
    this.sendJson(status, toGoJson({ message: code }), headers)
  }

  send(status: number, headers: HeaderList, body: string): void {
    this.#writeHead(status, headers)
    this.#response.end(body)
  }

  /** As {@link send}, with a body in pieces, which may be kept until the client has taken them. */
  sendPieces(status: number, headers: HeaderList, pieces: readonly Uint8Array[]): void {
    this.#writeHead(status, headers)
    for (const piece of pieces) this.#response.write(piece)
    this.#response.end()
  }

  /** Answers with what went wrong. */
  fail(error: unknown): void {
    const unavailableCode = unavailableCodeOf(error)
    if (this.isAnswered) {
      this.#log(error)
      this.request.socket.destroy()
    } else if (error instanceof HttpError) {
      if (!UNLOGGED_STATUS.has(error.status)) this.#noteRefusal(error.code, `status ${error.status}`)
      this.sendError(error.status, error.code, error.headers)
    } else if (unavailableCode !== undefined) {
      if (error instanceof BrokerError) this.#noteRefusal(error.code, error.detail)
      this.sendError(503, unavailableCode)
    } else {
      this.#log(error)
      this.sendError(500, 'INTERNAL_ERROR')
    }
  }

  // ---- PublishWaiter ---------------------------------------------------------------------------------------------

  published(): void {
    this.sendOk()
  }

  publishFailed(_token: number, error: BrokerError): void {
    const { code, detail } = reasonOf(error)
    this.#noteRefusal(code, detail)
    this.sendError(503, failedPublishCodeOf(error))
  }

  #noteRefusal(code: string, reason: string): void {
    noteRefusal(this.broker, this.request.socket, `${this.method} ${this.path}`, code, reason)
  }

  #writeHead(status: number, headers: HeaderList): void {
    const response = this.#response
    const isLast = this.#isContinueExpected || this.node.connections.isLastAnswer(this.request)
    if (!isLast && hasBody(this.request) && !this.request.readableEnded) discardBody(this.request)
    // Node calls it by its newer name.
    if (status === 413) response.statusMessage = 'Request Entity Too Large'
    response.writeHead(status, (isLast ? [...headers, ...CLOSE] : headers) as string[])
  }

  #log(error: unknown): void {
    const { method, path } = this
    this.broker.logger.error(`HTTP ${method} ${path} failed`, {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
  }
}
