import { definePlugin, TRANSPORT } from '@spillway/core'
import { TcpTransport, type TcpTransportOptions } from './tcp-transport.js'

export { TcpTransport, type TcpTransportOptions }

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
    },
    additionalProperties: false,
  },
  create: (options: TcpTransportOptions, { logger, dataPath }) => new TcpTransport(options, logger, dataPath),
})
