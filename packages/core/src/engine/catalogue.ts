import type { Lease, Sequence, SequenceRange } from '../contracts/sequence.js'
import type { CatalogueWrite, Durability, Storage } from '../contracts/storage.js'
import { BrokerError } from '../errors.js'
import type { IdLease } from './id-leases.js'

/**
 * What exists on a node, as JSON values in the storage's catalogue. Ephemeral topics and channels are not in it.
 *
 * ```
 *   topic/<topic>               TopicEntry
 *   channel/<topic>/<channel>   ChannelEntry
 * ```
 */
const VERSION = 1
const TOPIC_PREFIX = 'topic/'
const CHANNEL_PREFIX = 'channel/'

export interface TopicEntry {
  readonly log: Lease
  readonly leases: readonly IdLease[]
  readonly durability: Durability
  readonly paused: boolean
  /** Where the release point stands while it does not move (paused, or no channel); null when it is the end of the log. */
  readonly release: Sequence | null
  /** Stretches that hold no records: emptied, or lost before they were safe. */
  readonly voids: readonly SequenceRange[]
}

export interface ChannelEntry {
  readonly id: Lease
  readonly paused: boolean
  /** Its first record is not below this. */
  readonly start: Sequence
}

export interface CatalogueTopic {
  readonly entry: TopicEntry
  readonly channels: ReadonlyMap<string, ChannelEntry>
}

export function topicWrite(topic: string, entry: TopicEntry | null): CatalogueWrite {
  return { key: TOPIC_PREFIX + topic, value: encode(entry) }
}

export function channelWrite(topic: string, channel: string, entry: ChannelEntry | null): CatalogueWrite {
  return { key: `${CHANNEL_PREFIX}${topic}/${channel}`, value: encode(entry) }
}

/** Everything that the storage knows of. @throws BrokerError `E_STORAGE_CORRUPT` for a value that makes no sense. */
export async function readCatalogue(storage: Pick<Storage, 'readCatalogue'>): Promise<Map<string, CatalogueTopic>> {
  const topics = new Map<string, { entry: TopicEntry; channels: Map<string, ChannelEntry> }>()
  for (const [key, value] of await storage.readCatalogue(TOPIC_PREFIX)) {
    topics.set(key.slice(TOPIC_PREFIX.length), { entry: decode<TopicEntry>(key, value), channels: new Map() })
  }
  for (const [key, value] of await storage.readCatalogue(CHANNEL_PREFIX)) {
    const [topic, channel] = key.slice(CHANNEL_PREFIX.length).split('/')
    topics.get(topic)?.channels.set(channel, decode<ChannelEntry>(key, value))
  }
  return topics
}

function encode(entry: object | null): Uint8Array | null {
  return entry === null ? null : Buffer.from(JSON.stringify({ version: VERSION, ...entry }))
}

function decode<T>(key: string, value: Uint8Array): T {
  let entry: T & { version?: unknown }
  try {
    entry = JSON.parse(Buffer.from(value).toString())
  } catch (cause) {
    throw new BrokerError('E_STORAGE_CORRUPT', `catalogue entry ${key} is not JSON`, { cause })
  }
  if (entry?.version !== VERSION) {
    throw new BrokerError('E_STORAGE_CORRUPT', `catalogue entry ${key} has unknown version ${entry?.version}`)
  }
  return entry
}
