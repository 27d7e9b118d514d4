import type { Broker, BrokerStats, MemoryStats } from '@spillway/core'

/** What `/stats` shows, in either format. */
export interface StatsSource {
  readonly broker: Broker
  readonly stats: BrokerStats
  /** Null when there is no such topic as was asked for. */
  readonly topicFilter: string | null
  readonly includeClients: boolean
  /** Null when it is not wanted. */
  readonly memory: MemoryStats | null
}
