import { type Broker, type Channel, isValidName, type Topic } from '@spillway/core'
import { HttpError, type Params } from '@spillway/http'
import type { Exchange } from './exchange.js'

/** The topic that is published to or created. @throws HttpError 400, BrokerError `E_EXITING`. */
export function openTopicOf({ broker }: { readonly broker: Broker }, params: Params): Topic {
  const name = params.get('topic')
  if (name === undefined) throw new HttpError(400, 'MISSING_ARG_TOPIC')
  if (!isValidName(name)) throw new HttpError(400, 'INVALID_TOPIC')
  return broker.openTopic(name)
}

/** The topic that a request is about, whatever its name looks like. @throws HttpError 400, 404. */
export function existingTopicOf(exchange: Exchange, params: Params): Topic {
  const name = params.get('topic')
  if (name === undefined) throw new HttpError(400, 'MISSING_ARG_TOPIC')
  const topic = exchange.broker.getTopic(name)
  if (topic === undefined) throw new HttpError(404, 'TOPIC_NOT_FOUND')
  return topic
}

export interface ChannelAddress {
  readonly topic: Topic
  readonly channelName: string
}

/** The existing topic and the channel's valid name. @throws HttpError 400, 404. */
export function channelAddressOf(exchange: Exchange, params: Params): ChannelAddress {
  const topicName = params.get('topic')
  if (topicName === undefined) throw new HttpError(400, 'MISSING_ARG_TOPIC')
  if (!isValidName(topicName)) throw new HttpError(400, 'INVALID_ARG_TOPIC')
  const channelName = params.get('channel')
  if (channelName === undefined) throw new HttpError(400, 'MISSING_ARG_CHANNEL')
  if (!isValidName(channelName)) throw new HttpError(400, 'INVALID_ARG_CHANNEL')
  return { topic: existingTopicOf(exchange, params), channelName }
}

/** The channel that a request is about. @throws HttpError 400, 404. */
export function existingChannelOf(exchange: Exchange, params: Params): Channel {
  const { topic, channelName } = channelAddressOf(exchange, params)
  const channel = topic.getChannel(channelName)
  if (channel === undefined) throw new HttpError(404, 'CHANNEL_NOT_FOUND')
  return channel
}
