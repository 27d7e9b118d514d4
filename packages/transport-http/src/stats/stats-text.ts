import type { ChannelStats, ClientStats, LatencyStats, TopicStats } from '@spillway/core'
import { toGoDuration } from './go-duration.js'
import type { StatsSource } from './stats-source.js'

/** The text of `/stats` in small parts, in nsqd's columns. */
export function* statsText(source: StatsSource): Generator<string> {
  const { broker, stats, memory } = source
  const nowMs = broker.clock.wallMs()
  yield `nsqd v${broker.options.version} (built w/node${process.versions.node})\n`
  yield `start_time ${toSecond(broker.startedAtMs)}\nuptime ${toGoDuration(nowMs - broker.startedAtMs)}\n`
  yield `\nHealth: ${broker.health}\n`
  if (memory !== null) {
    yield '\nMemory:\n'
    for (const [name, value] of Object.entries(memory)) yield `   ${name.padEnd(25)}\t${value}\n`
  }
  yield stats.topics.length === 0 ? '\nTopics: None\n' : '\nTopics:'
  for (const topic of stats.topics) yield* topicText(topic, nowMs)
  yield stats.producers.length === 0 ? '\nProducers: None\n' : '\nProducers:\n'
  for (const client of stats.producers) yield `   ${producerText(client, nowMs)}`
}

function* topicText(topic: TopicStats, nowMs: number): Generator<string> {
  yield `\n${topic.paused ? '*P ' : '   '}[${topic.name.padEnd(15)}] depth: ${column(topic.depth, 5)}` +
    ` be-depth: ${column(topic.backendDepth, 5)} msgs: ${column(topic.messageCount, 8)} e2e%: ${latencyText(topic.e2eLatency)}\n`
  for (const channel of topic.channels) {
    yield channelText(channel)
    for (const client of channel.clients) yield `        ${consumerText(client, nowMs)}`
  }
}

function channelText(channel: ChannelStats): string {
  return (
    `   ${channel.paused ? '*P ' : '   '}[${channel.name.padEnd(25)}] depth: ${column(channel.depth, 5)}` +
    ` be-depth: ${column(channel.backendDepth, 5)} inflt: ${column(channel.inFlightCount, 4)}` +
    ` def: ${column(channel.deferredCount, 4)} re-q: ${column(channel.requeueCount, 5)}` +
    ` timeout: ${column(channel.timeoutCount, 5)} msgs: ${column(channel.messageCount, 8)} e2e%: ${latencyText(channel.e2eLatency)}\n`
  )
}

const LATENCY_UNITS = [
  ['s', 1e9],
  ['ms', 1e6],
  ['us', 1e3],
  ['ns', 1],
] as const

/** `251.1ms, 3.2ms`: one for each quantile. */
function latencyText(latency: LatencyStats | null): string {
  const texts = latency?.quantiles.map(({ valueNs }) => {
    const [unit, sizeNs] = LATENCY_UNITS.find(([, ns]) => valueNs >= ns) ?? LATENCY_UNITS[3]
    return `${(valueNs / sizeNs).toFixed(1)}${unit}`
  })
  return texts?.join(', ') ?? ''
}

function consumerText(client: ClientStats, nowMs: number): string {
  if (client.publishCounts.size > 0) return producerText(client, nowMs)
  return (
    `[${labelOf(client)}] state: ${client.state} inflt: ${column(client.inFlightCount, 4)}` +
    ` rdy: ${column(client.readyCount, 4)} fin: ${column(client.finishCount, 8)}` +
    ` re-q: ${column(client.requeueCount, 8)} msgs: ${column(client.messageCount, 8)}` +
    ` connected: ${connectedFor(client, nowMs)}\n`
  )
}

function producerText(client: ClientStats, nowMs: number): string {
  const counts = [...client.publishCounts]
  const total = counts.reduce((sum, [, count]) => sum + count, 0)
  const topics = counts.map(([topic, count]) => `${topic}=${count}`).join(',')
  return `[${labelOf(client)}] msgs: ${column(total, 8)} topics: ${topics} connected: ${connectedFor(client, nowMs)}\n`
}

/** The host that it says to be, and the port that it comes from. */
function labelOf(client: ClientStats): string {
  const port = client.remoteAddress.slice(client.remoteAddress.lastIndexOf(':') + 1)
  return `${client.version} ${`${client.hostname}:${port} ${client.userAgent}`.padEnd(21)}`
}

function connectedFor(client: ClientStats, nowMs: number): string {
  return toGoDuration(Math.floor((nowMs - client.connectedAtMs) / 1000) * 1000)
}

function toSecond(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 19)}Z`
}

function column(value: number, width: number): string {
  return String(value).padEnd(width)
}
