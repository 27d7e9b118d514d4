import type { StatsFilter } from '@spillway/core'
import type { Exchange } from '../exchange.js'
import { booleanParam, parseParams } from '../params.js'
import type { Route } from '../router.js'
import { statsJson } from '../stats/stats-json.js'
import type { StatsSource } from '../stats/stats-source.js'
import { statsText } from '../stats/stats-text.js'
import { joinInTurns } from '../turns.js'

export const statsRoutes: readonly Route[] = [{ method: 'GET', path: '/stats', access: 'known', handle: stats }]

async function stats(exchange: Exchange): Promise<void> {
  const { broker, node } = exchange
  const params = parseParams(exchange.rawQuery)
  const topic = params.get('topic') ?? ''
  const channel = params.get('channel') ?? ''
  const includeClients = booleanParam(params, 'include_clients', true)
  const filter: StatsFilter = {
    includeClients,
    ...(topic === '' ? {} : { topic }),
    ...(channel === '' ? {} : { channel }),
  }
  const source: StatsSource = {
    broker,
    stats: broker.stats(filter),
    topicFilter: topic === '' ? null : topic,
    includeClients,
    memory: booleanParam(params, 'include_mem', true) ? node.memory.stats() : null,
  }
  if (params.get('format') === 'json') exchange.sendJson(200, await joinInTurns(statsJson(source), broker.clock))
  else exchange.sendText(await joinInTurns(statsText(source), broker.clock))
}
