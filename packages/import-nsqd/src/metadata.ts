import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BrokerError, isEphemeral, isValidName } from '@spillway/core'

export const METADATA_FILE = 'nsqd.dat'

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

/** What nsqd says that there is (`nsqd.dat`). @throws BrokerError `E_STORAGE_IO`, `E_STORAGE_CORRUPT`, with the path */
export async function readMetadata(dataPath: string): Promise<Metadata> {
  const path = join(dataPath, METADATA_FILE)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const reason = code === 'ENOENT' ? 'no such file: this is not the data path of an nsqd' : message
    throw new BrokerError('E_STORAGE_IO', `${path}: ${reason}`, { cause })
  }
  try {
    return parseMetadata(JSON.parse(text))
  } catch (cause) {
    throw new BrokerError('E_STORAGE_CORRUPT', `${path}: ${(cause as Error).message}`, { cause })
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
