import type { Clock, StatsFilter } from '@spillway/core'
import type { Exchange } from '../exchange.js'
import { booleanParam, parseParams } from '../params.js'
import type { Route } from '../router.js'
import { statsJson } from '../stats/stats-json.js'
import type { StatsSource } from '../stats/stats-source.js'
import { statsText } from '../stats/stats-text.js'

export const statsRoutes: readonly Route[] = [{ method: 'GET', path: '/stats', handle: stats }]

/** Written in one turn; what is longer is written over several, so that messages need not wait for it. */
const CHARS_PER_TURN = 128 * 1024

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
  if (params.get('format') === 'json') exchange.sendJson(200, await join(statsJson(source), broker.clock))
  else exchange.sendText(await join(statsText(source), broker.clock))
}

async function join(parts: Iterable<string>, clock: Clock): Promise<string> {
  let text = ''
  let pauseAt = CHARS_PER_TURN
  for (const part of parts) {
    text += part
    if (text.length < pauseAt) continue
    await new Promise<void>((resolve) => clock.inNextTurn(resolve))
    pauseAt = text.length + CHARS_PER_TURN
  }
  return text
}
