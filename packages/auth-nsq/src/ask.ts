import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { AuthRequest, Clock } from '@spillway/core'
import { readAnswer } from '@spillway/http/read-answer'
import { httpsPortIn } from './answer.js'
import { bodyOf, queryOf } from './question.js'

/** An answer that is longer is none. */
const ANSWER_BYTES_MAX = 1024 * 1024
/** As Go's client, and so nsqd's, has it. */
const REDIRECTS_MAX = 10
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]
/** After these the question is asked once more as it was; after the others by GET, without its body. */
const SAME_METHOD_REDIRECTS: readonly number[] = [307, 308]

export interface AskOptions {
  readonly method: 'get' | 'post'
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly clock: Clock
}

/** One request of a question: a redirect makes another one of it. */
interface Sending {
  readonly url: URL
  readonly method: 'GET' | 'POST'
  readonly body: string
}

interface Received {
  readonly status: number
  readonly location: string | undefined
  readonly text: string
}

/**
 * Asks auth servers over HTTP, as nsqd does: each time over a connection of its own, since a server may close one that it
 * kept at the moment at which it is used again.
 */
export class Asker {
  readonly #options: AskOptions
  readonly #http = new HttpAgent()
  readonly #https = new HttpsAgent()
  #rootCa: Buffer | undefined

  /** @param rootCa - as in {@link trust} */
  constructor(options: AskOptions, rootCa: Buffer | undefined) {
    this.#options = options
    this.#rootCa = rootCa
  }

  /** @param rootCa - the authorities of https servers from now on; undefined: those of the system */
  trust(rootCa: Buffer | undefined): void {
    this.#rootCa = rootCa
  }

  close(): void {
    this.#http.destroy()
    this.#https.destroy()
  }

  /** @returns the text of a good answer. @throws Error with what is wrong; it never holds the secret */
  async ask(address: string, request: AuthRequest): Promise<string> {
    const url = new URL(address.includes('://') ? address : `http://${address}/auth`)
    const answer = await this.#follow(url, request)
    // A node that wants TLS says so, and where.
    const httpsPort = answer.status === 403 && url.protocol === 'http:' ? httpsPortIn(answer.text) : null
    if (httpsPort === null) return requireGood(answer)
    url.protocol = 'https:'
    url.port = String(httpsPort)
    return requireGood(await this.#follow(url, request))
  }

  /** All of it has `requestTimeoutMs`, whatever becomes of the requests. */
  #follow(base: URL, request: AuthRequest): Promise<Received> {
    const { requestTimeoutMs, clock } = this.#options
    const giveUp = new AbortController()
    return new Promise((resolve, reject) => {
      const late = clock.setTimer(requestTimeoutMs, () => {
        reject(new Error(`it did not answer within ${requestTimeoutMs} ms`))
        giveUp.abort()
      })
      this.#sendAll(this.#question(base, request), giveUp.signal)
        .then(resolve, reject)
        .finally(() => late.cancel())
    })
  }

  #question(base: URL, request: AuthRequest): Sending {
    const url = new URL(base)
    if (this.#options.method === 'post') return { url, method: 'POST', body: bodyOf(request) }
    url.search = url.search === '' ? queryOf(request) : `${url.search}&${queryOf(request)}`
    return { url, method: 'GET', body: '' }
  }

  async #sendAll(first: Sending, signal: AbortSignal): Promise<Received> {
    let sending = first
    for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
      const answer = await this.#send(sending, signal)
      if (!REDIRECTS.includes(answer.status) || answer.location === undefined) return answer
      sending = redirected(sending, answer.status, answer.location)
    }
    throw new Error(`it redirects more than ${REDIRECTS_MAX} times`)
  }

  #send({ url, method, body }: Sending, signal: AbortSignal): Promise<Received> {
    const { connectTimeoutMs, clock } = this.#options
    const isSecure = url.protocol === 'https:'
    const headers = {
      Accept: 'application/vnd.nsq; version=1.0',
      ...(body === '' ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
    }
    const common = { method, headers, signal }
    return new Promise((resolve, reject) => {
      const sent = isSecure
        ? httpsRequest(url, {
            ...common,
            agent: this.#https,
            ...(this.#rootCa === undefined ? {} : { ca: this.#rootCa }),
          })
        : httpRequest(url, { ...common, agent: this.#http })
      let hasAnswered = false
      sent.once('response', (response) => {
        hasAnswered = true
        const { statusCode: status = 0, headers } = response
        readAnswer(response, ANSWER_BYTES_MAX).then(
          (text) => resolve({ status, location: headers.location, text }),
          reject,
        )
      })
      sent.once('upgrade', (response, socket) => {
        socket.destroy()
        reject(new Error(`it answered ${response.statusCode}`))
      })
      sent.once('socket', (socket) => {
        const connecting = clock.setTimer(connectTimeoutMs, () => {
          reject(new Error(`it did not connect within ${connectTimeoutMs} ms`))
          sent.destroy()
        })
        socket.once(isSecure ? 'secureConnect' : 'connect', () => connecting.cancel())
        sent.once('close', () => connecting.cancel())
      })
      sent.once('error', reject)
      // Whatever happens, the promise does not outlive the request; an answer that has begun settles it itself.
      sent.once('close', () => {
        if (!hasAnswered) reject(new Error('it closed the connection'))
      })
      sent.end(body)
    })
  }
}

/** @throws Error when it leads elsewhere: what a secret is told to one host for, no other is to learn */
function redirected({ url, method, body }: Sending, status: number, location: string): Sending {
  const next = URL.canParse(location, url.href) ? new URL(location, url) : null
  const isSafe = next?.protocol === 'https:' || (next?.protocol === 'http:' && url.protocol === 'http:')
  if (next === null || !isSafe || next.hostname !== url.hostname) throw new Error('it redirects to another host')
  return SAME_METHOD_REDIRECTS.includes(status) ? { url: next, method, body } : { url: next, method: 'GET', body: '' }
}

function requireGood({ status, text }: Received): string {
  if (status === 200) return text
  throw new Error(`it answered ${status}`)
}
