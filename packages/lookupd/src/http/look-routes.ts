import { NSQ_VERSION } from '@spillway/core'
import { HttpError, toGoJson } from '@spillway/http'
import type { PeerInfo } from '../registrations/peer.js'
import { topicOf } from './args.js'
import { debugJson } from './debug-json.js'
import type { Exchange, Route } from './node.js'

/** What only looks. Everything is in order of names, where nsqlookupd's is as it comes. */
export const lookRoutes: readonly Route[] = [
  { method: 'GET', path: '/ping', handle: (exchange) => exchange.sendPlainText(200, 'OK') },
  { method: 'GET', path: '/info', handle: (exchange) => show(exchange, { version: NSQ_VERSION }) },
  { method: 'GET', path: '/topics', handle: (exchange) => show(exchange, { topics: exchange.node.database.topics }) },
  { method: 'GET', path: '/channels', handle: channels },
  { method: 'GET', path: '/lookup', handle: lookup },
  { method: 'GET', path: '/nodes', handle: nodes },
  { method: 'GET', path: '/debug', handle: (exchange) => exchange.sendJson(200, debugJson(exchange.node.database)) },
]

function channels(exchange: Exchange): void {
  show(exchange, { channels: exchange.node.database.channelsOf(topicOf(exchange)) })
}

/** Who has a topic, and which channels it has. */
function lookup(exchange: Exchange): void {
  const { database, inactiveProducerTimeoutMs, tombstoneLifetimeMs } = exchange.node
  const topic = topicOf(exchange)
  if (!database.hasTopic(topic)) throw new HttpError(404, 'TOPIC_NOT_FOUND')
  const producers: PeerInfo[] = []
  for (const producer of database.producersOf(topic)) {
    const isHidden = producer.peer.silentMs > inactiveProducerTimeoutMs || producer.isTombstoned(tombstoneLifetimeMs)
    if (!isHidden) producers.push(producer.peer.info)
  }
  show(exchange, { channels: database.channelsOf(topic), producers })
}

/** Every nsqd, with its topics, and whether it is hidden there. */
function nodes(exchange: Exchange): void {
  const { database, inactiveProducerTimeoutMs, tombstoneLifetimeMs } = exchange.node
  const producers: object[] = []
  for (const peer of database.peers) {
    if (peer.silentMs > inactiveProducerTimeoutMs) continue
    const topics = database.topicsOf(peer)
    const tombstones = topics.map(
      (topic) => database.producerOf(topic, peer)?.isTombstoned(tombstoneLifetimeMs) === true,
    )
    producers.push({ ...peer.info, tombstones, topics })
  }
  show(exchange, { producers })
}

function show(exchange: Exchange, value: object): void {
  exchange.sendJson(200, toGoJson(value))
}
