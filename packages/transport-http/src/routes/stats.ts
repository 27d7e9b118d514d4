import type { StatsFilter } from '@spillway/core'
import { booleanParam, jsonHeaders, parseParams, textHeaders } from '@spillway/http'
import type { BrokerNode, Exchange } from '../exchange.js'
import { SharedWork } from '../shared-work.js'
import { statsJson } from '../stats/stats-json.js'
import type { StatsSource } from '../stats/stats-source.js'
import { statsText } from '../stats/stats-text.js'
import { encodeInTurns, sizeBytesOf } from '../turns.js'
import type { Route } from './route.js'

export const statsRoutes: readonly Route[] = [{ method: 'GET', path: '/stats', access: 'known', handle: stats }]

/** What is asked for. */
interface StatsQuery {
  readonly isJson: boolean
  /** Empty for all. */
  readonly topic: string
  readonly channel: string
  readonly includeClients: boolean
  readonly includeMemory: boolean
}

/** However many ask the same at once, it is written for one of them at a time. By what is asked. */
const writing = new WeakMap<BrokerNode, Map<string, SharedWork<readonly Buffer[]>>>()

async function stats(exchange: Exchange): Promise<void> {
  const query = queryOf(exchange)
  const pieces = await shared(exchange.node, query)
  const sizeBytes = sizeBytesOf(pieces)
  exchange.sendPieces(200, query.isJson ? jsonHeaders(sizeBytes) : textHeaders(sizeBytes), pieces)
}

function queryOf({ rawQuery }: Exchange): StatsQuery {
  const params = parseParams(rawQuery)
  return {
    isJson: params.get('format') === 'json',
    topic: params.get('topic') ?? '',
    channel: params.get('channel') ?? '',
    includeClients: booleanParam(params, 'include_clients', true),
    includeMemory: booleanParam(params, 'include_mem', true),
  }
}

async function shared(node: BrokerNode, query: StatsQuery): Promise<readonly Buffer[]> {
  const works = writing.get(node) ?? new Map<string, SharedWork<readonly Buffer[]>>()
  writing.set(node, works)
  const key = JSON.stringify(query)
  const work = works.get(key) ?? new SharedWork(() => written(node, query))
  works.set(key, work)
  try {
    return await work.run()
  } finally {
    if (work.isIdle) works.delete(key)
  }
}

function written({ broker, memory }: BrokerNode, query: StatsQuery): Promise<readonly Buffer[]> {
  const { isJson, topic, channel, includeClients, includeMemory } = query
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
    memory: includeMemory ? memory.stats() : null,
  }
  return encodeInTurns(isJson ? statsJson(source) : statsText(source), broker.clock)
}
