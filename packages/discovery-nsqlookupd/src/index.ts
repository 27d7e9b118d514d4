import { DISCOVERY, definePlugin } from '@spillway/core'
import { NsqlookupdDiscovery } from './nsqlookupd-discovery.js'
import { type NsqlookupdOptions, OPTIONS_SCHEMA } from './options.js'

export { NsqlookupdDiscovery } from './nsqlookupd-discovery.js'
export type { NsqlookupdOptions } from './options.js'

/** Registers the node with nsqlookupd, and asks it which channels a topic has. */
export default definePlugin({
  name: 'discovery-nsqlookupd',
  provides: DISCOVERY,
  optionsSchema: OPTIONS_SCHEMA,
  create: (options: NsqlookupdOptions, { clock, random, logger }) =>
    new NsqlookupdDiscovery(options, { clock, random, logger }),
})
