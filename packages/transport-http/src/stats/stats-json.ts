import type { ChannelStats, ClientStats, LatencyStats, TopicStats } from '@spillway/core'
import { toGoJson } from '@spillway/http'
import type { StatsSource } from './stats-source.js'

/** The JSON of `/stats` in small parts, with nsqd's order of fields and its choice between `null` and `[]`. */
export function* statsJson(source: StatsSource): Generator<string> {
  const { broker, stats, memory } = source
  yield `{"version":${toGoJson(broker.options.version)},"health":${toGoJson(broker.health)}`
  yield `,"start_time":${Math.floor(broker.startedAtMs / 1000)},"topics":`
  if (isUnknownTopic(source)) yield 'null'
  else yield* listJson(stats.topics, (topic) => topicJson(topic, source))
  if (memory !== null) yield `,"memory":${toGoJson(memory)}`
  yield ',"producers":'
  if (stats.producers.length === 0) yield 'null'
  else yield* listJson(stats.producers, (client) => clientJson(client, source))
  yield '}'
}

/** Asked for a topic that is not there; without the channel asked for, it is there. */
function isUnknownTopic({ broker, topicFilter }: StatsSource): boolean {
  return topicFilter !== null && broker.getTopic(topicFilter) === undefined
}

function* topicJson(topic: TopicStats, source: StatsSource): Generator<string> {
  yield `{"topic_name":${toGoJson(topic.name)},"channels":`
  yield* listJson(topic.channels, (channel) => channelJson(channel, source))
  yield `,"depth":${topic.depth},"backend_depth":${topic.backendDepth},"message_count":${topic.messageCount}` +
    `,"message_bytes":${topic.messageBytes}${droppedCountJson(topic)},"paused":${topic.paused}${latencyJson(topic.e2eLatency)}}`
}

/** Ours; nsqd has no such field, and while nothing was dropped nor have we. */
function droppedCountJson({ droppedCount }: TopicStats): string {
  return droppedCount === 0 ? '' : `,"dropped_count":${droppedCount}`
}

/** As nsqd has it: no percentiles where nothing is measured, nor for a topic without channels. */
function latencyJson(latency: LatencyStats | null): string {
  const percentiles = latency?.quantiles.map(({ quantile, valueNs }) => ({ quantile, value: valueNs })) ?? null
  return `,"e2e_processing_latency":{"count":${latency?.count ?? 0},"percentiles":${toGoJson(percentiles)}}`
}

/** Without topology-aware consumption nsqd counts every delivery as global, and leaves out a zero. */
function globalCountJson({ deliveryCount }: ChannelStats): string {
  return deliveryCount === 0 ? '' : `,"global_msg_count":${deliveryCount}`
}

function* channelJson(channel: ChannelStats, source: StatsSource): Generator<string> {
  yield `{"channel_name":${toGoJson(channel.name)},"depth":${channel.depth},"backend_depth":${channel.backendDepth}` +
    `,"in_flight_count":${channel.inFlightCount},"deferred_count":${channel.deferredCount}` +
    `,"message_count":${channel.messageCount}${globalCountJson(channel)},"requeue_count":${channel.requeueCount}` +
    `,"timeout_count":${channel.timeoutCount},"client_count":${channel.clientCount},"clients":`
  if (source.includeClients) yield* listJson(channel.clients, (client) => clientJson(client, source))
  else yield 'null'
  yield `,"paused":${channel.paused}${latencyJson(channel.e2eLatency)}}`
}

function* clientJson(client: ClientStats, { topicFilter }: StatsSource): Generator<string> {
  const counts = [...client.publishCounts].filter(([topic]) => topicFilter === null || topic === topicFilter)
  yield toGoJson({
    client_id: client.clientId,
    hostname: client.hostname,
    version: client.version,
    remote_address: client.remoteAddress,
    state: client.state,
    ready_count: client.readyCount,
    in_flight_count: client.inFlightCount,
    message_count: client.messageCount,
    finish_count: client.finishCount,
    requeue_count: client.requeueCount,
    connect_ts: Math.floor(client.connectedAtMs / 1000),
    sample_rate: client.sampleRate,
    deflate: client.deflate,
    snappy: client.snappy,
    user_agent: client.userAgent,
    authed: client.authed || undefined,
    auth_identity: client.authIdentity || undefined,
    auth_identity_url: client.authIdentityUrl || undefined,
    topology_zone: client.topologyZone,
    topology_region: client.topologyRegion,
    pub_counts: counts.length === 0 ? undefined : counts.map(([topic, count]) => ({ topic, count })),
    tls: client.tls !== null,
    tls_cipher_suite: client.tls?.cipherSuite ?? '',
    tls_version: client.tls?.version ?? '',
    tls_negotiated_protocol: client.tls?.negotiatedProtocol ?? '',
    tls_negotiated_protocol_is_mutual: client.tls !== null,
  })
}

function* listJson<T>(items: readonly T[], toJson: (item: T) => Generator<string>): Generator<string> {
  yield '['
  for (let index = 0; index < items.length; index++) {
    if (index > 0) yield ','
    yield* toJson(items[index])
  }
  yield ']'
}
