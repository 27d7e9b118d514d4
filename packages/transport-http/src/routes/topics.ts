import type { Topic } from '@spillway/core'
import { isValidName } from '@spillway/core'
import { HttpError, parseParams } from '@spillway/http'
import { existingTopicOf, openTopicOf } from '../addressed.js'
import type { Exchange } from '../exchange.js'
import type { Handler, Route } from './route.js'

export const topicRoutes: readonly Route[] = [
  { method: 'POST', path: '/topic/create', access: 'publish', handle: create },
  { method: 'POST', path: '/topic/delete', access: 'administer', handle: onTopic((topic) => topic.delete()) },
  { method: 'POST', path: '/topic/empty', access: 'administer', handle: empty },
  { method: 'POST', path: '/topic/pause', access: 'administer', handle: onTopic((topic) => topic.pause()) },
  { method: 'POST', path: '/topic/unpause', access: 'administer', handle: onTopic((topic) => topic.unpause()) },
]

async function create(exchange: Exchange): Promise<void> {
  await openTopicOf(exchange, parseParams(exchange.rawQuery)).whenDurable()
  exchange.sendEmpty()
}

/** The only one of them that looks at the name. */
async function empty(exchange: Exchange): Promise<void> {
  const params = parseParams(exchange.rawQuery)
  const name = params.get('topic')
  if (name !== undefined && !isValidName(name)) throw new HttpError(400, 'INVALID_TOPIC')
  await existingTopicOf(exchange, params).empty()
  exchange.sendEmpty()
}

function onTopic(act: (topic: Topic) => Promise<void>): Handler {
  return async (exchange) => {
    await act(existingTopicOf(exchange, parseParams(exchange.rawQuery)))
    exchange.sendEmpty()
  }
}
