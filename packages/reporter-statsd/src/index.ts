import { definePlugin, REPORTER } from '@spillway/core'
import { OPTIONS_SCHEMA, type StatsdOptions } from './options.js'
import { StatsdReporter } from './statsd-reporter.js'

export type { StatsdOptions } from './options.js'
export { StatsdReporter } from './statsd-reporter.js'

/** Sends the node's statistics to statsd. */
export default definePlugin({
  name: 'reporter-statsd',
  provides: REPORTER,
  optionsSchema: OPTIONS_SCHEMA,
  create: (options: StatsdOptions, { clock, logger }) => new StatsdReporter(options, clock, logger),
})
