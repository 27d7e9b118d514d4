import { Agent, type IncomingMessage, request } from 'node:http'
import type { LookupFunction } from 'node:net'
import type { Clock, TimerHandle } from '@spillway/core'
import { readAnswer } from '@spillway/http/read-answer'
import { type LookupdHttp, quoted } from './identify.js'

/** An answer that is longer is none. */
const ANSWER_BYTES_MAX = 1024 * 1024
/** Questions that one nsqlookupd is asked at a time; more wait for their turn. */
const CONNECTIONS_MAX = 16
/** Questions that wait for an answer or their turn, all in all. */
const QUESTIONS_MAX = 10_000

export interface ChannelQueriesOptions {
  readonly connectTimeoutMs: number
  /** With {@link connectTimeoutMs}, what a question may take in all, its wait for its turn included. */
  readonly requestTimeoutMs: number
  readonly clock: Clock
  readonly lookup: LookupFunction
}

/** Asks nsqlookupd over HTTP which channels a topic has, each time over a connection of its own, as nsqd does. */
export class ChannelQueries {
  readonly #options: ChannelQueriesOptions
  readonly #agent = new Agent({ maxSockets: CONNECTIONS_MAX })
  /** Ends a question that is being asked. */
  readonly #cancels = new Set<(reason: Error) => void>()

  constructor(options: ChannelQueriesOptions) {
    this.#options = options
  }

  /** @throws Error with what is wrong */
  ask({ host, port }: LookupdHttp, topic: string): Promise<readonly string[]> {
    const { connectTimeoutMs, requestTimeoutMs, clock, lookup } = this.#options
    return new Promise((resolve, reject) => {
      if (this.#cancels.size >= QUESTIONS_MAX) throw new Error(`more than ${QUESTIONS_MAX} questions are waiting`)
      const asked = request({
        host,
        port,
        path: `/channels?topic=${encodeURIComponent(topic)}`,
        headers: { Accept: 'application/vnd.nsq; version=1.0' },
        agent: this.#agent,
        lookup,
      })
      const timers: TimerHandle[] = []
      const settle = (): void => {
        for (const timer of timers) timer.cancel()
        this.#cancels.delete(cancel)
      }
      const cancel = (reason: Error): void => {
        settle()
        asked.destroy()
        reject(reason)
      }
      const cancelAfter = (timeoutMs: number, what: string): void => {
        timers.push(clock.setTimer(timeoutMs, () => cancel(new Error(`no ${what} within ${timeoutMs} ms`))))
      }
      this.#cancels.add(cancel)
      cancelAfter(connectTimeoutMs + requestTimeoutMs, 'answer')
      asked.once('socket', (socket) => {
        if (asked.destroyed) return
        cancelAfter(connectTimeoutMs, 'connection')
        socket.once('connect', () => timers[1].cancel())
      })
      asked.once('response', (response) => {
        read(response).then((channels) => {
          settle()
          resolve(channels)
        }, cancel)
      })
      asked.once('upgrade', () => cancel(new Error('it answered something else')))
      // After an answer nobody listens any more, and a late error must not go uncaught.
      asked.on('error', cancel)
      asked.end()
    })
  }

  /** Ends every question; its promise rejects. */
  close(): void {
    for (const cancel of this.#cancels) cancel(new Error('the node stops'))
    this.#agent.destroy()
  }
}

async function read(response: IncomingMessage): Promise<readonly string[]> {
  if (response.statusCode !== 200) throw new Error(`it answered ${response.statusCode}`)
  return channelsIn(await readAnswer(response, ANSWER_BYTES_MAX))
}

/** `{"channels": […]}` */
function channelsIn(text: string): readonly string[] {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    throw new Error(`it answered ${quoted(text)}`)
  }
  const { channels } = (answer ?? {}) as { channels?: unknown }
  if (!Array.isArray(channels)) throw new Error(`it answered ${quoted(text)}`)
  return channels.filter((channel) => typeof channel === 'string')
}
