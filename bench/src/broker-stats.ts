import { HttpClient } from './http-client.js'
import type { RunningSubject } from './subject.js'

/** What the benchmark reads from `/stats`, under the broker's names. */
export interface ChannelStats {
  readonly depth: number
  readonly backend_depth: number
  readonly in_flight_count: number
  readonly deferred_count: number
}

export interface TopicStats {
  readonly topic_name: string
  readonly depth: number
  readonly channels: readonly ChannelStats[]
}

/** All topics, or the one that is named. */
export async function readTopics(subject: RunningSubject, topic?: string): Promise<readonly TopicStats[]> {
  const http = new HttpClient(subject.httpPort, 1)
  try {
    const filter = topic === undefined ? '' : `&topic=${topic}`
    const text = await http.call('GET', `/stats?format=json&include_clients=false${filter}`)
    return (JSON.parse(text) as { topics: readonly TopicStats[] }).topics
  } finally {
    http.close()
  }
}

/** The channels of a topic added up. */
export async function readChannels(subject: RunningSubject, topic: string): Promise<ChannelStats> {
  const channels = (await readTopics(subject, topic)).flatMap((one) => one.channels)
  const sum = (field: keyof ChannelStats) => channels.reduce((total, channel) => total + channel[field], 0)
  return {
    depth: sum('depth'),
    backend_depth: sum('backend_depth'),
    in_flight_count: sum('in_flight_count'),
    deferred_count: sum('deferred_count'),
  }
}

/** How much of what waits in a topic's channels is on disk alone, in percent. */
export async function readDiskShare(subject: RunningSubject, topic: string): Promise<number> {
  const { depth, backend_depth } = await readChannels(subject, topic)
  return depth === 0 ? 0 : (100 * backend_depth) / depth
}
