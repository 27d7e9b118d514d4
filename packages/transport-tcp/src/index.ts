import { definePlugin, TRANSPORT } from '@spillway/core'
import { type ReadCertificate, TLS_SCHEMA, TlsCredentials, tellCertificate } from '@spillway/tls'
import { TcpTransport, type TcpTransportOptions } from './tcp-transport.js'

export { TcpTransport, type TcpTransportOptions }

const flag = (isDefault: boolean, description: string) => ({ type: 'boolean', default: isDefault, description })

/** V2 over TCP and Unix sockets. */
export default definePlugin({
  name: 'transport-tcp',
  provides: TRANSPORT,
  optionsSchema: {
    type: 'object',
    properties: {
      address: {
        type: 'string',
        minLength: 1,
        default: '0.0.0.0:4150',
        description: '`host:port`, `:port`, or the path of a Unix socket.',
      },
      connectionsMax: {
        type: 'integer',
        minimum: 0,
        default: 0,
        description: 'Connections beyond this number are closed at once; 0 is unlimited.',
      },
      tls: { ...TLS_SCHEMA, description: `${TLS_SCHEMA.description} With it clients may have TLS (\`tls_v1\`).` },
      tlsRequired: flag(
        false,
        'Clients must have TLS before anything but IDENTIFY; also where `tls` asks them for a certificate.',
      ),
      snappy: flag(true, 'Clients may have snappy.'),
      deflate: flag(true, 'Clients may have deflate.'),
    },
    additionalProperties: false,
  },
  create(options: TcpTransportOptions, { logger, clock, dataPath, configPath, onReload }) {
    const tell = (certificate: ReadCertificate): Promise<void> => tellCertificate(certificate, logger, clock.wallMs())
    const credentials = options.tls === undefined ? null : new TlsCredentials(options.tls, configPath, tell)
    if (credentials !== null) onReload(() => credentials.load())
    return new TcpTransport(options, logger, dataPath, credentials)
  },
})
