import { Agent, request } from 'node:http'

/** The few calls that the benchmark makes to a broker's HTTP API, over connections that stay open. */
export class HttpClient {
  readonly #port: number
  readonly #agent: Agent

  constructor(port: number, connectionCount: number) {
    this.#port = port
    this.#agent = new Agent({ keepAlive: true, maxSockets: connectionCount })
  }

  /** @throws Error when the answer is not 200. */
  call(method: 'GET' | 'POST', path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.#port, method, path, agent: this.#agent }
      const outgoing = request(options, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        response.once('end', () => {
          if (response.statusCode === 200) resolve(text)
          else reject(new Error(`${method} ${path} was answered with ${response.statusCode} ${text}`))
        })
        response.once('error', reject)
      })
      outgoing.once('error', reject).end()
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}
