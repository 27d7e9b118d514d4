import { DISCOVERY, definePlugin } from '@spillway/core'
import { OPTIONS_SCHEMA, type StaticDiscoveryOptions } from './options.js'
import { StaticDiscovery } from './static-discovery.js'

export type { StaticDiscoveryOptions } from './options.js'
export { StaticDiscovery } from './static-discovery.js'

/** Channels of topics, listed in the configuration. */
export default definePlugin({
  name: 'discovery-static',
  provides: DISCOVERY,
  optionsSchema: OPTIONS_SCHEMA,
  create: (options: StaticDiscoveryOptions) => new StaticDiscovery(options),
})
