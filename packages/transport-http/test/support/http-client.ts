import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** One request on a connection of its own, which is closed afterwards; the server is not told so, as is usual. */
export function request(port: number, method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: true })
    const outgoing = httpRequest({ host: '127.0.0.1', port, method, path, headers: options.headers, agent })
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
      })
      response.on('error', reject)
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
        agent.destroy()
      })
    })
    outgoing.end(options.body)
  })
}

/** A connection that says exactly what the test says, and collects what comes back. */
export class RawClient {
  received = ''
  readonly socket: Socket
  readonly #closed: Promise<void>
  #onData: () => void = () => {}

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    this.socket.setEncoding('latin1')
    this.socket.on('data', (text: string) => {
      this.received += text
      this.#onData()
    })
    // A server that has had enough may reset the connection; that is its end as well.
    this.socket.on('error', () => {})
    this.#closed = new Promise((resolve) => {
      this.socket.on('end', () => this.socket.end())
      this.socket.on('close', () => resolve())
    })
  }

  send(text: string | Buffer): this {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text)
    return this
  }

  /** Waits until what has come matches, and returns everything. */
  async until(pattern: RegExp): Promise<string> {
    if (!pattern.test(this.received)) {
      await new Promise<void>((resolve, reject) => {
        this.#onData = () => {
          if (pattern.test(this.received)) resolve()
        }
        this.#closed.then(() => reject(new Error(`closed before ${pattern}, after ${JSON.stringify(this.received)}`)))
      })
      this.#onData = () => {}
    }
    return this.received
  }

  /** Waits until the server has closed, and returns everything. */
  async closed(): Promise<string> {
    await this.#closed
    return this.received
  }

  destroy(): void {
    this.socket.destroy()
  }
}

/** Sends `text` and returns all that comes until the server closes. */
export function exchangeRaw(port: number, text: string | Buffer): Promise<string> {
  return new RawClient(port).send(text).closed()
}
