import { NSQ_VERSION } from '@spillway/core'
import { HttpError, jsonList, toGoJson } from '@spillway/http'
import type { PeerInfo } from '../registrations/peer.js'
import { topicOf } from './args.js'
import { debugJson } from './debug-json.js'
import type { Exchange, Route } from './node.js'

/** What only looks. Lists are in order of names unless they are long, where nsqlookupd's are as they come. */
export const lookRoutes: readonly Route[] = [
  { method: 'GET', path: '/ping', handle: (exchange) => exchange.sendPlainText(200, 'OK') },
  { method: 'GET', path: '/info', handle: (exchange) => exchange.sendJson(200, toGoJson({ version: NSQ_VERSION })) },
  { method: 'GET', path: '/topics', handle: (exchange) => exchange.sendJsonParts(topics(exchange)) },
  {
    method: 'GET',
    path: '/channels',
    handle: (exchange) => exchange.sendJsonParts(channels(exchange, topicOf(exchange))),
  },
  { method: 'GET', path: '/lookup', handle: lookup },
  { method: 'GET', path: '/nodes', handle: (exchange) => exchange.sendJsonParts(nodes(exchange)) },
  { method: 'GET', path: '/debug', handle: (exchange) => exchange.sendJsonParts(debugJson(exchange.node.database)) },
]

function* topics({ node }: Exchange): Generator<string, void> {
  yield '{"topics":'
  yield* jsonList(node.database.topics)
  yield '}'
}

function* channels({ node }: Exchange, topic: string): Generator<string, void> {
  yield '{"channels":'
  yield* jsonList(node.database.channelsOf(topic))
  yield '}'
}

/** Who has a topic, and which channels it has. */
function lookup(exchange: Exchange): Promise<void> {
  const topic = topicOf(exchange)
  if (!exchange.node.database.hasTopic(topic)) throw new HttpError(404, 'TOPIC_NOT_FOUND')
  return exchange.sendJsonParts(found(exchange, topic))
}

function* found({ node }: Exchange, topic: string): Generator<string, void> {
  const { database, inactiveProducerTimeoutMs, tombstoneLifetimeMs } = node
  const producers: PeerInfo[] = []
  for (const producer of database.producersOf(topic)) {
    const isHidden = producer.peer.silentMs > inactiveProducerTimeoutMs || producer.isTombstoned(tombstoneLifetimeMs)
    if (!isHidden) producers.push(producer.peer.info)
  }
  yield '{"channels":'
  yield* jsonList(database.channelsOf(topic))
  yield ',"producers":'
  yield* jsonList(producers)
  yield '}'
}

/** Every nsqd, with its topics, and whether it is hidden there. */
function* nodes({ node }: Exchange): Generator<string, void> {
  const { database, inactiveProducerTimeoutMs, tombstoneLifetimeMs } = node
  const peers = [...database.peers].filter((peer) => peer.silentMs <= inactiveProducerTimeoutMs)
  let before = '{"producers":['
  for (const peer of peers) {
    const topics = database.topicsOf(peer)
    yield `${before}${toGoJson(peer.info).slice(0, -1)},"tombstones":`
    yield* jsonList(
      topics,
      (topic) => `${database.producerOf(topic, peer)?.isTombstoned(tombstoneLifetimeMs) === true}`,
    )
    yield ',"topics":'
    yield* jsonList(topics)
    before = '},'
  }
  yield peers.length === 0 ? '{"producers":[]}' : '}]}'
}
