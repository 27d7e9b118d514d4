import { request } from 'node:http'

export interface HttpAnswer {
  readonly status: number
  readonly text: string
}

export interface ClientStats {
  readonly client_id: string
  readonly remote_address: string
  readonly ready_count: number
  readonly in_flight_count: number
  readonly state: number
  readonly tls: boolean
  readonly deflate: boolean
  readonly snappy: boolean
  /** Absent without AUTH. */
  readonly authed?: boolean
}

export interface ChannelStats {
  readonly channel_name: string
  readonly paused: boolean
  readonly depth: number
  readonly in_flight_count: number
  readonly deferred_count: number
  readonly message_count: number
  readonly requeue_count: number
  readonly timeout_count: number
  readonly client_count: number
  readonly clients: readonly ClientStats[]
}

export interface TopicStats {
  readonly topic_name: string
  readonly paused: boolean
  readonly depth: number
  readonly message_count: number
  readonly channels: readonly ChannelStats[]
}

/** One request per connection, as curl does it, so that nothing stays open behind a test. */
export class HttpClient {
  readonly #where: { host: string; port: number } | { socketPath: string }

  constructor(where: { readonly host: string; readonly port: number } | { readonly path: string }) {
    this.#where = 'path' in where ? { socketPath: where.path } : { host: where.host, port: where.port }
  }

  get(path: string): Promise<HttpAnswer> {
    return this.#send('GET', path, '')
  }

  /** Posts as `curl -d` does: the body is declared to be a form, whatever it is. */
  post(path: string, body: string | Buffer = ''): Promise<HttpAnswer> {
    return this.#send('POST', path, body)
  }

  put(path: string, body: string): Promise<HttpAnswer> {
    return this.#send('PUT', path, body)
  }

  delete(path: string, body = ''): Promise<HttpAnswer> {
    return this.#send('DELETE', path, body)
  }

  async topicStats(topic: string): Promise<TopicStats | undefined> {
    const topics = await this.#topics(`&topic=${encodeURIComponent(topic)}`)
    return topics[0]
  }

  allTopicStats(): Promise<readonly TopicStats[]> {
    return this.#topics('')
  }

  async channelStats(topic: string, channel: string): Promise<ChannelStats | undefined> {
    const stats = await this.topicStats(topic)
    return stats?.channels.find(({ channel_name }) => channel_name === channel)
  }

  async #topics(query: string): Promise<readonly TopicStats[]> {
    const { text } = await this.get(`/stats?format=json&include_mem=false${query}`)
    const { topics } = JSON.parse(text) as { topics: readonly TopicStats[] | null }
    return topics ?? []
  }

  #send(method: string, path: string, body: string | Buffer): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const headers = {
        ...(method === 'POST' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
        // Node does not expect that a DELETE has a body, and would not say where it ends.
        ...(method === 'DELETE' ? { 'content-length': Buffer.byteLength(body) } : {}),
      }
      const sent = request({ ...this.#where, agent: false, method, path, headers }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          text += part
        })
        response.once('error', reject)
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
      })
      sent.once('error', reject)
      sent.end(body)
    })
  }
}
