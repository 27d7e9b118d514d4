import { get as getPlain, type IncomingMessage } from 'node:http'
import { get as getEncrypted } from 'node:https'
import { readAnswer } from '@spillway/http/read-answer'
import { TIMER_MS_MAX } from './timer-limit.js'

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

/** Asks NSQ's HTTP for JSON. @param stop - gives it up @throws Error with the reason in one line */
export async function getJson(
  url: URL,
  { connectTimeoutMs, requestTimeoutMs }: HttpTimeouts,
  stop?: AbortSignal,
): Promise<unknown> {
  const over = new AbortController()
  const giveUp = (): void => over.abort()
  const timer = setTimeout(giveUp, Math.min(requestTimeoutMs, TIMER_MS_MAX))
  if (stop?.aborted === true) giveUp()
  stop?.addEventListener('abort', giveUp)
  const headers = { accept: 'application/vnd.nsq; version=1.0' }
  const get = url.protocol === 'https:' ? getEncrypted : getPlain
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = get(url, { headers, agent: false, signal: over.signal }, resolve)
      const connecting = setTimeout(
        () => request.destroy(new Error(`no connection within ${connectTimeoutMs} ms`)),
        Math.min(connectTimeoutMs, TIMER_MS_MAX),
      )
      request.once('socket', (socket) => socket.once('connect', () => clearTimeout(connecting)))
      request.once('close', () => clearTimeout(connecting))
      request.once('error', reject)
    })
    const body = await readAnswer(response, ANSWER_BYTES_MAX)
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}: ${body.slice(0, 200)}`)
    return JSON.parse(body)
  } catch (error) {
    const reason = over.signal.aborted ? `no answer within ${requestTimeoutMs} ms` : describe(error as Error)
    throw new Error(`${url.origin}${url.pathname}: ${reason}`, { cause: error })
  } finally {
    clearTimeout(timer)
    stop?.removeEventListener('abort', giveUp)
  }
}

/** With several addresses behind a name, Node puts the reasons into an error without a text. */
function describe(error: Error): string {
  if (error.message !== '') return error.message
  return error instanceof AggregateError ? error.errors.map(({ message }) => message).join(', ') : String(error)
}
