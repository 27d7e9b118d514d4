import type { BrokerOptions } from './options.js'
import type { StorageCapabilities } from './storage.js'

/** A snapshot for `/stats`, statsd and metrics. Counters run since the process started. */
export interface BrokerStats {
  /** By name, ascending. */
  readonly topics: readonly TopicStats[]
  /** Connections that have published. */
  readonly producers: readonly ClientStats[]
}

export interface StatsFilter {
  /** One that is not there has neither topics nor producers, as in nsqd. */
  readonly topic?: string
  /** Topics without this channel are left out. */
  readonly channel?: string
  /** Leaves `clients` and `producers` empty when false; counts stay right. */
  readonly includeClients: boolean
}

export interface TopicStats {
  readonly name: string
  /** Messages that wait at the topic itself: it is paused, has no channel, or discovery is being asked. */
  readonly depth: number
  /** Those of them that are not in memory. */
  readonly backendDepth: number
  readonly messageCount: number
  readonly messageBytes: number
  /** Messages that were given up, in one channel at least, because memory was full ({@link StorageCapabilities.whenFull}). */
  readonly droppedCount: number
  readonly paused: boolean
  /** Over all channels; null when nothing is measured. */
  readonly e2eLatency: LatencyStats | null
  /** By name, ascending. */
  readonly channels: readonly ChannelStats[]
}

/** How long messages took from publish to finish, over the last {@link BrokerOptions.e2eLatencyWindowMs}. */
export interface LatencyStats {
  /** Messages that were measured in this time. */
  readonly count: number
  /** Messages that were measured since the node started: this never falls. */
  readonly totalCount: number
  /** How long those took together. */
  readonly totalMs: number
  /** One for each of {@link BrokerOptions.e2eLatencyQuantiles}, in that order, to about 1 %. */
  readonly quantiles: readonly { readonly quantile: number; readonly valueNs: number }[]
}

/** How a connection is encrypted, in the words of Go's TLS. */
export interface TlsStats {
  /** `TLS1.0` … `TLS1.3`. */
  readonly version: string
  /** Go's name of the cipher suite; `Unknown {number}` where nsqd has none either. */
  readonly cipherSuite: string
  /** What ALPN settled on; empty for nothing. */
  readonly negotiatedProtocol: string
}

export interface ChannelStats {
  readonly name: string
  /** Waiting: neither in flight nor deferred. */
  readonly depth: number
  readonly backendDepth: number
  readonly inFlightCount: number
  readonly deferredCount: number
  readonly messageCount: number
  /** Messages given to consumers, each delivery counted. */
  readonly deliveryCount: number
  readonly requeueCount: number
  readonly timeoutCount: number
  readonly clientCount: number
  readonly clients: readonly ClientStats[]
  readonly paused: boolean
  /** How long ago the oldest message was published that is not finished; null when there is none, or where only storage knows. */
  readonly oldestAgeMs: number | null
  /** Null when nothing is measured. */
  readonly e2eLatency: LatencyStats | null
}

/** One connection. */
export interface ClientStats {
  readonly clientId: string
  readonly hostname: string
  readonly userAgent: string
  readonly version: 'V2'
  /** `ip:port`; `@` on a Unix socket. */
  readonly remoteAddress: string
  /** 0 init, 3 subscribed, 4 closing. */
  readonly state: 0 | 3 | 4
  readonly readyCount: number
  readonly inFlightCount: number
  readonly messageCount: number
  readonly finishCount: number
  readonly requeueCount: number
  /** Wall-clock milliseconds. */
  readonly connectedAtMs: number
  readonly sampleRate: number
  readonly deflate: boolean
  readonly snappy: boolean
  /** Null: it is not encrypted. */
  readonly tls: TlsStats | null
  readonly authIdentity: string
  readonly authIdentityUrl: string
  readonly authed: boolean
  readonly topologyZone: string
  readonly topologyRegion: string
  /** Messages published on this connection, by topic. */
  readonly publishCounts: ReadonlyMap<string, number>
}
