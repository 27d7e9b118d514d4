import { get as getPlain, type IncomingMessage } from 'node:http'
import { get as getEncrypted } from 'node:https'
import { readAnswer } from '@spillway/http/read-answer'

/** What an answer may have at most; it is read into memory. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024

export interface HttpTimeouts {
  readonly connectTimeoutMs: number
  /** From the call to the end of the answer. */
  readonly requestTimeoutMs: number
}

/** The address of an HTTP service: `host:port`, or an URL. */
export function httpUrl(address: string, path: string): URL {
  return new URL(path, /^https?:\/\//.test(address) ? address : `http://${address}`)
}

/** Asks NSQ's HTTP for JSON. @throws Error with the reason in one line */
export async function getJson(url: URL, { connectTimeoutMs, requestTimeoutMs }: HttpTimeouts): Promise<unknown> {
  const limit = AbortSignal.timeout(Math.max(1, Math.round(requestTimeoutMs)))
  const headers = { accept: 'application/vnd.nsq; version=1.0' }
  const get = url.protocol === 'https:' ? getEncrypted : getPlain
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = get(url, { headers, agent: false, signal: limit }, resolve)
      const connecting = setTimeout(
        () => request.destroy(new Error(`no connection within ${connectTimeoutMs} ms`)),
        connectTimeoutMs,
      )
      request.once('socket', (socket) => socket.once('connect', () => clearTimeout(connecting)))
      request.once('close', () => clearTimeout(connecting))
      request.once('error', reject)
    })
    const body = await readAnswer(response, ANSWER_BYTES_MAX)
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}: ${body.slice(0, 200)}`)
    return JSON.parse(body)
  } catch (error) {
    const reason = limit.aborted ? `no answer within ${requestTimeoutMs} ms` : describe(error as Error)
    throw new Error(`${url.origin}${url.pathname}: ${reason}`, { cause: error })
  }
}

/** With several addresses behind a name, Node puts the reasons into an error without a text. */
function describe(error: Error): string {
  if (error.message !== '') return error.message
  return error instanceof AggregateError ? error.errors.map(({ message }) => message).join(', ') : String(error)
}
