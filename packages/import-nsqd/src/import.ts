import {
  BrokerError,
  type CatalogueWrite,
  type Durability,
  type OldMessage,
  readCatalogue,
  type Storage,
  TopicWriter,
} from '@spillway/core'
import { DiskQueue } from './disk-queue.js'
import type { LockedDataPath } from './locked-data-path.js'
import { identifyMetadata, type MetadataIdentity, type OldTopic, readMetadata } from './metadata.js'
import type { CountDifference, QueueDamage } from './queue-damage.js'

/**
 * In the catalogue once everything is imported: written together with what exists, so that it is all there or not at all. It holds the
 * {@link MetadataIdentity} of what was imported.
 */
const MARKER_KEY = 'import/nsqd'

export interface ImportOptions {
  /** nsqd's. */
  readonly from: LockedDataPath
  /** Open, and nobody else's. */
  readonly storage: Storage
  /** The largest message that nsqd took. */
  readonly msgSizeBytesMax: number
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
  /** Whether everything is there that nsqd had. */
  readonly isComplete: boolean
  /** What could not be read, and is not there now. */
  readonly damages: readonly QueueDamage[]
  readonly differences: readonly CountDifference[]
  /** Names that nsqd itself would leave out. */
  readonly skipped: readonly string[]
}

/**
 * Whether what this data path has was imported into this storage, to the end. An nsqd that ran there afterwards makes it another one.
 * @throws BrokerError `E_STORAGE_IO`
 */
export async function isImported({ path }: LockedDataPath, storage: Storage): Promise<boolean> {
  const marker = (await storage.readCatalogue(MARKER_KEY)).get(MARKER_KEY)
  if (marker === undefined) return false
  const { inode, mtimeNs, sizeBytes, sha256 } = await identifyMetadata(path)
  const imported: Partial<MetadataIdentity> = JSON.parse(Buffer.from(marker).toString())
  return (
    imported.inode === inode &&
    imported.mtimeNs === mtimeNs &&
    imported.sizeBytes === sizeBytes &&
    imported.sha256 === sha256
  )
}

/**
 * Takes over what a stopped nsqd has: its topics and channels, paused or not, and the messages in its disk queues, each
 * queue in its order. All of it or nothing: until the end the storage shows nothing of it, and a second try begins anew. nsqd's
 * files stay as they are.
 * @throws BrokerError `E_STORAGE_IO`, `E_STORAGE_CORRUPT`, `E_INVALID_OPTION` when the storage has topics already
 */
export async function importDataPath(options: ImportOptions): Promise<ImportReport> {
  const { from, storage } = options
  const identity = await identifyMetadata(from.path)
  const { topics, skipped } = await readMetadata(from.path)
  const existing = await readCatalogue(storage)
  if (existing.size > 0) {
    const names = [...existing.keys()].slice(0, 3).join(', ')
    const advice = `take ${from.path} over into an empty data path (docs/operations.md, "Moving from nsqd")`
    throw new BrokerError('E_INVALID_OPTION', `there are topics already (${names}): ${advice}`)
  }
  // What a try that was cut off has left.
  for (const log of await storage.listLogs()) await storage.deleteLog(log)
  const importer = new Importer(options)
  const writes: CatalogueWrite[] = []
  for (const topic of topics) writes.push(...(await importer.importTopic(topic)))
  writes.push({ key: MARKER_KEY, value: Buffer.from(JSON.stringify(identity)) })
  await storage.writeCatalogue(writes)
  return importer.report(skipped)
}

class Importer {
  readonly #options: ImportOptions
  readonly #topics: ImportedTopic[] = []
  readonly #damages: QueueDamage[] = []
  readonly #differences: CountDifference[] = []
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
      isComplete:
        this.#damages.length === 0 &&
        this.#differences.every(({ expectedCount, messageCount }) => messageCount >= expectedCount),
      damages: this.#damages,
      differences: this.#differences,
      skipped,
    }
  }

  /** On Windows nsqd has `;` where others have `:`. */
  #queueOf(name: string): DiskQueue {
    const { from, msgSizeBytesMax } = this.#options
    const fileName = process.platform === 'win32' ? name.replace(':', ';') : name
    return new DiskQueue({ folder: from.path, name: fileName, msgSizeBytesMax })
  }

  async *#counted(queue: DiskQueue): AsyncGenerator<readonly OldMessage[]> {
    const before = { messageCount: this.#messageCount, sizeBytes: this.#sizeBytes }
    for await (const messages of queue.messages()) {
      this.#messageCount = before.messageCount + queue.messageCount
      this.#sizeBytes = before.sizeBytes + queue.sizeBytes
      this.#options.onProgress?.(this.#messageCount, this.#sizeBytes)
      yield messages
    }
    this.#damages.push(...queue.damages)
    if (queue.difference !== null) this.#differences.push(queue.difference)
  }
}
