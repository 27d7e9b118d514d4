import { type ClientRequest, get as getPlain, type IncomingMessage } from 'node:http'
import { get as getEncrypted } from 'node:https'
import { addressOf } from './address.js'
import type { Clock } from './clock.js'
import type { TlsOptions } from './connection-options.js'
import { NsqError } from './errors.js'

/** Of an nsqlookupd's HTTP. */
export interface LookupAddress {
  readonly text: string
  readonly url: URL
}

/** What an answer may have at most; it is read into memory. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024

/** @returns null when it is neither `host:port` nor an URL */
export function parseLookupAddress(text: string): LookupAddress | null {
  const hasScheme = /^https?:\/\//.test(text)
  if (!hasScheme && !/:\d+(\/|$)/.test(text)) return null
  try {
    const url = new URL(hasScheme ? text : `http://${text}`)
    if (url.pathname === '/') url.pathname = '/lookup'
    return { text, url }
  } catch {
    return null
  }
}

export interface LookupRequest {
  readonly topic: string
  readonly timeoutMs: number
  /** Empty: none is sent. */
  readonly bearer: string
  readonly tls: TlsOptions | null
  readonly clock: Clock
}

/** A question that has been asked. */
export interface Lookup {
  /** The nodes that have the topic, as `host:port`; none, when nobody knows it. @throws NsqError `E_LOOKUP` */
  readonly answer: Promise<readonly string[]>
  /** The answer is not wanted any more; it rejects. */
  cancel(): void
}

/** Asks one nsqlookupd which nodes have a topic. */
export function lookUp({ text, url: base }: LookupAddress, request: LookupRequest): Lookup {
  const url = new URL(base)
  url.searchParams.set('topic', request.topic)
  let asked: ClientRequest | null = null
  const failure = (detail: string, cause?: unknown): NsqError =>
    new NsqError('E_LOOKUP', `${text}: ${detail}`, cause === undefined ? {} : { cause })
  const answer = new Promise<readonly string[]>((resolve, reject) => {
    const headers = {
      accept: 'application/vnd.nsq; version=1.0',
      ...(request.bearer === '' ? {} : { authorization: `Bearer ${request.bearer}` }),
    }
    const timer = request.clock.setTimer(request.timeoutMs, () => {
      reject(failure(`no answer within ${request.timeoutMs} ms`))
      asked?.destroy()
    })
    const done = (response: IncomingMessage): void => {
      read(response).then(
        (body) => {
          timer.cancel()
          try {
            resolve(parseLookup(response.statusCode ?? 0, body))
          } catch (error) {
            reject(failure((error as Error).message, error))
          }
        },
        (error: Error) => {
          timer.cancel()
          reject(failure(error.message, error))
        },
      )
    }
    const options = { headers, agent: false as const }
    asked =
      url.protocol === 'https:' ? getEncrypted(url, { ...options, ...request.tls }, done) : getPlain(url, options, done)
    asked.once('error', (error) => {
      timer.cancel()
      reject(failure(error.message === '' ? String(error) : error.message, error))
    })
  })
  return { answer, cancel: () => void asked?.destroy(new Error('cancelled')) }
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > ANSWER_BYTES_MAX) throw new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/**
 * Both of nsqlookupd's formats:
 *
 * ```
 *   {"channels": […], "producers": […]}                                          since 1.0
 *   {"status_code": 200, "status_txt": "OK", "data": {"producers": […]}}         before
 * ```
 */
function parseLookup(status: number, body: string): string[] {
  if (status === 404) {
    // Nobody has the topic: TOPIC_NOT_FOUND. This is what a node says, which has no such path, and what would look the same for ever.
    if (/"NOT_FOUND"/.test(body))
      throw new Error('no nsqlookupd: there is no /lookup; an nsqlookupd answers at 4161 by default')
    return []
  }
  if (status !== 200) throw new Error(`status ${status}`)
  const answer: unknown = body === '' ? {} : JSON.parse(body)
  const wrapped = answer as { data?: unknown; status_code?: unknown; producers?: unknown } | null
  const isWrapped = typeof wrapped?.data === 'object' && wrapped.data !== null
  const { producers } = (isWrapped ? wrapped.data : (wrapped ?? {})) as { producers?: unknown }
  if (producers === undefined || producers === null) return []
  if (!Array.isArray(producers)) throw new Error('an answer without an array of producers')
  return producers.map((producer: Readonly<Record<string, unknown>> | null) => {
    const host = producer?.broadcast_address
    const port = producer?.tcp_port
    if (typeof host === 'string' && host !== '' && Number.isInteger(port)) return addressOf(host, port as number)
    throw new Error('a producer without broadcast_address or tcp_port')
  })
}
