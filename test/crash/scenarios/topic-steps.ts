import type { ChannelLedger } from '../channel-ledger.js'
import { Consumer, type ConsumerPlan } from '../consumer.js'
import type { Life } from '../life.js'
import { Producer, type ProducerPlan } from '../producer.js'
import type { TopicLedger } from '../topic-ledger.js'
import type { SeenTopics } from './scenario.js'

const READY_COUNT_DRAINING = 2_500

export const topicQuery = ({ name }: TopicLedger) => `topic=${encodeURIComponent(name)}`
export const channelQuery = (ledger: TopicLedger, channel: string) =>
  `${topicQuery(ledger)}&channel=${encodeURIComponent(channel)}`

/** The channel's ledger; asks the broker to create the channel if nobody has yet. Null when the broker died over that. */
export async function openChannel(life: Life, topic: TopicLedger, name: string): Promise<ChannelLedger | null> {
  const known = topic.channels.get(name)
  if (known !== undefined) return known
  if (!(await life.change(`/topic/create?${topicQuery(topic)}`))) return null
  if (!(await life.change(`/channel/create?${channelQuery(topic, name)}`))) return null
  return topic.addChannel(name)
}

export async function consume(
  life: Life,
  channel: ChannelLedger,
  ...plans: readonly ConsumerPlan[]
): Promise<Consumer[]> {
  const consumers = await Promise.all(plans.map((plan) => Consumer.start(life, channel, plan)))
  return consumers.filter((consumer) => consumer !== null)
}

export async function produce(life: Life, topic: TopicLedger, ...plans: readonly ProducerPlan[]): Promise<Producer[]> {
  const producers = await Promise.all(plans.map((plan) => Producer.start(life, topic, plan)))
  return producers.filter((producer) => producer !== null)
}

/** Publishes for a while; when this returns, everything was answered or the broker is dead. */
export async function produceFor(
  life: Life,
  topic: TopicLedger,
  forMs: number,
  ...plans: readonly ProducerPlan[]
): Promise<void> {
  const producers = await produce(life, topic, ...plans)
  await life.pause(forMs)
  await Promise.all(producers.map((producer) => producer.stop()))
}

/** Finishes what waits, as fast as it comes. */
export async function drain(life: Life, topic: TopicLedger): Promise<void> {
  const channels = [...topic.channels.values()]
  await Promise.all(channels.map((channel) => consume(life, channel, { readyCount: READY_COUNT_DRAINING })))
}

/** PUBs, some of them under way at any time. */
export function singles(messagesPerSecond: number): ProducerPlan {
  return { messagesPerSecond, messagesPerCommand: 1, commandsMax: 64 }
}

/** MPUBs. */
export function batches(messagesPerSecond: number, messagesPerCommand: number): ProducerPlan {
  return { messagesPerSecond, messagesPerCommand, commandsMax: 8 }
}

/** DPUBs. */
export function deferrals(messagesPerSecond: number, delayMsMax: number): ProducerPlan {
  return { messagesPerSecond, messagesPerCommand: 1, commandsMax: 64, delayMsMax }
}

/** Complains if the topic, or a channel whose creation was answered, is not there. */
export function checkExists(seen: SeenTopics, topic: TopicLedger): void {
  for (const name of topic.channels.keys()) {
    const channels = seen.get(topic.name)?.channels ?? []
    if (!channels.some(({ channel_name }) => channel_name === name))
      topic.violations.add('a channel is gone', `${topic.name}/${name}`)
  }
}
