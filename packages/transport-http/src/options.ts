import { TLS_SCHEMA, type TlsOptions } from '@spillway/tls'
import type { MetricsDetail } from './metrics/render.js'

/** Where and how the HTTP API listens. */
export interface HttpTransportOptions {
  /** `host:port`, `:port` for every interface, or the path of a Unix socket. */
  readonly address: string
  /** Makes it an HTTPS listener. */
  readonly tls?: TlsOptions
  /** Answers every request with 403 and the port of the HTTPS listener. */
  readonly tlsRequired: boolean
  /** Clients must authenticate, as V2 clients do. Without it HTTP is open to everybody, as in nsqd. */
  readonly authenticate: boolean
  /** Whether `/debug` is answered: CPU profiles, heap snapshots. */
  readonly debug: boolean
  /** Whether plain `POST /pub` requests are answered without node:http. */
  readonly fastPublish: boolean
  /** What `/metrics` tells: of the node, of each topic as well, or of each channel as well. */
  readonly metricsDetail: MetricsDetail
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
    tls: { ...TLS_SCHEMA, description: `${TLS_SCHEMA.description} With it the listener speaks HTTPS.` },
    tlsRequired: {
      type: 'boolean',
      default: false,
      description: 'answers every request with 403 and the port of the HTTPS listener',
    },
    authenticate: {
      type: 'boolean',
      default: false,
      description: 'clients must authenticate, as V2 clients do; without it HTTP is open to everybody, as in nsqd',
    },
    debug: {
      type: 'boolean',
      default: false,
      description: 'answers /debug: CPU profiles, heap snapshots',
    },
    fastPublish: {
      type: 'boolean',
      default: true,
      description: 'answers plain POST /pub requests without node:http, at twice the speed; no client can tell',
    },
    metricsDetail: {
      enum: ['node', 'topics', 'channels'],
      default: 'channels',
      description: 'what /metrics tells: of the node, of each topic as well, or of each channel as well',
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
