import type { ClientStats, Subscription, TlsStats } from '@spillway/core'
import type { Authorization } from './authorization.js'
import type { ClientSettings } from './client-settings.js'
import type { SessionState } from './session-state.js'

/** What a session knows of its client. */
export interface ClientFacts {
  readonly settings: ClientSettings
  readonly state: SessionState
  readonly authorization: Authorization
  readonly remoteAddress: string
  readonly connectedAtMs: number
  /** What the stream was changed into. */
  readonly compression: 'none' | 'deflate' | 'snappy'
  readonly tls: TlsStats | null
}

/** A connection as `/stats` shows it. */
export function clientStats(
  client: ClientFacts,
  publishCounts: ReadonlyMap<string, number>,
  subscription: Subscription | null,
): ClientStats {
  const { settings } = client
  const { identity } = client.authorization
  return {
    clientId: settings.clientId,
    hostname: settings.hostname,
    userAgent: settings.userAgent,
    version: 'V2',
    remoteAddress: client.remoteAddress,
    state: client.state,
    readyCount: subscription?.ready ?? 0,
    inFlightCount: subscription?.inFlight ?? 0,
    messageCount: subscription?.messageCount ?? 0,
    finishCount: subscription?.finishCount ?? 0,
    requeueCount: subscription?.requeueCount ?? 0,
    connectedAtMs: client.connectedAtMs,
    sampleRate: settings.sampleRate,
    deflate: client.compression === 'deflate',
    snappy: client.compression === 'snappy',
    tls: client.tls,
    authIdentity: identity?.identity ?? '',
    authIdentityUrl: identity?.identityUrl ?? '',
    authed: identity !== null,
    topologyZone: settings.topologyZone,
    topologyRegion: settings.topologyRegion,
    publishCounts,
  }
}
