import { NsqError, type Producer } from '@spillway/client'
import { HttpError } from './http-error.js'

const LINE_FEED = 0x0a

/** Publishes what requests hold, and counts. */
export class Publishing {
  /** Null: there is no node to publish to. */
  readonly #producer: Pick<Producer, 'publish' | 'publishMany' | 'publishDeferred'> | null
  publishedCount = 0
  failedCount = 0

  constructor(producer: Pick<Producer, 'publish' | 'publishMany' | 'publishDeferred'> | null) {
    this.#producer = producer
  }

  /** One message. @param deferMs - delivered so much later; 0: at once @throws HttpError */
  async publish(topic: string, body: Buffer, deferMs: number): Promise<void> {
    const producer = this.#requireProducer()
    const published = deferMs === 0 ? producer.publish(topic, body) : producer.publishDeferred(topic, body, deferMs)
    await this.#counted(published, 1)
  }

  /** Each line that is not empty as a message: all or none. @throws HttpError */
  async publishLines(topic: string, text: Buffer): Promise<void> {
    const producer = this.#requireProducer()
    const bodies = linesOf(text)
    if (bodies.length === 0) throw new HttpError(400, 'BODY_EMPTY')
    await this.#counted(producer.publishMany(topic, bodies), bodies.length)
  }

  #requireProducer() {
    if (this.#producer !== null) return this.#producer
    throw new HttpError(503, 'nothing to publish to: start nsq_pubsub with --destination-nsqd-tcp-address')
  }

  async #counted(published: Promise<void>, count: number): Promise<void> {
    try {
      await published
      this.publishedCount += count
    } catch (error) {
      this.failedCount += count
      throw httpErrorOf(error as Error)
    }
  }
}

/** What was surely not published because of the request, or for now; all others may have been. */
const STATUS: Readonly<Record<string, number>> = {
  E_BAD_TOPIC: 400,
  E_BAD_MESSAGE: 400,
  E_BAD_BODY: 400,
  E_INVALID: 400,
  E_INVALID_OPTION: 400,
  E_UNAUTHORIZED: 403,
  E_AUTH_FAILED: 403,
  E_AUTH_FIRST: 403,
  E_QUEUE_FULL: 503,
  E_CONNECT: 503,
  E_TIMEOUT: 503,
  E_CLOSED: 503,
}

function httpErrorOf(error: Error): Error {
  if (!(error instanceof NsqError)) return error
  return new HttpError(STATUS[error.code] ?? 502, error.message)
}

function linesOf(text: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let at = 0; at < text.length; ) {
    const found = text.indexOf(LINE_FEED, at)
    const end = found === -1 ? text.length : found
    if (end > at) lines.push(text.subarray(at, end))
    at = end + 1
  }
  return lines
}
