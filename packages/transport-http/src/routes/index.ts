import type { Exchange } from '../exchange.js'
import { channelRoutes } from './channels.js'
import { configRoutes } from './config.js'
import { infoRoutes } from './info.js'
import { metricsRoutes } from './metrics.js'
import { publishRoutes } from './publish.js'
import type { Route } from './route.js'
import { statsRoutes } from './stats.js'
import { topicRoutes } from './topics.js'

/** Everything that the HTTP API answers. A new group of routes is a file here and a line below. */
export const ROUTES: readonly Route[] = [
  ...infoRoutes,
  ...statsRoutes,
  ...metricsRoutes,
  ...publishRoutes,
  ...topicRoutes,
  ...channelRoutes,
  ...configRoutes,
]

/** What looks into the process: only where an option asks for it, and loaded only when somebody looks. */
export const DEBUG_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/debug/pprof/', access: 'administer', handle: debug('pprof') },
  { method: 'GET', path: '/debug/pprof/*', access: 'administer', handle: debug('pprof') },
  { method: 'POST', path: '/debug/freememory', access: 'administer', handle: debug('freeMemory') },
  { method: 'PUT', path: '/debug/setblockrate', access: 'administer', handle: debug('setBlockRate') },
]

function debug(name: 'pprof' | 'freeMemory' | 'setBlockRate') {
  return async (exchange: Exchange): Promise<void> => (await import('./debug.js'))[name](exchange)
}
