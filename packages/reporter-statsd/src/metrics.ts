import { type BrokerStats, isEphemeral, type LatencyStats, type MemoryStats } from '@spillway/core'

/** One number as statsd takes it. */
export interface StatsdMetric {
  /** Without the prefix. */
  readonly name: string
  readonly value: number
  readonly type: 'c' | 'g'
}

/** What was told last, by name: statsd's counters are what came in addition. */
export type Counted = Map<string, number>

/** What nsqd tells, in its order: topics by name, each followed by its channels, then memory. */
export function* metricsOf(
  stats: BrokerStats,
  memory: MemoryStats | null,
  counted: Counted,
  excludeEphemeral: boolean,
): Generator<StatsdMetric> {
  const gauge = (name: string, value: number): StatsdMetric => ({ name, value, type: 'g' })
  const counter = (name: string, total: number): StatsdMetric => {
    const before = counted.get(name) ?? 0
    counted.set(name, total)
    // A topic that was deleted and made again counts from 0.
    return { name, value: total >= before ? total - before : total, type: 'c' }
  }
  for (const topic of stats.topics) {
    if (excludeEphemeral && isEphemeral(topic.name)) continue
    const prefix = `topic.${topic.name}`
    yield counter(`${prefix}.message_count`, topic.messageCount)
    yield counter(`${prefix}.message_bytes`, topic.messageBytes)
    yield gauge(`${prefix}.depth`, topic.depth)
    yield gauge(`${prefix}.backend_depth`, topic.backendDepth)
    yield* latencies(prefix, topic.e2eLatency)
    for (const channel of topic.channels) {
      if (excludeEphemeral && isEphemeral(channel.name)) continue
      const of = `${prefix}.channel.${channel.name}`
      yield counter(`${of}.message_count`, channel.messageCount)
      yield gauge(`${of}.depth`, channel.depth)
      yield gauge(`${of}.backend_depth`, channel.backendDepth)
      yield gauge(`${of}.in_flight_count`, channel.inFlightCount)
      yield gauge(`${of}.deferred_count`, channel.deferredCount)
      yield counter(`${of}.requeue_count`, channel.requeueCount)
      yield counter(`${of}.timeout_count`, channel.timeoutCount)
      yield gauge(`${of}.clients`, channel.clientCount)
      yield* latencies(of, channel.e2eLatency)
    }
  }
  if (memory === null) return
  yield gauge('mem.heap_objects', memory.heap_objects)
  yield gauge('mem.heap_idle_bytes', memory.heap_idle_bytes)
  yield gauge('mem.heap_in_use_bytes', memory.heap_in_use_bytes)
  yield gauge('mem.heap_released_bytes', memory.heap_released_bytes)
  yield gauge('mem.gc_pause_usec_100', memory.gc_pause_usec_100)
  yield gauge('mem.gc_pause_usec_99', memory.gc_pause_usec_99)
  yield gauge('mem.gc_pause_usec_95', memory.gc_pause_usec_95)
  yield gauge('mem.next_gc_bytes', memory.next_gc_bytes)
  yield counter('mem.gc_runs', memory.gc_total_runs)
}

function* latencies(prefix: string, latency: LatencyStats | null): Generator<StatsdMetric> {
  for (const { quantile, valueNs } of latency?.quantiles ?? []) {
    yield { name: `${prefix}.e2e_processing_latency_${percentName(quantile)}`, value: Math.round(valueNs), type: 'g' }
  }
}

/** 0.99 is `99`, as nsqd has it; 0.995 is `99_5`, where nsqd says `100`. */
function percentName(quantile: number): string {
  return String(Number((quantile * 100).toFixed(6))).replace('.', '_')
}
