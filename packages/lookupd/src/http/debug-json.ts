import { toGoJson } from '@spillway/http'
import type { Peer } from '../registrations/peer.js'
import type { Producer } from '../registrations/registration.js'
import type { RegistrationDatabase } from '../registrations/registration-database.js'

/** Go's zero time in nanoseconds since 1970: what never was. */
const NEVER_NS = '-6795364578871345152'
const NS_PER_MS = 1_000_000n

/** The whole database, as `/debug` shows it: who is where, by `category:topic:channel`. What has nobody is left out. */
export function debugJson(database: RegistrationDatabase): string {
  const sections = new Map<string, string>()
  const add = (key: string, entries: readonly string[]): void => {
    if (entries.length > 0) sections.set(key, `${toGoJson(key)}:[${entries.join()}]`)
  }
  for (const topic of database.topicsWithChannels) {
    for (const channel of database.channelsOf(topic)) {
      add(`channel:${topic}:${channel}`, Array.from(database.channelProducersOf(topic, channel), producerJson))
    }
  }
  add(
    'client::',
    Array.from(database.peers, (peer) => peerJson(peer, null)),
  )
  for (const topic of database.topics) add(`topic:${topic}:`, Array.from(database.producersOf(topic), producerJson))
  const inOrder = Array.from(sections.keys()).sort()
  return `{${inOrder.map((key) => sections.get(key)).join()}}`
}

function producerJson({ peer, tombstonedAtWallMs }: Producer): string {
  return peerJson(peer, tombstonedAtWallMs)
}

/** Times are written by hand: as numbers of JavaScript they would lose their last digits. */
function peerJson({ info, heardAtWallMs }: Peer, tombstonedAtWallMs: number | null): string {
  const { broadcast_address, hostname, http_port, remote_address: id, tcp_port } = info
  const before = toGoJson({ broadcast_address, hostname, http_port, id }).slice(0, -1)
  const middle = toGoJson({ tcp_port, tombstoned: tombstonedAtWallMs !== null }).slice(1, -1)
  const { topology_region, topology_zone, version } = info
  const after = toGoJson({ topology_region, topology_zone, version }).slice(1)
  const tombstonedAtNs = tombstonedAtWallMs === null ? NEVER_NS : nanoseconds(tombstonedAtWallMs)
  return `${before},"last_update":${nanoseconds(heardAtWallMs)},${middle},"tombstoned_at":${tombstonedAtNs},${after}`
}

function nanoseconds(wallMs: number): bigint {
  return BigInt(Math.floor(wallMs)) * NS_PER_MS
}
