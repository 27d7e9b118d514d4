import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BrokerError, isEphemeral, isValidName } from '@spillway/core'
import { METADATA_FILE } from './data-path.js'
import { ioError, onDisk } from './io-error.js'

export interface OldChannel {
  readonly name: string
  readonly paused: boolean
}

export interface OldTopic extends OldChannel {
  readonly channels: readonly OldChannel[]
}

export interface Metadata {
  readonly topics: readonly OldTopic[]
  /** Names that cannot be; nsqd leaves them out as well. */
  readonly skipped: readonly string[]
}

/** What tells one `nsqd.dat` from another: each nsqd that starts on a data path writes it anew. */
export interface MetadataIdentity {
  readonly inode: string
  readonly mtimeNs: string
  readonly sizeBytes: number
  readonly sha256: string
}

/** What nsqd says that there is (`nsqd.dat`). @throws BrokerError `E_STORAGE_IO`, `E_STORAGE_CORRUPT`, with the path */
export async function readMetadata(dataPath: string): Promise<Metadata> {
  const path = join(dataPath, METADATA_FILE)
  const bytes = await readMetadataFile(path)
  try {
    return parseMetadata(JSON.parse(bytes.toString()))
  } catch (cause) {
    throw new BrokerError('E_STORAGE_CORRUPT', `${path}: ${(cause as Error).message}`, { cause })
  }
}

/** @throws BrokerError `E_STORAGE_IO`, with the path */
export async function identifyMetadata(dataPath: string): Promise<MetadataIdentity> {
  const path = join(dataPath, METADATA_FILE)
  const bytes = await readMetadataFile(path)
  const { ino, mtimeNs } = await onDisk(path, () => stat(path, { bigint: true }))
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { inode: String(ino), mtimeNs: String(mtimeNs), sizeBytes: bytes.length, sha256 }
}

async function readMetadataFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw ioError(path, cause)
    throw new BrokerError('E_STORAGE_IO', `${path}: no such file: this is not the data path of an nsqd`, { cause })
  }
}

/** @throws Error */
function parseMetadata(value: unknown): Metadata {
  const skipped: string[] = []
  const named = (item: unknown): item is { name: string; paused?: unknown; channels?: unknown } => {
    const { name } = (item ?? {}) as { name?: unknown }
    const isGood = typeof name === 'string' && isValidName(name) && !isEphemeral(name)
    if (!isGood) skipped.push(String(name))
    return isGood
  }
  const { topics } = (value ?? {}) as { topics?: unknown }
  const found = listOf(topics, 'topics')
    .filter(named)
    .map(({ name, paused, channels }) => ({
      name,
      paused: paused === true,
      channels: listOf(channels, `channels of ${name}`)
        .filter(named)
        .map((channel) => ({ name: channel.name, paused: channel.paused === true })),
    }))
  return { topics: found, skipped }
}

/** Go writes `null` for an empty list. */
function listOf(value: unknown, what: string): readonly unknown[] {
  if (value === null || value === undefined) return []
  if (Array.isArray(value)) return value
  throw new Error(`${what} is no list`)
}
