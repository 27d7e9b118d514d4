import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { CHANNEL_METRICS, LATENCY_METRIC, NODE_METRICS, TOPIC_METRICS } from '../src/metrics/catalogue.js'
import { nodeMetrics } from '../src/metrics/render.js'
import { FakeBroker } from './support/fake-broker.js'
import { channelStats, topicStats } from './support/sample-stats.js'
import { TestTransport } from './support/start-transport.js'

const latency = { count: 3, totalCount: 7, totalMs: 1_250, quantiles: [{ quantile: 0.99, valueNs: 2_500_000 }] }
const STATS = {
  topics: [
    topicStats({
      name: 'orders',
      paused: true,
      channels: [channelStats({ name: 'mail#ephemeral', oldestAgeMs: 1_500, e2eLatency: latency })],
    }),
    topicStats({ name: 'empty' }),
  ],
  producers: [],
}

/** Samples by name and labels. */
function samplesIn(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]))
}

describe('/metrics', () => {
  it('tells of the node, its topics and channels, and the process', async () => {
    const http = await TestTransport.start()
    http.broker.statsResult = STATS
    const { status, text, headers } = await http.get('/metrics')
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
    const samples = samplesIn(text)
    assert.equal(samples.get('spillway_healthy'), '1')
    assert.equal(samples.get('spillway_topics'), '2')
    assert.equal(samples.get('spillway_topic_messages_total{topic="orders"}'), '19')
    assert.equal(samples.get('spillway_topic_paused{topic="orders"}'), '1')
    const channel = 'topic="orders",channel="mail#ephemeral"'
    assert.equal(samples.get(`spillway_channel_depth{${channel}}`), '3')
    assert.equal(samples.get(`spillway_channel_oldest_message_age_seconds{${channel}}`), '1.5')
    assert.equal(samples.get(`spillway_channel_processing_latency_seconds{${channel},quantile="0.99"}`), '0.0025')
    assert.equal(samples.get(`spillway_channel_processing_latency_seconds_count{${channel}}`), '7')
    assert.equal(samples.get(`spillway_channel_processing_latency_seconds_sum{${channel}}`), '1.25')
    const { version } = JSON.parse(readFileSync(new URL('../../../core/package.json', import.meta.url), 'utf8'))
    assert.match(
      text,
      new RegExp(`^spillway_build_info{version="${version}",nsq_version="1.3.0",node_version="v[^"]+"} 1$`, 'm'),
    )
    assert.ok(samples.has('process_resident_memory_bytes'))
    assert.ok(samples.has('nodejs_eventloop_lag_p99_seconds'))
    await http.stop()
  })

  it('has no quantile of a window without messages, and goes on counting', () => {
    const empty = { count: 0, totalCount: 7, totalMs: 1_250, quantiles: [{ quantile: 0.99, valueNs: 0 }] }
    const topics = [topicStats({ name: 't', channels: [channelStats({ name: 'c', e2eLatency: empty })] })]
    const samples = samplesIn([...nodeMetrics(new FakeBroker(), { topics, producers: [] }, 'channels')].join(''))
    const name = 'spillway_channel_processing_latency_seconds'
    assert.equal(samples.get(`${name}{topic="t",channel="c",quantile="0.99"}`), 'NaN')
    assert.equal(samples.get(`${name}_count{topic="t",channel="c"}`), '7')
  })

  it('names every metric once, with what it is', async () => {
    const text = [...nodeMetrics(new FakeBroker(), STATS, 'channels')].join('')
    const types = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name)
    assert.deepEqual(types, [...new Set(types)])
    for (const name of samplesIn(text).keys()) {
      const family = name.replace(/\{.*/, '').replace(/_(count|sum)$/, '')
      assert.ok(types.includes(family), name)
    }
  })

  it('tells less where that is asked for', () => {
    const namesOf = (detail: 'node' | 'topics') => [...nodeMetrics(new FakeBroker(), STATS, detail)].join('')
    assert.doesNotMatch(namesOf('node'), /spillway_topic_|spillway_channel_/)
    assert.match(namesOf('topics'), /spillway_topic_/)
    assert.doesNotMatch(namesOf('topics'), /spillway_channel_/)
  })

  it('is described in docs/metrics.md, metric by metric', () => {
    const page = readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8')
    const rows = [...page.matchAll(/^\| `(spillway_\w+)` \| (\w+) \|/gm)].map(([, name, type]) => `${name} ${type}`)
    const all = [...NODE_METRICS, ...TOPIC_METRICS, ...CHANNEL_METRICS].map(({ name, type }) => `${name} ${type}`)
    const others = ['spillway_build_info gauge', 'spillway_healthy gauge', 'spillway_start_time_seconds gauge']
    assert.deepEqual(rows.toSorted(), [...all, ...others, `${LATENCY_METRIC.name} summary`].toSorted())
  })
})
