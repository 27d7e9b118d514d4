import { request } from 'node:http'
import { request as requestEncrypted } from 'node:https'
import type { ConnectionOptions } from 'node:tls'
import { maskBody } from './mask.js'

/** Headers that mean something to NSQ's clients. */
const HEADERS = ['content-type', 'x-nsq-content-type', 'allow', 'location', 'www-authenticate']

const BROKEN = ['ECONNRESET', 'EPIPE']

export interface HttpRequest {
  /** `GET /ping` */
  readonly line: string
  readonly body: string | Uint8Array
  readonly headers: Readonly<Record<string, string>>
  readonly port: number
  /** Null: in the open. */
  readonly tls: ConnectionOptions | null
}

const TRIES = 5

/** Asks on a connection of its own, and returns the answer as text. One that does not come because of TLS is `no TLS`. */
export async function ask(asked: HttpRequest): Promise<string> {
  for (let triesLeft = TRIES; ; triesLeft--) {
    try {
      return await askOnce(asked)
    } catch (error) {
      // nsqd closes when it has refused a body that is still being sent, and its answer may get lost on the way.
      if (triesLeft === 1 || !BROKEN.includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
}

function askOnce({ line, body, headers, port, tls }: HttpRequest): Promise<string> {
  const [method, path] = line.split(' ')
  const options = { host: '127.0.0.1', port, method, path, headers, agent: false }
  return new Promise((resolve, reject) => {
    const sent = tls === null ? request(options) : requestEncrypted({ ...options, ...tls })
    sent.once('response', (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.once('end', () => {
        const shown = HEADERS.filter((name) => response.headers[name] !== undefined).map(
          (name) => `${name}: ${response.headers[name]}`,
        )
        const text = maskBody(Buffer.concat(parts).toString('latin1'))
        resolve([`${line} -> ${response.statusCode}`, ...shown, text].join('\n  '))
      })
      response.once('error', reject)
    })
    sent.once('error', (error) => (tls === null ? reject(error) : resolve(`${line} -> no TLS`)))
    sent.end(body)
  })
}
