import { bytes, type Step, sized } from './case.js'
import type { TlsWishes } from './credentials.js'
import type { Compression } from './stream-codecs.js'

/** Brokers that offer everything. */
export const ENCRYPTED = ['--tls-cert={cert}', '--tls-key={key}', '--https-address={https}']

/** Suites that both kinds of broker have, so that there is nothing to choose. */
export const ONE_SUITE = { 'TLSv1.2': 'ECDHE-ECDSA-AES128-GCM-SHA256', 'TLSv1.3': 'TLS_AES_128_GCM_SHA256' } as const

export type Change = 'tls' | Compression

/** What a client may ask for. */
export const WISHES: Readonly<Record<Change, string>> = {
  tls: '"tls_v1":true',
  deflate: '"deflate":true',
  snappy: '"snappy":true',
}

export const identify = (...members: readonly string[]): Buffer =>
  bytes('IDENTIFY\n', sized(`{${['"feature_negotiation":true', ...members].join(',')}}`))

/** A connection whose stream was changed, each change of it answered. */
export function changed(
  changes: readonly Change[],
  wishes: readonly string[] = [],
  tls: TlsWishes = {},
  on = 'a',
): Step[] {
  return [
    { connect: on },
    { on, send: bytes('  V2', identify(...changes.map((change) => WISHES[change]), ...wishes)) },
    { on, frames: 1 },
    ...changes.flatMap((change): Step[] => [
      { on, change, tls },
      { on, frames: 1 },
    ]),
  ]
}

/** What a stream may be changed into. */
export const WAYS: readonly (readonly Change[])[] = [
  ['tls'],
  ['deflate'],
  ['snappy'],
  ['tls', 'deflate'],
  ['tls', 'snappy'],
]
