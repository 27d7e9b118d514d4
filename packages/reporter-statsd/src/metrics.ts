import { type BrokerStats, isEphemeral, type LatencyStats, type MemoryStats } from '@spillway/core'

/** One number as statsd takes it. */
export interface StatsdMetric {
  /** Without the prefix. */
  readonly name: string
  readonly value: number
  readonly type: 'c' | 'g'
}

/** What one push tells of. */
export interface Snapshot {
  readonly stats: BrokerStats
  readonly memory: MemoryStats | null
}

/**
 * What nsqd tells, in its order: topics by name, each followed by its channels, then memory.
 * @param before - what was told last: statsd's counters are what came in addition
 */
export function* metricsOf(
  now: Snapshot,
  before: Snapshot | null,
  excludeEphemeral: boolean,
): Generator<StatsdMetric, void, undefined> {
  for (const [topic, topicBefore] of withBefore(now.stats.topics, before?.stats.topics)) {
    if (excludeEphemeral && isEphemeral(topic.name)) continue
    const prefix = `topic.${topic.name}`
    yield counter(`${prefix}.message_count`, topic.messageCount, topicBefore?.messageCount)
    yield counter(`${prefix}.message_bytes`, topic.messageBytes, topicBefore?.messageBytes)
    yield gauge(`${prefix}.depth`, topic.depth)
    yield gauge(`${prefix}.backend_depth`, topic.backendDepth)
    yield* latencies(prefix, topic.e2eLatency)
    for (const [channel, channelBefore] of withBefore(topic.channels, topicBefore?.channels)) {
      if (excludeEphemeral && isEphemeral(channel.name)) continue
      const of = `${prefix}.channel.${channel.name}`
      yield counter(`${of}.message_count`, channel.messageCount, channelBefore?.messageCount)
      yield gauge(`${of}.depth`, channel.depth)
      yield gauge(`${of}.backend_depth`, channel.backendDepth)
      yield gauge(`${of}.in_flight_count`, channel.inFlightCount)
      yield gauge(`${of}.deferred_count`, channel.deferredCount)
      yield counter(`${of}.requeue_count`, channel.requeueCount, channelBefore?.requeueCount)
      yield counter(`${of}.timeout_count`, channel.timeoutCount, channelBefore?.timeoutCount)
      yield gauge(`${of}.clients`, channel.clientCount)
      yield* latencies(of, channel.e2eLatency)
    }
  }
  if (now.memory === null) return
  const { memory } = now
  yield gauge('mem.heap_objects', memory.heap_objects)
  yield gauge('mem.heap_idle_bytes', memory.heap_idle_bytes)
  yield gauge('mem.heap_in_use_bytes', memory.heap_in_use_bytes)
  yield gauge('mem.heap_released_bytes', memory.heap_released_bytes)
  yield gauge('mem.gc_pause_usec_100', memory.gc_pause_usec_100)
  yield gauge('mem.gc_pause_usec_99', memory.gc_pause_usec_99)
  yield gauge('mem.gc_pause_usec_95', memory.gc_pause_usec_95)
  yield gauge('mem.next_gc_bytes', memory.next_gc_bytes)
  yield counter('mem.gc_runs', memory.gc_total_runs, before?.memory?.gc_total_runs)
}

const METRICS_OF_TOPIC = 4
const METRICS_OF_CHANNEL = 8
const METRICS_OF_MEMORY = 9

/** How many {@link metricsOf} gives, without making them. */
export function metricCountOf({ stats, memory }: Snapshot, excludeEphemeral: boolean): number {
  let count = memory === null ? 0 : METRICS_OF_MEMORY
  for (const topic of stats.topics) {
    if (excludeEphemeral && isEphemeral(topic.name)) continue
    count += METRICS_OF_TOPIC + quantileCountOf(topic)
    for (const channel of topic.channels) {
      if (excludeEphemeral && isEphemeral(channel.name)) continue
      count += METRICS_OF_CHANNEL + quantileCountOf(channel)
    }
  }
  return count
}

function quantileCountOf({ e2eLatency }: { readonly e2eLatency: LatencyStats | null }): number {
  return e2eLatency?.quantiles.length ?? 0
}

function gauge(name: string, value: number): StatsdMetric {
  return { name, value, type: 'g' }
}

/** What was deleted and made again counts from 0. */
function counter(name: string, total: number, before = 0): StatsdMetric {
  return { name, value: total >= before ? total - before : total, type: 'c' }
}

/** Each item with the one of the same name before it, if there was one. Both lists are by name, ascending. */
function* withBefore<T extends { readonly name: string }>(
  items: readonly T[],
  before: readonly T[] = [],
): Generator<readonly [item: T, before: T | undefined], void, undefined> {
  let at = 0
  for (const item of items) {
    while (at < before.length && before[at].name < item.name) at++
    yield [item, before[at]?.name === item.name ? before[at] : undefined]
  }
}

function* latencies(prefix: string, latency: LatencyStats | null): Generator<StatsdMetric, void, undefined> {
  for (const { quantile, valueNs } of latency?.quantiles ?? []) {
    yield gauge(`${prefix}.e2e_processing_latency_${percentName(quantile)}`, Math.round(valueNs))
  }
}

/** 0.99 is `99`, as nsqd has it; 0.995 is `99_5`, where nsqd says `100`. */
function percentName(quantile: number): string {
  return String(Number((quantile * 100).toFixed(6))).replace('.', '_')
}
