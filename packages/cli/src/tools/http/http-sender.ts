import { type IncomingHttpHeaders, type IncomingMessage, Agent as PlainAgent, request as requestPlain } from 'node:http'
import { Agent as EncryptedAgent, request as requestEncrypted } from 'node:https'

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
  readonly url: string | URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** So much of the answer is kept, and more is an error; 0: what the answer holds is read and dropped. */
  readonly answerBytesMax: number
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
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
    this.#options = options
    const agentOptions = { keepAlive: true, maxSockets: options.connectionsMax }
    this.#plain = new PlainAgent(agentOptions)
    this.#encrypted = new EncryptedAgent(agentOptions)
  }

  /** @throws Error that says in a few words why there is no answer */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    try {
      return await this.#sendOnce(request)
    } catch (error) {
      if (!(error instanceof StaleConnectionError)) throw error
      return this.#sendOnce(request)
    }
  }

  /** Lets all connections go. */
  close(): void {
    this.#plain.destroy()
    this.#encrypted.destroy()
  }

  #sendOnce({ method, url, headers, body, answerBytesMax }: HttpRequest): Promise<HttpAnswer> {
    const { connectTimeoutMs, requestTimeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      const target = typeof url === 'string' ? new URL(url) : url
      const isEncrypted = target.protocol === 'https:'
      const agent = isEncrypted ? this.#encrypted : this.#plain
      const length = body === undefined ? {} : { 'content-length': body.length }
      const outgoing = (isEncrypted ? requestEncrypted : requestPlain)(target, {
        method,
        agent,
        headers: { ...headers, ...length },
      })
      const timer = setTimeout(
        () => outgoing.destroy(new Error(`no answer within ${requestTimeoutMs} ms`)),
        requestTimeoutMs,
      )
      let connectTimer: NodeJS.Timeout | undefined
      const done = (settle: () => void): void => {
        clearTimeout(timer)
        clearTimeout(connectTimer)
        settle()
      }
      outgoing.once('socket', (socket) => {
        if (!socket.connecting) return
        connectTimer = setTimeout(
          () => outgoing.destroy(new Error(`not connected within ${connectTimeoutMs} ms`)),
          connectTimeoutMs,
        )
        socket.once('connect', () => clearTimeout(connectTimer))
      })
      outgoing.once('response', (incoming) => {
        read(incoming, answerBytesMax).then(
          (bytes) => {
            const { statusCode: status = 0, headers: answered } = incoming
            done(() => resolve({ status, headers: answered, body: bytes }))
          },
          (error) => {
            outgoing.destroy()
            done(() => reject(described(error)))
          },
        )
      })
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        const isStale = outgoing.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
        done(() => reject(isStale ? new StaleConnectionError() : described(error)))
      })
      outgoing.end(body)
    })
  }
}

const NOTHING = Buffer.alloc(0)

async function read(incoming: IncomingMessage, sizeBytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    if (sizeBytesMax === 0) continue
    sizeBytes += chunk.length
    if (sizeBytes > sizeBytesMax) throw new Error(`an answer of more than ${sizeBytesMax} bytes`)
    chunks.push(chunk)
  }
  return chunks.length === 0 ? NOTHING : Buffer.concat(chunks)
}

/** When a name has several addresses and none answers, Node's error has no text of its own. */
function described(error: Error): Error {
  if (error.message !== '') return error
  const first = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : undefined
  return new Error(first?.message ?? String(error), { cause: error })
}
