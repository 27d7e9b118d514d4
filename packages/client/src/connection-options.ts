import { hostname } from 'node:os'
import type { SecureContextOptions, ConnectionOptions as TlsConnectionOptions } from 'node:tls'
import { type Address, parseAddress } from './address.js'
import type { OptionReader } from './option-reader.js'
import { VERSION } from './version.js'

/** What `node:tls` takes of a client: certificates, versions, whom to trust. */
export type TlsOptions = SecureContextOptions &
  Pick<TlsConnectionOptions, 'rejectUnauthorized' | 'servername' | 'checkServerIdentity' | 'ALPNProtocols'>

/** What producers and consumers say to a node when they connect. */
export interface ConnectionOptions {
  /** Shown in the node's statistics. Default: the host's name up to its first dot. */
  readonly clientId?: string
  /** Shown in the node's statistics. Default: the host's name. */
  readonly hostname?: string
  /** Shown in the node's statistics. Default: `spillway-client/` and this package's version. */
  readonly userAgent?: string
  /** Of this host: where connections come from. Default: what the system chooses. */
  readonly localAddress?: string
  /** From dialling until the node has answered everything; then that attempt has failed. Default 5,000. */
  readonly connectTimeoutMs?: number
  /** How often the node says that it is there. A connection that is silent for two of these is given up. 1,000 or more, and at most what the node allows (nsqd: 60,000). Default 30,000. */
  readonly heartbeatIntervalMs?: number
  /** The first delay before connecting again; it doubles with each failure. Default 200. */
  readonly reconnectDelayMs?: number
  /** What that delay grows to. Default 30,000. */
  readonly reconnectDelayMsMax?: number
  /** Encrypts: `true`, or how. A node that cannot is not used. Default false. */
  readonly tls?: boolean | TlsOptions
  /** Compresses both directions, where the node can. Default `none`. */
  readonly compression?: 'none' | 'deflate' | 'snappy'
  /** 1, quick, to 9, small; the node may have a lower limit. Default 6. */
  readonly deflateLevel?: number
  /** Sent with AUTH, to nodes that ask for it and to no others. */
  readonly authSecret?: string
  /** What the node gathers before it sends; -1: nothing. Default: the node's (nsqd: 16,384). */
  readonly outputBufferSizeBytes?: number
  /** How long the node gathers; -1: until the buffer is full. Default: the node's (nsqd: 250). */
  readonly outputBufferTimeoutMs?: number
  /** A frame that says it is larger ends the connection. Default 64 MiB. */
  readonly frameSizeBytesMax?: number
  /** For nodes that prefer consumers near them. */
  readonly topologyRegion?: string
  /** For nodes that prefer consumers near them. */
  readonly topologyZone?: string
}

/** The same, checked and complete. */
export interface ConnectionSettings {
  readonly clientId: string
  readonly hostname: string
  readonly userAgent: string
  /** Empty: what the system chooses. */
  readonly localAddress: string
  readonly connectTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly reconnectDelayMs: number
  readonly reconnectDelayMsMax: number
  /** Null: not encrypted. */
  readonly tls: TlsOptions | null
  readonly compression: 'none' | 'deflate' | 'snappy'
  readonly deflateLevel: number
  readonly authSecret: string
  /** 0: the node's. */
  readonly outputBufferSizeBytes: number
  /** 0: the node's. */
  readonly outputBufferTimeoutMs: number
  readonly frameSizeBytesMax: number
  readonly topologyRegion: string
  readonly topologyZone: string
  /** 0: the node's. Consumers only. */
  readonly messageTimeoutMs: number
  /** 0: everything. Consumers only. */
  readonly sampleRatePercent: number
}

const HOUR_MS = 3_600_000

export function readConnectionOptions(
  options: OptionReader,
  consumer = { messageTimeoutMs: 0, sampleRatePercent: 0 },
): ConnectionSettings {
  const settings = {
    clientId: options.string('clientId', hostname().split('.')[0]),
    hostname: options.string('hostname', hostname()),
    userAgent: options.string('userAgent', `spillway-client/${VERSION}`),
    localAddress: options.string('localAddress', ''),
    connectTimeoutMs: options.integer('connectTimeoutMs', { min: 1, max: HOUR_MS }, 5_000),
    heartbeatIntervalMs: options.integer('heartbeatIntervalMs', { min: 1_000, max: HOUR_MS }, 30_000),
    reconnectDelayMs: options.integer('reconnectDelayMs', { min: 1, max: HOUR_MS }, 200),
    reconnectDelayMsMax: options.integer('reconnectDelayMsMax', { min: 1, max: HOUR_MS }, 30_000),
    tls: readTls(options),
    compression: options.oneOf('compression', ['none', 'deflate', 'snappy'], 'none'),
    deflateLevel: options.integer('deflateLevel', { min: 1, max: 9 }, 6),
    authSecret: options.string('authSecret', ''),
    outputBufferSizeBytes: options.integer('outputBufferSizeBytes', { min: -1 }, 0),
    outputBufferTimeoutMs: options.integer('outputBufferTimeoutMs', { min: -1 }, 0),
    frameSizeBytesMax: options.integer('frameSizeBytesMax', { min: 1024, max: 2 ** 30 }, 64 * 1024 * 1024),
    topologyRegion: options.string('topologyRegion', ''),
    topologyZone: options.string('topologyZone', ''),
    ...consumer,
  } satisfies ConnectionSettings
  if (settings.reconnectDelayMsMax < settings.reconnectDelayMs) {
    options.complain('reconnectDelayMsMax must not be less than reconnectDelayMs')
  }
  return settings
}

function readTls(options: OptionReader): TlsOptions | null {
  const tls = options.take('tls')
  if (tls === undefined || tls === false) return null
  if (tls === true) return {}
  if (typeof tls === 'object' && tls !== null && !Array.isArray(tls)) return tls
  options.mistake('tls', 'true, false or an object', tls)
  return null
}

/** Of nodes; empty when none are given. */
export function readAddresses(options: OptionReader): readonly Address[] {
  const addresses: Address[] = []
  for (const text of options.stringOrSeveral('address', 'addresses')) {
    const address = parseAddress(text)
    if (address !== null) addresses.push(address)
    else options.complain(`address ${JSON.stringify(text)} is neither host:port nor the path of a Unix socket`)
  }
  return addresses
}
