import type { ServerResponse } from 'node:http'
import { type Broker, BrokerError, type ProcessMemory, type PublishWaiter } from '@spillway/core'
import { CLOSE, type HeaderList, HttpExchange, type HttpNode } from '@spillway/http'
import type { HttpAuthorization } from './authorization.js'
import type { BodySink } from './bodies/body-sink.js'
import { discardBody, hasBody, readBody } from './body-reader.js'
import type { Connections } from './connections.js'
import type { MetricsDetail } from './metrics/render.js'
import type { HttpRequest } from './request.js'
import { failedPublishCodeOf, reasonOf, unavailableCodeOf } from './unavailable.js'

/** What all requests of one listener share. */
export interface BrokerNode extends HttpNode {
  readonly broker: Broker
  readonly connections: Connections
  readonly memory: ProcessMemory
  /** Null: everybody may ask everything. */
  readonly authorization: HttpAuthorization | null
  readonly metricsDetail: MetricsDetail
}

/** One request to the broker. It waits itself for what it publishes, so that a publish needs nothing more. */
export class Exchange extends HttpExchange<BrokerNode, HttpRequest> implements PublishWaiter {
  readonly broker: Broker
  /** The client holds back the body until it is told to go on. */
  #isContinueExpected: boolean

  constructor(node: BrokerNode, request: HttpRequest, response: ServerResponse, isContinueExpected: boolean) {
    super(node, request, response)
    this.broker = node.broker
    this.#isContinueExpected = isContinueExpected
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
    this.response.writeContinue()
  }

  override fail(error: unknown): void {
    const unavailableCode = unavailableCodeOf(error)
    if (this.isAnswered || unavailableCode === undefined) {
      super.fail(error)
      return
    }
    if (error instanceof BrokerError) this.noteRefusal(error.code, error.detail)
    this.sendError(503, unavailableCode)
  }

  // ---- PublishWaiter ---------------------------------------------------------------------------------------------

  published(): void {
    this.sendOk()
  }

  publishFailed(_token: number, error: BrokerError): void {
    const { code, detail } = reasonOf(error)
    this.noteRefusal(code, detail)
    this.sendError(503, failedPublishCodeOf(error))
  }

  protected override writeHead(status: number, headers: HeaderList): void {
    const isLast = this.#isContinueExpected || this.node.connections.isLastAnswer(this.request)
    if (!isLast && hasBody(this.request) && !this.request.readableEnded) discardBody(this.request)
    super.writeHead(status, isLast ? [...headers, ...CLOSE] : headers)
  }
}
