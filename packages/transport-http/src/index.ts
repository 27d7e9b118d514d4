import { definePlugin, TRANSPORT } from '@spillway/core'
import { type ReadCertificate, TlsCredentials, tellCertificate } from '@spillway/tls'
import { type HttpTransportOptions, OPTIONS_SCHEMA } from './options.js'
import { HttpTransport } from './server.js'

export type { HttpTransportOptions } from './options.js'
export { HttpTransport } from './server.js'

/** nsqd's HTTP API over TCP and Unix sockets. */
export default definePlugin({
  name: 'transport-http',
  provides: TRANSPORT,
  optionsSchema: OPTIONS_SCHEMA,
  create(options: HttpTransportOptions, { logger, clock, dataPath, configPath, onReload }) {
    if (options.tls === undefined) return new HttpTransport(options, dataPath)
    const tell = (certificate: ReadCertificate): Promise<void> => tellCertificate(certificate, logger, clock.wallMs())
    const transport = new HttpTransport(options, dataPath, new TlsCredentials(options.tls, configPath, tell))
    onReload(() => transport.reload())
    return transport
  },
})
