import type { BrokerStats, ChannelStats, TopicStats } from '@spillway/core'

/** A metric of topics or channels: its name and meaning, and where its value comes from. */
export interface Metric<T> {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  /** Null: there is nothing to say. */
  value(of: T): number | null
}

export const TOPIC_METRICS: readonly Metric<TopicStats>[] = [
  {
    name: 'spillway_topic_messages_total',
    type: 'counter',
    help: 'Messages published to the topic since the node started.',
    value: ({ messageCount }) => messageCount,
  },
  {
    name: 'spillway_topic_message_bytes_total',
    type: 'counter',
    help: 'Bytes of their bodies.',
    value: ({ messageBytes }) => messageBytes,
  },
  {
    name: 'spillway_topic_depth',
    type: 'gauge',
    help: 'Messages that wait at the topic itself: it is paused, or has no channel.',
    value: ({ depth }) => depth,
  },
  {
    name: 'spillway_topic_dropped_messages_total',
    type: 'counter',
    help: 'Messages that were given up because memory was full.',
    value: ({ droppedCount }) => droppedCount,
  },
  {
    name: 'spillway_topic_paused',
    type: 'gauge',
    help: '1 while the topic is paused.',
    value: ({ paused }) => Number(paused),
  },
]

export const CHANNEL_METRICS: readonly Metric<ChannelStats>[] = [
  {
    name: 'spillway_channel_messages_total',
    type: 'counter',
    help: 'Messages that the channel got since the node started.',
    value: ({ messageCount }) => messageCount,
  },
  {
    name: 'spillway_channel_deliveries_total',
    type: 'counter',
    help: 'Messages given to consumers, each time counted.',
    value: ({ deliveryCount }) => deliveryCount,
  },
  {
    name: 'spillway_channel_requeues_total',
    type: 'counter',
    help: 'Messages that consumers gave back.',
    value: ({ requeueCount }) => requeueCount,
  },
  {
    name: 'spillway_channel_timeouts_total',
    type: 'counter',
    help: 'Messages that were not finished in time.',
    value: ({ timeoutCount }) => timeoutCount,
  },
  {
    name: 'spillway_channel_depth',
    type: 'gauge',
    help: 'Messages that wait: neither in flight nor deferred.',
    value: ({ depth }) => depth,
  },
  {
    name: 'spillway_channel_backend_depth',
    type: 'gauge',
    help: 'Those of them that are not in memory.',
    value: ({ backendDepth }) => backendDepth,
  },
  {
    name: 'spillway_channel_in_flight_messages',
    type: 'gauge',
    help: 'Messages that consumers hold.',
    value: ({ inFlightCount }) => inFlightCount,
  },
  {
    name: 'spillway_channel_deferred_messages',
    type: 'gauge',
    help: 'Messages whose time has not come.',
    value: ({ deferredCount }) => deferredCount,
  },
  {
    name: 'spillway_channel_clients',
    type: 'gauge',
    help: 'Consumers of the channel.',
    value: ({ clientCount }) => clientCount,
  },
  {
    name: 'spillway_channel_oldest_message_age_seconds',
    type: 'gauge',
    help: 'How long ago the oldest message was published that is not finished. Absent when there is none, or where only storage knows.',
    value: ({ oldestAgeMs }) => (oldestAgeMs === null ? null : oldestAgeMs / 1000),
  },
  {
    name: 'spillway_channel_paused',
    type: 'gauge',
    help: '1 while the channel is paused.',
    value: ({ paused }) => Number(paused),
  },
]

export const LATENCY_METRIC = {
  name: 'spillway_channel_processing_latency_seconds',
  help: 'From publish to finish, by quantile, where node.e2eLatencyQuantiles asks for it.',
} as const

/** Of the whole node. */
export const NODE_METRICS: readonly Metric<BrokerStats>[] = [
  {
    name: 'spillway_topics',
    type: 'gauge',
    help: 'Topics that exist.',
    value: ({ topics }) => topics.length,
  },
]

export const HEALTH_METRIC = { name: 'spillway_healthy', help: '1 when /ping says OK, 0 when it does not.' } as const
export const BUILD_METRIC = { name: 'spillway_build_info', help: 'Always 1; its labels say what runs here.' } as const
export const START_METRIC = { name: 'spillway_start_time_seconds', help: 'When the node started.' } as const
