import { eventually } from '../support/eventually.js'
import type { ChannelStats } from '../support/http-client.js'
import type { RunningBroker } from '../support/start-broker.js'

const LIMIT_MS = 60_000

/** Resolves with the channel's counters once nothing waits, is in flight or is deferred. */
export function settled(broker: RunningBroker, topic: string, channel: string): Promise<ChannelStats> {
  return eventually(
    async () => {
      const stats = await broker.http.channelStats(topic, channel)
      if (stats === undefined || stats.depth + stats.in_flight_count + stats.deferred_count > 0) return undefined
      return stats
    },
    LIMIT_MS,
    `nothing left in ${topic}/${channel}`,
  )
}

/** Resolves when so many clients of the channel have told the broker that they are ready. */
export async function allReady(broker: RunningBroker, topic: string, channel: string, count: number): Promise<void> {
  await eventually(
    async () => {
      const stats = await broker.http.channelStats(topic, channel)
      return stats?.clients.filter(({ ready_count }) => ready_count > 0).length === count ? true : undefined
    },
    LIMIT_MS,
    `${count} ready clients of ${topic}/${channel}`,
  )
}

/** Resolves when the only client of the channel wants nothing more and has nothing in flight. */
export async function drained(broker: RunningBroker, topic: string, channel: string): Promise<void> {
  await eventually(
    async () => {
      const stats = await broker.http.channelStats(topic, channel)
      return stats?.in_flight_count === 0 && stats.clients[0]?.ready_count === 0 ? true : undefined
    },
    LIMIT_MS,
    `a drained client of ${topic}/${channel}`,
  )
}
