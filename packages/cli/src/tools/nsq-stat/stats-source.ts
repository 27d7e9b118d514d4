import { FatalError } from '../common/fatal-error.js'
import { getJson, type HttpTimeouts, httpUrl } from '../common/get-json.js'
import { type ChannelCounts, channelCountsOf, type StatsAnswer, sumOf } from './channel-counts.js'

export interface StatsSourceOptions {
  readonly topic: string
  readonly channel: string
  /** `host:port` of nodes, or none: then those are asked for that the nsqlookupd know. */
  readonly nsqdAddresses: readonly string[]
  readonly lookupdAddresses: readonly string[]
  readonly timeouts: HttpTimeouts
}

/** The counters of one channel of one topic, over all nodes that have it. */
export class StatsSource {
  readonly #options: StatsSourceOptions

  constructor(options: StatsSourceOptions) {
    this.#options = options
  }

  /** @param stop - gives up what is asked @throws FatalError when anybody who is asked does not answer: half a sum would look like a whole one */
  async read(stop?: AbortSignal): Promise<ChannelCounts> {
    const { topic, channel, nsqdAddresses, lookupdAddresses } = this.#options
    const isDirect = lookupdAddresses.length === 0
    const addresses = isDirect ? nsqdAddresses : await labelled('topic producers', this.#lookUp(stop))
    const answers = await labelled(
      // nsq_stat finds out first which of the nodes have the topic, so that is where it fails.
      isDirect ? 'topic producers' : 'nsqd stats',
      Promise.all(addresses.map((address) => this.#countsAt(address, stop))),
    )
    const ofTopic = answers.filter((counts) => counts !== null)
    if (ofTopic.length === 0) throw failure('nsqd stats', `no nsqd has the topic ${JSON.stringify(topic)}`)
    const found = ofTopic.filter((counts) => counts !== undefined)
    if (found.length > 0) return sumOf(found)
    throw new FatalError(`ERROR: failed to find channel(${channel}) in stats metadata for topic(${topic})`)
  }

  async #countsAt(address: string, stop?: AbortSignal): Promise<ChannelCounts | null | undefined> {
    const { topic, channel, timeouts } = this.#options
    // Not for the channel only: then the topic would be missing where the channel is.
    const query = new URLSearchParams({ format: 'json', topic, include_clients: 'false' })
    const answer = await getJson(httpUrl(address, `/stats?${query}`), timeouts, stop)
    return channelCountsOf(answer as StatsAnswer, topic, channel)
  }

  /** The nodes that any nsqlookupd knows to have the topic, each once. */
  async #lookUp(stop?: AbortSignal): Promise<readonly string[]> {
    const { topic, lookupdAddresses, timeouts } = this.#options
    const query = new URLSearchParams({ topic })
    const answers = await Promise.all(
      lookupdAddresses.map((address) => getJson(httpUrl(address, `/lookup?${query}`), timeouts, stop)),
    )
    const producers = answers.flatMap((answer) => (answer as LookupAnswer | null)?.producers ?? [])
    const addresses = producers.map(({ broadcast_address: host = '', http_port: port = 0 }) => {
      return `${host.includes(':') ? `[${host}]` : host}:${port}`
    })
    if (addresses.length > 0) return [...new Set(addresses)]
    throw new Error(`no nsqlookupd knows a nsqd that has the topic ${JSON.stringify(topic)}`)
  }
}

interface LookupAnswer {
  readonly producers?: readonly { readonly broadcast_address?: string; readonly http_port?: number }[]
}

async function labelled<T>(what: string, asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    throw failure(what, (error as Error).message)
  }
}

function failure(what: string, detail: string): FatalError {
  return new FatalError(`ERROR: failed to get ${what} - ${detail}`)
}
