import type { HttpSender } from '../http/http-sender.js'
import { type ChannelCounts, channelCountsOf, type StatsAnswer, sumOf } from './channel-counts.js'

const ANSWER_BYTES_MAX = 64 * 1024 * 1024
const HEADERS = { accept: 'application/vnd.nsq; version=1.0', 'user-agent': 'nsq_stat' }

/** Why there are no counters, in one line. */
export class StatsError extends Error {
  override readonly name = 'StatsError'
}

export interface StatsSourceOptions {
  readonly topic: string
  readonly channel: string
  /** `host:port` of nodes, or none: then those are asked for that the nsqlookupd know. */
  readonly nsqdAddresses: readonly string[]
  readonly lookupdAddresses: readonly string[]
}

/** The counters of one channel of one topic, over all nodes that have it. */
export class StatsSource {
  readonly #options: StatsSourceOptions
  readonly #http: HttpSender

  constructor(options: StatsSourceOptions, http: HttpSender) {
    this.#options = options
    this.#http = http
  }

  /** @throws StatsError when anybody who is asked does not answer: half a sum would look like a whole one */
  async read(): Promise<ChannelCounts> {
    const { topic, channel, nsqdAddresses, lookupdAddresses } = this.#options
    const isDirect = lookupdAddresses.length === 0
    const addresses = isDirect ? nsqdAddresses : await labelled('topic producers', this.#lookUp())
    const answers = await labelled(
      // nsq_stat finds out first which of the nodes have the topic, so that is where it fails.
      isDirect ? 'topic producers' : 'nsqd stats',
      Promise.all(addresses.map((address) => this.#countsAt(address))),
    )
    const ofTopic = answers.filter((counts) => counts !== null)
    if (ofTopic.length === 0) throw failure('nsqd stats', `no nsqd has the topic ${JSON.stringify(topic)}`)
    const found = ofTopic.filter((counts) => counts !== undefined)
    if (found.length > 0) return sumOf(found)
    throw new StatsError(`ERROR: failed to find channel(${channel}) in stats metadata for topic(${topic})`)
  }

  async #countsAt(address: string): Promise<ChannelCounts | null | undefined> {
    const { topic, channel } = this.#options
    const query = new URLSearchParams({ format: 'json', topic, channel, include_clients: 'false' })
    const answer = await this.#get(`http://${address}/stats?${query}`)
    return channelCountsOf(answer as StatsAnswer, topic, channel)
  }

  /** The nodes that any nsqlookupd knows to have the topic, each once. */
  async #lookUp(): Promise<readonly string[]> {
    const { topic, lookupdAddresses } = this.#options
    const query = new URLSearchParams({ topic })
    const answers = await Promise.all(
      lookupdAddresses.map((address) => this.#get(`http://${address}/lookup?${query}`, true)),
    )
    const producers = answers.flatMap((answer) => (answer as LookupAnswer | null)?.producers ?? [])
    const addresses = producers.map(({ broadcast_address: host = '', http_port: port = 0 }) => {
      return `${host.includes(':') ? `[${host}]` : host}:${port}`
    })
    if (addresses.length > 0) return [...new Set(addresses)]
    throw new Error(`no nsqlookupd knows a nsqd that has the topic ${JSON.stringify(topic)}`)
  }

  /** @returns null for what is not there, if that may be */
  async #get(url: string, mayBeMissing = false): Promise<unknown> {
    const request = { method: 'GET', url, headers: HEADERS, answerBytesMax: ANSWER_BYTES_MAX } as const
    const { host } = new URL(url)
    try {
      const { status, body } = await this.#http.send(request)
      if (status === 404 && mayBeMissing) return null
      if (status !== 200) throw new Error(`status ${status}: ${body.toString('utf8', 0, 200)}`)
      return JSON.parse(body.toString())
    } catch (error) {
      throw new Error(`${host}: ${(error as Error).message}`, { cause: error })
    }
  }
}

interface LookupAnswer {
  readonly producers?: readonly { readonly broadcast_address?: string; readonly http_port?: number }[]
}

async function labelled<T>(what: string, asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    throw failure(what, (error as Error).message, error)
  }
}

function failure(what: string, detail: string, cause?: unknown): StatsError {
  return new StatsError(`ERROR: failed to get ${what} - ${detail}`, cause === undefined ? {} : { cause })
}
