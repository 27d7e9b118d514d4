import { definePlugin, TRANSPORT } from '@spillway/core'
import { TlsCredentials } from '@spillway/tls'
import { type HttpTransportOptions, OPTIONS_SCHEMA } from './options.js'
import { HttpTransport } from './server.js'

export type { HttpTransportOptions } from './options.js'
export { HttpTransport } from './server.js'

/** nsqd's HTTP API over TCP and Unix sockets. */
export default definePlugin({
  name: 'transport-http',
  provides: TRANSPORT,
  optionsSchema: OPTIONS_SCHEMA,
  create(options: HttpTransportOptions, { dataPath, configPath, onReload }) {
    if (options.tls === undefined) return new HttpTransport(options, dataPath)
    const transport = new HttpTransport(options, dataPath, new TlsCredentials(options.tls, configPath))
    onReload(() => transport.reload())
    return transport
  },
})
