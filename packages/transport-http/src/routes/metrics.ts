import type { Registry } from 'prom-client'
import type { BrokerNode, Exchange } from '../exchange.js'
import { nodeMetrics } from '../metrics/render.js'
import { SharedWork } from '../shared-work.js'
import { encodeInTurns, sizeBytesOf } from '../turns.js'
import type { Route } from './route.js'

export const metricsRoutes: readonly Route[] = [{ method: 'GET', path: '/metrics', access: 'known', handle: metrics }]

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Of the process: one registry for all listeners, since it watches the event loop. */
let processMetrics: Promise<Registry> | null = null

/** However many look at once, the text is made for one of them at a time. */
const scrapes = new WeakMap<BrokerNode, SharedWork<readonly Buffer[]>>()

async function metrics(exchange: Exchange): Promise<void> {
  const { node } = exchange
  let scrape = scrapes.get(node)
  if (scrape === undefined) {
    scrape = new SharedWork(() => encodedMetrics(node))
    scrapes.set(node, scrape)
  }
  const pieces = await scrape.run()
  exchange.sendPieces(200, ['Content-Type', CONTENT_TYPE, 'Content-Length', String(sizeBytesOf(pieces))], pieces)
}

async function encodedMetrics({ broker, metricsDetail }: BrokerNode): Promise<readonly Buffer[]> {
  const stats = broker.stats({ includeClients: false })
  const pieces = await encodeInTurns(nodeMetrics(broker, stats, metricsDetail), broker.clock)
  processMetrics ??= openRegistry()
  pieces.push(Buffer.from(await (await processMetrics).metrics()))
  return pieces
}

/** Loaded when somebody looks for the first time; again where that failed. */
function openRegistry(): Promise<Registry> {
  return loadRegistry().catch((error: unknown) => {
    processMetrics = null
    throw error
  })
}

async function loadRegistry(): Promise<Registry> {
  const { Registry, collectDefaultMetrics } = await import('prom-client')
  const register = new Registry()
  collectDefaultMetrics({ register })
  return register
}
