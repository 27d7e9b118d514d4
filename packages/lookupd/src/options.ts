import { hostname } from 'node:os'

export interface LookupdOptions {
  /** Where nsqds register: `host:port`, `:port` for every interface, or the path of a Unix socket. */
  readonly tcpAddress: string
  /** Where consumers, nsqds and nsqadmin ask. */
  readonly httpAddress: string
  /** What nsqds are told to ask this nsqlookupd at, over HTTP. */
  readonly broadcastAddress: string
  /** A producer that has said nothing for longer than this is not shown. */
  readonly inactiveProducerTimeoutMs: number
  /** How long a tombstone hides a producer of a topic. */
  readonly tombstoneLifetimeMs: number
  /** The folder where topics and channels are kept over a restart, which must be there. Empty: they are not. */
  readonly dataPath: string
  /** Topics, channels and producers at them, together. What goes beyond is refused. */
  readonly registrationCountMax: number
  /** Open connections of nsqds; one beyond them is closed at once. */
  readonly tcpConnectionCountMax: number
}

/** nsqlookupd's own defaults. It has no limits; ours are far from what its clients do, and keep strangers from piling up. */
export function defaultOptions(): LookupdOptions {
  return {
    tcpAddress: '0.0.0.0:4160',
    httpAddress: '0.0.0.0:4161',
    broadcastAddress: hostname(),
    inactiveProducerTimeoutMs: 300_000,
    tombstoneLifetimeMs: 45_000,
    dataPath: '',
    registrationCountMax: 1_000_000,
    tcpConnectionCountMax: 10_000,
  }
}
