import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Consumer } from '@spillway/client'
import { HttpError } from './http-error.js'
import type { Publishing } from './publishing.js'
import { readBody } from './read-body.js'
import { Reader } from './reader.js'

export interface ServiceOptions {
  readonly publishing: Publishing
  readonly bodySizeBytesMax: number
  readonly readersMax: number
  /** @throws FatalError when topic or channel are no names */
  openConsumer(topic: string, channel: string): Consumer
  /** In [0, 1). */
  random(): number
  nowMs(): number
}

type Route = (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => Promise<void>

/** What nsq_pubsub answers: `/sub`, `/pub`, `/mpub`, `/stats`, `/ping`. */
export class Service {
  readonly #options: ServiceOptions
  readonly #readers = new Set<Reader>()
  readonly #startedMs: number
  #goneDeliveredCount = 0
  readonly #routes: Readonly<Record<string, readonly [method: string, route: Route]>> = {
    '/sub': ['GET', (request, response, query) => this.#sub(request, response, query)],
    '/pub': ['POST', (request, response, query) => this.#pub(request, response, query)],
    '/mpub': ['POST', (request, response, query) => this.#mpub(request, response, query)],
    '/stats': ['GET', async (_request, response) => respond(response, 200, this.#stats())],
    '/ping': ['GET', async (_request, response) => respond(response, 200, 'OK')],
  }

  constructor(options: ServiceOptions) {
    this.#options = options
    this.#startedMs = options.nowMs()
  }

  /** Messages that readers got, also those that have gone. */
  get deliveredCount(): number {
    let count = this.#goneDeliveredCount
    for (const reader of this.#readers) count += reader.deliveredCount
    return count
  }

  /** Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { pathname, searchParams } = urlOf(request)
      if (!Object.hasOwn(this.#routes, pathname)) throw new HttpError(404, 'NOT_FOUND')
      const [method, route] = this.#routes[pathname]
      if (request.method !== method) throw new HttpError(405, 'METHOD_NOT_ALLOWED', { allow: method })
      await route(request, response, searchParams)
    } catch (error) {
      // Also when the other end has gone in the middle of its request, which nobody hears any more.
      if (response.headersSent) response.destroy()
      else if (error instanceof HttpError) {
        respond(response, error.status, { message: error.message }, error.headers)
      } else respond(response, 500, { message: (error as Error).message })
    }
  }

  /** Ends all streams, once what is on its way has left. */
  async close(): Promise<void> {
    await Promise.all([...this.#readers].map((reader) => reader.close()))
  }

  async #sub(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
    const { readersMax, openConsumer, random } = this.#options
    const topic = required(query, 'topic')
    const digits = Math.floor(random() * 1e6)
    const channel = query.get('channel') || `nsq_pubsub${String(digits).padStart(6, '0')}#ephemeral`
    const messageCountMax = wholeNumber(query, 'n', Number.POSITIVE_INFINITY)
    if (this.#readers.size >= readersMax)
      throw new HttpError(503, `${readersMax} readers are here already (--max-subscribers)`)
    let consumer: Consumer
    try {
      consumer = openConsumer(topic, channel)
    } catch (error) {
      throw new HttpError(400, (error as Error).message)
    }
    const { remoteAddress = '', remotePort } = request.socket
    const reader = new Reader(topic, channel, `${remoteAddress}:${remotePort}`, consumer, response, messageCountMax)
    this.#readers.add(reader)
    try {
      await reader.run()
    } finally {
      this.#readers.delete(reader)
      this.#goneDeliveredCount += reader.deliveredCount
    }
  }

  async #pub(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
    const topic = required(query, 'topic')
    const deferMs = wholeNumber(query, 'defer', 0)
    const body = await readBody(request, this.#options.bodySizeBytesMax)
    await this.#options.publishing.publish(topic, body, deferMs)
    respond(response, 200, 'OK')
  }

  async #mpub(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
    const topic = required(query, 'topic')
    const body = await readBody(request, this.#options.bodySizeBytesMax)
    await this.#options.publishing.publishLines(topic, body)
    respond(response, 200, 'OK')
  }

  #stats() {
    const { publishing, nowMs } = this.#options
    return {
      uptime_seconds: Math.floor((nowMs() - this.#startedMs) / 1_000),
      published_count: publishing.publishedCount,
      publish_failed_count: publishing.failedCount,
      delivered_count: this.deliveredCount,
      subscribers: [...this.#readers].map((reader) => ({
        topic: reader.topic,
        channel: reader.channel,
        remote_address: reader.remoteAddress,
        delivered_count: reader.deliveredCount,
        in_flight_count: reader.inFlightCount,
      })),
    }
  }
}

function urlOf(request: IncomingMessage): URL {
  try {
    return new URL(request.url ?? '/', 'http://nsq_pubsub')
  } catch {
    throw new HttpError(400, 'INVALID_REQUEST')
  }
}

function required(query: URLSearchParams, name: string): string {
  const value = query.get(name) ?? ''
  if (value === '') throw new HttpError(400, `MISSING_ARG_${name.toUpperCase()}`)
  return value
}

function wholeNumber(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name)
  if (text === null) return fallback
  if (!/^\d{1,9}$/.test(text)) throw new HttpError(400, `INVALID_${name.toUpperCase()}`)
  return Number(text)
}

/** A string as text, anything else as JSON. */
function respond(
  response: ServerResponse,
  status: number,
  content: unknown,
  headers: Readonly<Record<string, string>> = {},
) {
  const isText = typeof content === 'string'
  const type = isText ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8'
  response.writeHead(status, { 'content-type': type, ...headers }).end(isText ? content : JSON.stringify(content))
}
