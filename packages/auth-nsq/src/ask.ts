import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { AuthRequest, Clock } from '@spillway/core'

/** An answer that is longer is none. */
const ANSWER_BYTES_MAX = 1024 * 1024
/** Questions to one server at the same time; the others wait for their turn. */
const SOCKETS_MAX = 16

export interface AskOptions {
  readonly method: 'get' | 'post'
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly rootCa: Buffer | undefined
  readonly clock: Clock
}

/** Asks auth servers over HTTP, as nsqd does. */
export class Asker {
  readonly #options: AskOptions
  readonly #http = new HttpAgent({ keepAlive: true, maxSockets: SOCKETS_MAX })
  readonly #https: HttpsAgent

  constructor(options: AskOptions) {
    this.#options = options
    const { rootCa } = options
    this.#https = new HttpsAgent({
      keepAlive: true,
      maxSockets: SOCKETS_MAX,
      ...(rootCa === undefined ? {} : { ca: rootCa }),
    })
  }

  close(): void {
    this.#http.destroy()
    this.#https.destroy()
  }

  /** @returns the text of a good answer. @throws Error with what is wrong; it never holds the secret */
  async ask(address: string, request: AuthRequest): Promise<string> {
    const url = new URL(address.includes('://') ? address : `http://${address}/auth`)
    const answer = await this.#send(url, request)
    // A node that wants TLS says so, and where.
    const httpsPort = answer.status === 403 && url.protocol === 'http:' ? httpsPortIn(answer.text) : null
    if (httpsPort === null) return requireGood(answer)
    url.protocol = 'https:'
    url.port = String(httpsPort)
    return requireGood(await this.#send(url, request))
  }

  #send(base: URL, { secret, remoteIp, tls, commonName }: AuthRequest): Promise<{ status: number; text: string }> {
    const { method, connectTimeoutMs, requestTimeoutMs, clock } = this.#options
    const asked = {
      common_name: commonName,
      remote_ip: remoteIp,
      secret: Buffer.from(secret).toString(),
      tls: String(tls),
    }
    const url = new URL(base)
    let body = ''
    if (method === 'get') for (const [name, value] of Object.entries(asked)) url.searchParams.append(name, value)
    else body = JSON.stringify(Object.fromEntries(Object.entries(asked).map(([name, value]) => [name, [value]])))
    const isSecure = url.protocol === 'https:'
    const headers = {
      Accept: 'application/vnd.nsq; version=1.0',
      ...(body === '' ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
    }
    return new Promise((resolve, reject) => {
      const send = isSecure ? httpsRequest : httpRequest
      const agent = isSecure ? this.#https : this.#http
      const sent = send(url, { method: method.toUpperCase(), agent, headers }, (response) => {
        collect(response).then((text) => settle(resolve, { status: response.statusCode ?? 0, text }), fail)
      })
      const late = (what: string, ms: number) =>
        clock.setTimer(ms, () => sent.destroy(new Error(`it did not ${what} within ${ms} ms`)))
      const answering = late('answer', requestTimeoutMs)
      let connecting = null as ReturnType<typeof late> | null
      const settle = <T>(how: (value: T) => void, value: T): void => {
        answering.cancel()
        connecting?.cancel()
        how(value)
      }
      const fail = (error: Error): void => settle(reject, error)
      sent.once('socket', (socket) => {
        if (!socket.connecting) return
        connecting = late('connect', connectTimeoutMs)
        socket.once(isSecure ? 'secureConnect' : 'connect', () => connecting?.cancel())
      })
      sent.once('error', fail)
      sent.end(body)
    })
  }
}

async function collect(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let sizeBytes = 0
  for await (const part of response as AsyncIterable<Buffer>) {
    sizeBytes += part.length
    if (sizeBytes > ANSWER_BYTES_MAX) throw new Error(`its answer has more than ${ANSWER_BYTES_MAX} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

function requireGood({ status, text }: { status: number; text: string }): string {
  if (status === 200) return text
  throw new Error(`it answered ${status}`)
}

function httpsPortIn(text: string): number | null {
  try {
    const port: unknown = JSON.parse(text).https_port
    return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : null
  } catch {
    return null
  }
}
