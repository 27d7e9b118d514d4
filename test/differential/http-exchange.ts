import { request } from 'node:http'
import { request as requestEncrypted } from 'node:https'
import type { ConnectionOptions } from 'node:tls'
import { maskBody } from './mask.js'

/** Headers that mean something to NSQ's clients. */
const HEADERS = ['content-type', 'x-nsq-content-type', 'allow', 'location', 'www-authenticate']

/** A client with more than this asks first whether it is wanted: nsqd closes on those whose body it refuses, and its answer gets lost. */
const BODY_BYTES_UNASKED = 64 * 1024

export interface HttpRequest {
  /** `GET /ping` */
  readonly line: string
  readonly body: string | Uint8Array
  readonly headers: Readonly<Record<string, string>>
  readonly port: number
  /** Null: in the open. */
  readonly tls: ConnectionOptions | null
}

/** Asks on a connection of its own, and returns the answer as text. One that does not come because of TLS is `no TLS`. */
export function ask({ line, body, headers: given, port, tls }: HttpRequest): Promise<string> {
  const [method, path] = line.split(' ')
  const isAskedFirst = body.length > BODY_BYTES_UNASKED
  const length = 'transfer-encoding' in given ? {} : { 'content-length': String(body.length) }
  const headers = isAskedFirst ? { ...length, ...given, expect: '100-continue' } : given
  const options = { host: '127.0.0.1', port, method, path, headers, agent: false }
  return new Promise((resolve, reject) => {
    const sent = tls === null ? request(options) : requestEncrypted({ ...options, ...tls })
    sent.once('response', (response) => {
      const parts: Buffer[] = []
      const answered = (): void => {
        const shown = HEADERS.filter((name) => response.headers[name] !== undefined).map(
          (name) => `${name}: ${response.headers[name]}`,
        )
        const text = maskBody(Buffer.concat(parts).toString('latin1'))
        resolve([`${line} -> ${response.statusCode}`, ...shown, text].join('\n  '))
      }
      // Go answers what is no HTTP with a body, whatever the method: that is no answer to HEAD.
      if (method === 'HEAD') answered()
      response.on('data', (part: Buffer) => parts.push(part))
      response.once('end', () => {
        answered()
        sent.destroy() // what it still had to send is not wanted
      })
      response.once('error', reject)
    })
    sent.once('error', (error) => (tls === null ? reject(error) : resolve(`${line} -> no TLS`)))
    if (!isAskedFirst) sent.end(body)
    else sent.once('continue', () => sent.end(body)).flushHeaders()
  })
}
