import assert from 'node:assert/strict'
import { eventually } from '../support/eventually.js'
import type { RunningBroker } from '../support/start-broker.js'

const LIMIT_MS = 20_000

/** What a client asks of its connections. */
export interface Way {
  readonly name: string
  readonly tls: boolean
  readonly compression: 'none' | 'deflate' | 'snappy'
  /** The secret of AUTH; empty for none. */
  readonly secret: string
}

export const PLAIN: Way = { name: 'plain', tls: false, compression: 'none', secret: '' }

/** Every change of the stream that clients know, alone and inside TLS. */
export const CHANGED_STREAMS: readonly Way[] = [
  { ...PLAIN, name: 'TLS', tls: true },
  { ...PLAIN, name: 'deflate', compression: 'deflate' },
  { ...PLAIN, name: 'snappy', compression: 'snappy' },
  { ...PLAIN, name: 'deflate inside TLS', tls: true, compression: 'deflate' },
  { ...PLAIN, name: 'snappy inside TLS', tls: true, compression: 'snappy' },
]

/**
 * Waits for a consumer of the channel, and holds it against what it should have asked for: clients go on in the open, and
 * say nothing, when a broker does not offer what they want.
 */
export async function assertNegotiated(broker: RunningBroker, topic: string, channel: string, way: Way): Promise<void> {
  const client = await eventually(
    async () => (await broker.http.channelStats(topic, channel))?.clients[0],
    LIMIT_MS,
    `a consumer of ${topic}/${channel}`,
  )
  assert.deepEqual(
    { tls: client.tls, deflate: client.deflate, snappy: client.snappy, authed: client.authed ?? false },
    {
      tls: way.tls,
      deflate: way.compression === 'deflate',
      snappy: way.compression === 'snappy',
      authed: way.secret !== '',
    },
  )
}
