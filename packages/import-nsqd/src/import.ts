import { access, mkdir, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import {
  BrokerError,
  type CatalogueWrite,
  type Durability,
  type OldMessage,
  readCatalogue,
  type Storage,
  TopicWriter,
} from '@spillway/core'
import { DiskQueue, type QueueDamage } from './disk-queue.js'
import { lockHolder } from './lock.js'
import { METADATA_FILE, type OldTopic, readMetadata } from './metadata.js'

/** In the catalogue once everything is imported: written together with what exists, so that it is all there or not at all. */
const MARKER_PREFIX = 'import/nsqd'

export interface ImportOptions {
  /** nsqd's. */
  readonly from: string
  /** Open, and nobody else's. */
  readonly storage: Storage
  durabilityOf(topic: string): Durability
  /** Told now and then, and at the end of each topic. */
  readonly onProgress?: (messageCount: number, sizeBytes: number) => void
}

export interface ImportedTopic {
  readonly name: string
  readonly paused: boolean
  /** What waits at the topic itself. */
  readonly messageCount: number
  readonly channels: readonly { readonly name: string; readonly paused: boolean; readonly messageCount: number }[]
}

export interface ImportReport {
  readonly topics: readonly ImportedTopic[]
  readonly messageCount: number
  readonly sizeBytes: number
  /** What could not be read, and is not there now. */
  readonly damages: readonly QueueDamage[]
  /** Names that nsqd itself would leave out. */
  readonly skipped: readonly string[]
}

/** Whether a folder is the data path of an nsqd. */
export async function isNsqdDataPath(folder: string): Promise<boolean> {
  try {
    await access(join(folder, METADATA_FILE))
    return true
  } catch {
    return false
  }
}

/** Whether an import into this storage has come to its end. */
export async function isImported(storage: Storage): Promise<boolean> {
  return (await storage.readCatalogue(MARKER_PREFIX)).size > 0
}

/**
 * Takes over what a stopped nsqd has: its topics and channels, paused or not, and the messages in its disk queues, each
 * queue in its order. All of it or nothing: until the end the storage shows nothing of it, and a second try begins anew. nsqd's
 * files stay as they are.
 * @throws BrokerError `E_STORAGE_LOCKED` while an nsqd has the data path, `E_STORAGE_IO`, `E_STORAGE_CORRUPT`, `E_INVALID_OPTION` when the storage has topics already
 */
export async function importDataPath(options: ImportOptions): Promise<ImportReport> {
  const { from, storage } = options
  const pid = await lockHolder(from)
  if (pid !== null)
    throw new BrokerError('E_STORAGE_LOCKED', `${from} is in use by process ${pid}: stop that nsqd first`)
  const { topics, skipped } = await readMetadata(from)
  const existing = await readCatalogue(storage)
  if (existing.size > 0) {
    const names = [...existing.keys()].slice(0, 3).join(', ')
    throw new BrokerError('E_INVALID_OPTION', `there are topics already (${names}): import into an empty data path`)
  }
  // What a try that was cut off has left.
  for (const log of await storage.listLogs()) await storage.deleteLog(log)
  const importer = new Importer(options)
  const writes: CatalogueWrite[] = []
  for (const topic of topics) writes.push(...(await importer.importTopic(topic)))
  writes.push({ key: MARKER_PREFIX, value: Buffer.from(JSON.stringify({ topicCount: topics.length })) })
  await storage.writeCatalogue(writes)
  return importer.report(skipped)
}

/** Moves nsqd's files out of the way, once they are imported, into a folder beside them. */
export async function setAside(folder: string): Promise<string> {
  const aside = join(folder, 'nsqd-imported')
  await mkdir(aside, { recursive: true })
  const isOld = (file: string): boolean => /\.diskqueue\.(?:meta|\d{6,})\.dat(?:\.bad)?$/.test(file)
  const files = (await readdir(folder)).filter(isOld)
  // The one that says that this is an nsqd's goes last: as long as it is there, this is not done.
  for (const file of [...files, METADATA_FILE]) await rename(join(folder, file), join(aside, file))
  return aside
}

const PROGRESS_MESSAGES = 50_000

class Importer {
  readonly #options: ImportOptions
  readonly #topics: ImportedTopic[] = []
  readonly #damages: QueueDamage[] = []
  #messageCount = 0
  #sizeBytes = 0

  constructor(options: ImportOptions) {
    this.#options = options
  }

  async importTopic({ name, paused, channels }: OldTopic): Promise<readonly CatalogueWrite[]> {
    const { storage, durabilityOf } = this.#options
    const writer = await TopicWriter.create(storage, name, { durability: durabilityOf(name), paused })
    const counts = []
    for (const channel of channels) {
      const queue = this.#queueOf(`${name}:${channel.name}`)
      await writer.writeChannel(channel.name, channel.paused, this.#counted(queue))
      counts.push({ ...channel, messageCount: queue.messageCount })
    }
    const queue = this.#queueOf(name)
    const writes = await writer.finish(this.#counted(queue))
    this.#topics.push({ name, paused, messageCount: queue.messageCount, channels: counts })
    this.#options.onProgress?.(this.#messageCount, this.#sizeBytes)
    return writes
  }

  report(skipped: readonly string[]): ImportReport {
    return {
      topics: this.#topics,
      messageCount: this.#messageCount,
      sizeBytes: this.#sizeBytes,
      damages: this.#damages,
      skipped,
    }
  }

  /** On Windows nsqd has `;` where others have `:`. */
  #queueOf(name: string): DiskQueue {
    return new DiskQueue(this.#options.from, process.platform === 'win32' ? name.replace(':', ';') : name)
  }

  async *#counted(queue: DiskQueue): AsyncGenerator<OldMessage> {
    for await (const message of queue.messages()) {
      this.#messageCount++
      this.#sizeBytes += message.body.length
      if (this.#messageCount % PROGRESS_MESSAGES === 0) {
        this.#options.onProgress?.(this.#messageCount, this.#sizeBytes)
      }
      yield message
    }
    this.#damages.push(...queue.damages)
  }
}
