import { isValidName } from '@spillway/core'
import { HttpError, type Params, parseParams } from '@spillway/http'
import type { Exchange } from './node.js'

/** The topic that a request is about, whatever its name looks like. @throws HttpError 400 */
export function topicOf({ rawQuery }: Exchange): string {
  return required(parseParams(rawQuery), 'topic', 'MISSING_ARG_TOPIC')
}

/** @throws HttpError 400 */
export function validTopicOf(exchange: Exchange): string {
  return requireValid(topicOf(exchange), 'INVALID_ARG_TOPIC')
}

export interface ChannelName {
  readonly topic: string
  readonly channel: string
}

/** @throws HttpError 400 */
export function channelOf(exchange: Exchange): ChannelName {
  const topic = validTopicOf(exchange)
  const channel = required(parseParams(exchange.rawQuery), 'channel', 'MISSING_ARG_CHANNEL')
  return { topic, channel: requireValid(channel, 'INVALID_ARG_CHANNEL') }
}

/** The node that is to have a tombstone. @throws HttpError 400 */
export function nodeNameOf({ rawQuery }: Exchange): string {
  return required(parseParams(rawQuery), 'node', 'MISSING_ARG_NODE')
}

function required(params: Params, name: string, code: string): string {
  const value = params.get(name)
  if (value === undefined) throw new HttpError(400, code)
  return value
}

function requireValid(name: string, code: string): string {
  if (!isValidName(name)) throw new HttpError(400, code)
  return name
}
