import { HttpError } from '@spillway/http'
import { DatabaseFullError } from '../registrations/registration-database.js'
import { channelOf, nodeNameOf, topicOf, validTopicOf } from './args.js'
import type { Exchange, Route } from './node.js'

/** What people and nsqadmin change. */
export const changeRoutes: readonly Route[] = [
  { method: 'POST', path: '/topic/create', handle: createTopic },
  { method: 'POST', path: '/topic/delete', handle: deleteTopic },
  { method: 'POST', path: '/topic/tombstone', handle: tombstone },
  { method: 'POST', path: '/channel/create', handle: createChannel },
  { method: 'POST', path: '/channel/delete', handle: deleteChannel },
]

function createTopic(exchange: Exchange): void {
  const topic = validTopicOf(exchange)
  whereThereIsRoom(() => exchange.node.database.createTopic(topic))
  done(exchange, 'topic created', { topic })
}

/** Also of a topic that nobody knows, and whatever its name looks like. */
function deleteTopic(exchange: Exchange): void {
  const topic = topicOf(exchange)
  exchange.node.database.deleteTopic(topic)
  done(exchange, 'topic deleted', { topic })
}

/** Also of a node that nobody knows. */
function tombstone(exchange: Exchange): void {
  const topic = topicOf(exchange)
  const node = nodeNameOf(exchange)
  exchange.node.database.tombstone(topic, node)
  done(exchange, 'producer hidden', { topic, node })
}

function createChannel(exchange: Exchange): void {
  const { topic, channel } = channelOf(exchange)
  whereThereIsRoom(() => exchange.node.database.createChannel(topic, channel))
  done(exchange, 'channel created', { topic, channel })
}

function deleteChannel(exchange: Exchange): void {
  const { topic, channel } = channelOf(exchange)
  if (!exchange.node.database.deleteChannel(topic, channel)) throw new HttpError(404, 'CHANNEL_NOT_FOUND')
  done(exchange, 'channel deleted', { topic, channel })
}

function done(exchange: Exchange, what: string, fields: Readonly<Record<string, string>>): void {
  exchange.node.logger.info(what, fields)
  exchange.sendEmpty()
}

/** @throws HttpError 503 */
function whereThereIsRoom(create: () => void): void {
  try {
    create()
  } catch (error) {
    if (error instanceof DatabaseFullError) throw new HttpError(503, 'FULL')
    throw error
  }
}
