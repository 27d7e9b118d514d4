import type { Registry } from 'prom-client'
import type { Exchange } from '../exchange.js'
import { nodeMetrics } from '../metrics/render.js'
import type { Route } from '../router.js'
import { joinInTurns } from '../turns.js'

export const metricsRoutes: readonly Route[] = [{ method: 'GET', path: '/metrics', access: 'known', handle: metrics }]

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Of the process: one registry for all listeners, since it watches the event loop. */
let processMetrics: Promise<Registry> | null = null

async function metrics(exchange: Exchange): Promise<void> {
  const { broker, node } = exchange
  const stats = broker.stats({ includeClients: false })
  const own = await joinInTurns(nodeMetrics(broker, stats, node.metricsDetail), broker.clock)
  processMetrics ??= openRegistry()
  const text = `${own}${await (await processMetrics).metrics()}`
  exchange.send(200, ['Content-Type', CONTENT_TYPE, 'Content-Length', String(Buffer.byteLength(text))], text)
}

/** Loaded when somebody looks for the first time. */
async function openRegistry(): Promise<Registry> {
  const { Registry, collectDefaultMetrics } = await import('prom-client')
  const register = new Registry()
  collectDefaultMetrics({ register })
  return register
}
