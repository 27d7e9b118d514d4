import { type Broker, type BrokerStats, type ChannelStats, spillwayVersion, type TopicStats } from '@spillway/core'
import {
  BUILD_METRIC,
  CHANNEL_METRICS,
  HEALTH_METRIC,
  LATENCY_METRIC,
  type Metric,
  NODE_METRICS,
  START_METRIC,
  TOPIC_METRICS,
} from './catalogue.js'

/** How much is told. Each topic and channel is a series of every metric: with thousands of them a database may not want that. */
export type MetricsDetail = 'node' | 'topics' | 'channels'

type Labels = Readonly<Record<string, string>>

/** What a node tells in Prometheus' text format, in small parts. Nothing is counted for it that is not counted anyway. */
export function* nodeMetrics(broker: Broker, stats: BrokerStats, detail: MetricsDetail): Generator<string> {
  yield head(BUILD_METRIC.name, 'gauge', BUILD_METRIC.help)
  const versions = { version: spillwayVersion(), nsq_version: broker.options.version, node_version: process.version }
  yield line(BUILD_METRIC.name, versions, 1)
  yield head(HEALTH_METRIC.name, 'gauge', HEALTH_METRIC.help)
  yield line(HEALTH_METRIC.name, {}, broker.health === 'OK' ? 1 : 0)
  yield head(START_METRIC.name, 'gauge', START_METRIC.help)
  yield line(START_METRIC.name, {}, Math.floor(broker.startedAtMs / 1000))
  for (const metric of NODE_METRICS) yield* samples(metric, [[{}, stats]])
  if (detail === 'node') return
  const topics = stats.topics.map((topic): [Labels, TopicStats] => [{ topic: topic.name }, topic])
  for (const metric of TOPIC_METRICS) yield* samples(metric, topics)
  if (detail === 'topics') return
  const channels = stats.topics.flatMap((topic) =>
    topic.channels.map((channel): [Labels, ChannelStats] => [{ topic: topic.name, channel: channel.name }, channel]),
  )
  for (const metric of CHANNEL_METRICS) yield* samples(metric, channels)
  yield* latencies(channels)
}

function* samples<T>(metric: Metric<T>, items: readonly (readonly [Labels, T])[]): Generator<string> {
  yield head(metric.name, metric.type, metric.help)
  for (const [labels, item] of items) {
    const value = metric.value(item)
    if (value !== null) yield line(metric.name, labels, value)
  }
}

function* latencies(channels: readonly (readonly [Labels, ChannelStats])[]): Generator<string> {
  const { name, help } = LATENCY_METRIC
  const measured = channels.filter(([, { e2eLatency }]) => e2eLatency !== null)
  if (measured.length === 0) return
  yield head(name, 'summary', help)
  for (const [labels, { e2eLatency }] of measured) {
    if (e2eLatency === null) continue
    const { count, quantiles, totalCount, totalMs } = e2eLatency
    for (const { quantile, valueNs } of quantiles) {
      // Of no message there is no quantile, which is not the same as 0 seconds.
      yield line(name, { ...labels, quantile: String(quantile) }, count === 0 ? Number.NaN : valueNs / 1e9)
    }
    // Counters, as in every summary: the quantiles are of a window, these of all time.
    yield line(`${name}_sum`, labels, totalMs / 1000)
    yield line(`${name}_count`, labels, totalCount)
  }
}

function head(name: string, type: 'counter' | 'gauge' | 'summary', help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`
}

function escapeLabel(text: string): string {
  return text.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))
}
