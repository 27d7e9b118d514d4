import querystring from 'node:querystring'
import { type Broker, type Channel, isValidName, type Topic } from '@spillway/core'
import type { Exchange } from './exchange.js'
import { HttpError } from './http-error.js'

/** The parameters of a query; the first of several with one name counts. */
export type Params = ReadonlyMap<string, string>

const ENCODED = /[%+]/
const BAD_ESCAPE = /%(?![0-9a-fA-F]{2})/

/** @throws HttpError 400 `INVALID_REQUEST` for a `;` or a percent sign that starts no escape. */
export function parseParams(rawQuery: string): Params {
  const params = new Map<string, string>()
  if (rawQuery === '') return params
  if (rawQuery.includes(';') || BAD_ESCAPE.test(rawQuery)) throw new HttpError(400, 'INVALID_REQUEST')
  for (const pair of rawQuery.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decode(equals === -1 ? pair : pair.slice(0, equals))
    if (!params.has(name)) params.set(name, equals === -1 ? '' : decode(pair.slice(equals + 1)))
  }
  return params
}

/** Anything but `true`, `1`, `false` and `0` leaves it at `fallback`. */
export function booleanParam(params: Params, name: string, fallback: boolean): boolean {
  const value = params.get(name)
  if (value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  return fallback
}

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

function decode(text: string): string {
  if (!ENCODED.test(text)) return text
  // Unlike decodeURIComponent it takes bytes that are not UTF-8 as well, as nsqd does.
  return querystring.unescape(text.replaceAll('+', ' '))
}
