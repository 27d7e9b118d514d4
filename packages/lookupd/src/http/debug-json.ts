import { jsonList, toGoJson } from '@spillway/http'
import type { Producer } from '../registrations/registration.js'
import { inOrder, type RegistrationDatabase } from '../registrations/registration-database.js'

/** Go's zero time in nanoseconds since 1970: what never was. */
const NEVER_NS = '-6795364578871345152'
const NS_PER_MS = 1_000_000n

/** A peer, and when it got its newest tombstone there. */
type Entry = Pick<Producer, 'peer' | 'tombstonedAtWallMs'>

/** The whole database in parts, as `/debug` shows it: who is where, by `category:topic:channel`. What has nobody is left out. */
export function* debugJson(database: RegistrationDatabase): Generator<string, void> {
  let before = '{'
  for (const [key, entries] of sections(database)) {
    if (entries.length === 0) {
      yield ''
      continue
    }
    yield `${before}${toGoJson(key)}:`
    yield* jsonList(entries, peerJson)
    before = ','
  }
  yield before === '{' ? '{}' : '}'
}

/** In order of their keys as a whole, as nsqlookupd has them: `t#ephemeral:` comes before `t:`. */
function* sections(database: RegistrationDatabase): Generator<[key: string, entries: readonly Entry[]], void> {
  const withColon = (topics: readonly string[]): string[] => inOrder(topics.map((topic) => `${topic}:`))
  for (const key of withColon(database.topicsWithChannels)) {
    const topic = key.slice(0, -1)
    for (const channel of database.channelsOf(topic)) {
      yield [`channel:${key}${channel}`, [...database.channelProducersOf(topic, channel)]]
    }
  }
  yield ['client::', Array.from(database.peers, (peer) => ({ peer, tombstonedAtWallMs: null }))]
  for (const key of withColon(database.topics)) yield [`topic:${key}`, [...database.producersOf(key.slice(0, -1))]]
}

/** Times are written by hand: as numbers of JavaScript they would lose their last digits. */
function peerJson({ peer: { info, heardAtWallMs }, tombstonedAtWallMs }: Entry): string {
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
