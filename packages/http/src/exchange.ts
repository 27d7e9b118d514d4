import type { IncomingMessage, ServerResponse } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Logger, peerAddressOf, type RefusalLog } from '@spillway/core'
import { toGoJson } from './go-json.js'
import {
  CLOSE,
  EMPTY,
  type HeaderList,
  JSON_HEADERS,
  jsonHeaders,
  OK,
  plainTextHeaders,
  textHeaders,
} from './headers.js'
import { HttpError } from './http-error.js'
import { piecesOf } from './parts.js'

/** Questions with the answer no, and not a client that was refused. */
const UNLOGGED_STATUS: ReadonlySet<number> = new Set([404, 405])

/** What all requests of one listener share. */
export interface HttpNode {
  readonly logger: Logger
  readonly refusals: RefusalLog
}

/** One request and its answer. It is given exactly one answer; an answer to a client that has gone is dropped. */
export class HttpExchange<Node extends HttpNode = HttpNode, Request extends IncomingMessage = IncomingMessage> {
  readonly request: Request
  readonly node: Node
  /** As the client sent it, not decoded. */
  readonly path: string
  /** Of a path whose route ends in `*`: what stands there, decoded. */
  pathRest = ''
  /** What follows the first `?`, not decoded. */
  readonly rawQuery: string
  protected readonly response: ServerResponse

  constructor(node: Node, request: Request, response: ServerResponse) {
    this.node = node
    this.request = request
    this.response = response
    const target = request.url ?? '/'
    const query = target.indexOf('?')
    this.path = query === -1 ? target : target.slice(0, query)
    this.rawQuery = query === -1 ? '' : target.slice(query + 1)
  }

  get method(): string {
    return this.request.method ?? ''
  }

  get isAnswered(): boolean {
    return this.response.headersSent
  }

  /** HTTP/1.1 insists on the header; node:http, where it does, says nothing about it to the client. */
  get lacksHost(): boolean {
    return this.request.httpVersion === '1.1' && this.request.headers.host === undefined
  }

  sendOk(): void {
    this.send(200, OK, 'OK')
  }

  sendEmpty(): void {
    this.send(200, EMPTY, '')
  }

  /** Text without NSQ's version header. */
  sendPlainText(status: number, text: string, headers: HeaderList = []): void {
    this.send(status, [...plainTextHeaders(Buffer.byteLength(text)), ...headers], text)
  }

  /** The request makes no sense: the connection ends. */
  sendBadRequest(text: string): void {
    this.sendPlainText(400, text, CLOSE)
  }

  sendText(text: string): void {
    this.send(200, textHeaders(Buffer.byteLength(text)), text)
  }

  /** @param json - already encoded */
  sendJson(status: number, json: string, headers: HeaderList = []): void {
    this.send(status, [...headers, ...jsonHeaders(Buffer.byteLength(json))], json)
  }

  /**
   * JSON that may be long, with 200. What is short goes out as by {@link sendJson}. Of the rest a piece is made when the client has
   * taken the one before it, and others have their turn in between: neither stalls nor memory grow with the answer.
   */
  async sendJsonParts(parts: Iterable<string>): Promise<void> {
    const pieces = piecesOf(parts)
    const first = pieces.next().value ?? ''
    let next = pieces.next()
    if (next.done) {
      this.sendJson(200, first)
      return
    }
    this.writeHead(200, JSON_HEADERS)
    this.response.write(first)
    while (!next.done) {
      if (!this.response.write(next.value)) await this.#drained()
      await nextTurn() // a client that takes everything at once has the next piece in the same turn
      if (this.response.destroyed) return
      next = pieces.next()
    }
    this.response.end()
  }

  sendError(status: number, code: string, headers?: HeaderList): void {
    this.sendJson(status, toGoJson({ message: code }), headers)
  }

  send(status: number, headers: HeaderList, body: string): void {
    this.writeHead(status, headers)
    this.response.end(body)
  }

  /** As {@link send}, with a body in pieces, which may be kept until the client has taken them. */
  sendPieces(status: number, headers: HeaderList, pieces: readonly Uint8Array[]): void {
    this.writeHead(status, headers)
    for (const piece of pieces) this.response.write(piece)
    this.response.end()
  }

  /** Answers with what went wrong. */
  fail(error: unknown): void {
    if (this.isAnswered) {
      this.#log(error)
      this.request.socket.destroy()
    } else if (error instanceof HttpError) {
      if (!UNLOGGED_STATUS.has(error.status)) this.noteRefusal(error.code, `status ${error.status}`)
      this.sendError(error.status, error.code, error.headers)
    } else {
      this.#log(error)
      this.sendError(500, 'INTERNAL_ERROR')
    }
  }

  /** A line in the log, of which there are only so many in a while. The query is left out: people put secrets there. */
  protected noteRefusal(code: string, reason: string): void {
    const peer = peerAddressOf(this.request.socket)
    this.node.refusals.note(peer, code, `${this.method} ${this.path}: ${reason}`)
  }

  protected writeHead(status: number, headers: HeaderList): void {
    // Node calls it by its newer name.
    if (status === 413) this.response.statusMessage = 'Request Entity Too Large'
    this.response.writeHead(status, headers as string[])
  }

  /** Also when the client has gone. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const settled = (): void => {
        this.response.off('drain', settled).off('close', settled)
        resolve()
      }
      if (this.response.destroyed) resolve()
      else this.response.on('drain', settled).on('close', settled)
    })
  }

  #log(error: unknown): void {
    const { method, path } = this
    this.node.logger.error(`HTTP ${method} ${path} failed`, {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
  }
}
