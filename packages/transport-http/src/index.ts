import { definePlugin, TRANSPORT } from '@spillway/core'
import { type HttpTransportOptions, OPTIONS_SCHEMA } from './options.js'
import { HttpTransport } from './server.js'

export type { HttpTransportOptions } from './options.js'
export { HttpTransport } from './server.js'

/** nsqd's HTTP API over TCP and Unix sockets. */
export default definePlugin({
  name: 'transport-http',
  provides: TRANSPORT,
  optionsSchema: OPTIONS_SCHEMA,
  create: (options: HttpTransportOptions, { dataPath }) => new HttpTransport(options, dataPath),
})
