/** Where and how the HTTP API listens. */
export interface HttpTransportOptions {
  /** `host:port`, `:port` for every interface, or the path of a Unix socket. */
  readonly address: string
  /** Open connections; a client beyond them is disconnected at once. 0 is unlimited. */
  readonly connectionCountMax: number
  /** How long a connection may be idle between two requests; 0 is for ever. */
  readonly keepAliveTimeoutMs: number
  /** How long a client may take to send the head of a request; 0 is for ever. */
  readonly headersTimeoutMs: number
  /** How long a client may take to send a whole request, not counting what the node makes it wait; 0 is for ever. */
  readonly requestTimeoutMs: number
  /** Request line and headers together. */
  readonly headerSizeBytesMax: number
}

const milliseconds = { type: 'integer', minimum: 0, maximum: 2 ** 31 - 1 }

/** nsqd itself has no such limits. These are far from what its clients do, and keep strangers from piling up. */
export const OPTIONS_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    address: {
      type: 'string',
      minLength: 1,
      default: '0.0.0.0:4151',
      description: 'host:port, :port for every interface, or the path of a Unix socket',
    },
    connectionCountMax: {
      type: 'integer',
      minimum: 0,
      default: 10_000,
      description: 'open connections; a client beyond them is disconnected at once; 0 is unlimited',
    },
    keepAliveTimeoutMs: {
      ...milliseconds,
      // Above the 90 s after which Go's clients give up idle connections, so that theirs is the side that closes.
      default: 120_000,
      description: 'how long a connection may be idle between two requests; 0 is for ever',
    },
    headersTimeoutMs: {
      ...milliseconds,
      default: 60_000,
      description: 'how long a client may take to send the head of a request; 0 is for ever',
    },
    requestTimeoutMs: {
      ...milliseconds,
      default: 300_000,
      description: 'how long a client may take to send a whole request; 0 is for ever',
    },
    headerSizeBytesMax: {
      type: 'integer',
      minimum: 1024,
      maximum: 1024 * 1024,
      default: 65_536,
      description: 'bytes of request line and headers together',
    },
  },
}
