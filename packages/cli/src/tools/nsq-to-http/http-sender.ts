import { type IncomingMessage, Agent as PlainAgent, request as requestPlain } from 'node:http'
import { Agent as EncryptedAgent, request as requestEncrypted } from 'node:https'
import { TIMER_MS_MAX } from '../common/timer-limit.js'

export interface HttpSenderOptions {
  /** For a connection to be made. */
  readonly connectTimeoutMs: number
  /** From the call to the whole answer. */
  readonly requestTimeoutMs: number
  /** Connections to one server at once; what comes above waits for one, within `requestTimeoutMs`. */
  readonly connectionsMax: number
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Empty: none. */
  readonly body: Buffer
}

/** What came back; its body was read and dropped. */
export interface HttpAnswer {
  readonly status: number
  /** Where a redirect points; empty when it is none. */
  readonly location: string
}

/** The server had closed a connection that was kept, just when we used it again. */
class StaleConnectionError extends Error {
  override readonly name = 'StaleConnectionError'
}

/** Sends requests over HTTP and HTTPS, on connections that it keeps. It follows no redirects. */
export class HttpSender {
  readonly #options: HttpSenderOptions
  readonly #plain: PlainAgent
  readonly #encrypted: EncryptedAgent

  constructor(options: HttpSenderOptions) {
    const { connectTimeoutMs, requestTimeoutMs } = options
    this.#options = {
      ...options,
      connectTimeoutMs: Math.min(connectTimeoutMs, TIMER_MS_MAX),
      requestTimeoutMs: Math.min(requestTimeoutMs, TIMER_MS_MAX),
    }
    const agentOptions = { keepAlive: true, maxSockets: options.connectionsMax }
    this.#plain = new PlainAgent(agentOptions)
    this.#encrypted = new EncryptedAgent(agentOptions)
  }

  /** @throws Error that says in a few words why there is no answer */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    try {
      const isEncrypted = request.url.protocol === 'https:'
      return await this.#sendOnce(request, isEncrypted ? this.#encrypted : this.#plain)
    } catch (error) {
      if (!(error instanceof StaleConnectionError)) throw error
      // When a server was started anew, all that were kept are stale.
      return this.#sendOnce(request, false)
    }
  }

  /** Lets all connections go. */
  close(): void {
    this.#plain.destroy()
    this.#encrypted.destroy()
  }

  /** @param agent - false: on a connection of its own */
  #sendOnce({ method, url, headers, body }: HttpRequest, agent: PlainAgent | false): Promise<HttpAnswer> {
    const { connectTimeoutMs, requestTimeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      const length = method === 'GET' ? {} : { 'content-length': body.length }
      const options = { method, agent, headers: { ...headers, ...length } }
      const request = (url.protocol === 'https:' ? requestEncrypted : requestPlain)(url, options)
      let reason: Error | null = null
      const giveUp = (text: string) => (): void => {
        reason = new Error(text)
        request.destroy(reason)
      }
      const timer = setTimeout(giveUp(`no answer within ${requestTimeoutMs} ms`), requestTimeoutMs)
      let connectTimer: NodeJS.Timeout | undefined
      request.once('socket', (socket) => {
        if (!socket.connecting) return
        connectTimer = setTimeout(giveUp(`no connection within ${connectTimeoutMs} ms`), connectTimeoutMs)
        socket.once('connect', () => clearTimeout(connectTimer))
      })
      let isAnswering = false
      request.once('response', (response: IncomingMessage) => {
        isAnswering = true
        const { statusCode: status = 0, headers: answered } = response
        response.once('end', () => resolve({ status, location: answered.location ?? '' }))
        response.once('error', (error) => reject(reason ?? error))
        response.resume()
      })
      request.on('error', (error: NodeJS.ErrnoException) => {
        const isStale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
        reject(isStale ? new StaleConnectionError() : described(error))
      })
      request.once('close', () => {
        clearTimeout(timer)
        clearTimeout(connectTimer)
        // As after status 101, which Node takes for the end of HTTP.
        if (!isAnswering) reject(new Error('the connection ended without an answer'))
      })
      request.end(method === 'GET' ? undefined : body)
    })
  }
}

/** When a name has several addresses and none answers, Node's error has no text of its own. */
function described(error: Error): Error {
  if (error.message !== '') return error
  const first = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : undefined
  return new Error(first?.message ?? String(error), { cause: error })
}
