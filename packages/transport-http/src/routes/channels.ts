import type { Channel } from '@spillway/core'
import { parseParams } from '@spillway/http'
import { channelAddressOf, existingChannelOf } from '../addressed.js'
import type { Exchange } from '../exchange.js'
import type { Handler, Route } from './route.js'

export const channelRoutes: readonly Route[] = [
  { method: 'POST', path: '/channel/create', access: 'consume', handle: create },
  { method: 'POST', path: '/channel/delete', access: 'administer', handle: onChannel((channel) => channel.delete()) },
  { method: 'POST', path: '/channel/empty', access: 'administer', handle: onChannel((channel) => channel.empty()) },
  { method: 'POST', path: '/channel/pause', access: 'administer', handle: onChannel((channel) => channel.pause()) },
  { method: 'POST', path: '/channel/unpause', access: 'administer', handle: onChannel((channel) => channel.unpause()) },
]

async function create(exchange: Exchange): Promise<void> {
  const { topic, channelName } = channelAddressOf(exchange, parseParams(exchange.rawQuery))
  await topic.openChannel(channelName)
  exchange.sendEmpty()
}

function onChannel(act: (channel: Channel) => Promise<void>): Handler {
  return async (exchange) => {
    await act(existingChannelOf(exchange, parseParams(exchange.rawQuery)))
    exchange.sendEmpty()
  }
}
