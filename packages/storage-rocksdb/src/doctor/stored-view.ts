import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BrokerError, type Lease, type SavedCursor } from '@spillway/core'
import type { Database } from '../database.js'
import { type RecordHeader, RecordKind } from '../journal/record.js'
import { describeDamage, replayJournal } from '../journal/replay.js'
import {
  catalogueKey,
  dataPrefixLog,
  firstOf,
  headKey,
  kindRange,
  logOf,
  pageOf,
  pagesPrefix,
  prefixRange,
} from '../keys.js'
import { stretchOf } from '../log-state.js'
import { PendingValues } from '../pending-values.js'
import { decodeStretchEntry } from '../stretch-codec.js'
import { readStretch } from '../stretches.js'
import { decodeValueList } from '../value-list.js'
import { FoundLog } from './found-log.js'

/** What is stored, as a start would find it, without changing any of it. */
export class StoredView {
  readonly logs = new Map<Lease, FoundLog>()
  /** What is wrong with the journal, a line each. */
  readonly journalDamage: string[] = []
  journal = { fileCount: 0, sizeBytes: 0, tornBytes: 0 }
  rocksdbSizeBytes = 0
  readonly #dataPath: string
  readonly #database: Database
  readonly #values = new PendingValues()

  constructor(dataPath: string, database: Database) {
    this.#dataPath = dataPath
    this.#database = database
  }

  /** Looks at everything but the messages themselves. @throws BrokerError when RocksDB cannot be read */
  async read(): Promise<void> {
    this.rocksdbSizeBytes = await folderSizeBytes(this.#database.path)
    await this.#readLogs()
    await this.readJournal()
  }

  async #readLogs(): Promise<void> {
    for (const [name, value] of await this.#database.scan(kindRange('log'))) {
      this.#log(logOf(bytesOf(name))).first = value.readDoubleBE()
    }
    for (const [name, value] of await this.#database.scan(kindRange('index'))) {
      const found = this.#log(logOf(bytesOf(name)))
      const first = firstOf(bytesOf(name))
      try {
        const { pieces, framesBytes, end } = decodeStretchEntry(found.log, value, '')
        found.stretches.push({ first, end, framesBytes, pieces })
      } catch {
        found.badIndexes.push(first)
      }
    }
  }

  /** The journal alone; it needs no RocksDB. */
  async readJournal(): Promise<void> {
    const folder = join(this.#dataPath, 'journal')
    if ((await stat(folder).catch(() => null)) === null) return
    const { files, cutBytes } = await replayJournal(
      folder,
      (header, _attributes, payload) => this.#replay(header, payload),
      {
        isReadOnly: true,
        onDamage: (damage) => this.journalDamage.push(describeDamage(damage)),
      },
    )
    const sizeBytes = files.reduce((sum, { end }) => sum + end, 0)
    this.journal = { fileCount: files.length, sizeBytes, tornBytes: cutBytes }
  }

  #replay({ kind, log, first, count }: RecordHeader, payload: Buffer): void {
    if (kind === RecordKind.values) this.#replayValues(payload)
    else this.#log(log).chunkFound(first, first + count, payload.length)
  }

  #replayValues(payload: Buffer): void {
    for (const write of decodeValueList(payload)) {
      this.#values.apply(write)
      const key = Buffer.from(write.key)
      const deleted = write.value === 'prefix' ? dataPrefixLog(key) : null
      if (deleted !== null) this.logs.delete(deleted)
      if (!(write.value instanceof Uint8Array) || key.length !== 5 || key[0] !== LOG_KIND) continue
      const log = this.#log(logOf(key))
      log.first = Math.max(log.first, Buffer.from(write.value).readDoubleBE())
    }
  }

  #log(lease: Lease): FoundLog {
    let log = this.logs.get(lease)
    if (log === undefined) {
      log = new FoundLog(lease)
      this.logs.set(lease, log)
    }
    return log
  }

  /** Reads all messages of a log that RocksDB has, and takes note of the stretches that cannot be read. Returns why, for each. */
  async readMessages(log: FoundLog): Promise<Map<number, BrokerError>> {
    const failures = new Map<number, BrokerError>()
    for (const stretch of log.stretches) {
      try {
        await readStretch(this.#database, log.log, stretchOf(stretch.pieces, stretch.framesBytes, stretch.end))
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error
        log.badStretches.add(stretch)
        failures.set(stretch.first, error)
      }
    }
    return failures
  }

  // ---- small values ----------------------------------------------------------------------------------------------

  async readCatalogue(prefix: string): Promise<ReadonlyMap<string, Uint8Array>> {
    const found = await this.#scan(catalogueKey(prefix))
    return new Map([...found].map(([name, value]) => [bytesOf(name.slice(1)).toString(), value]))
  }

  async loadCursor(log: Lease, channel: Lease): Promise<SavedCursor | null> {
    const key = headKey(log, channel)
    const head = (await this.#scan(key)).get(key.toString('latin1'))
    if (head === undefined) return null
    const pages = await this.#scan(pagesPrefix(log, channel))
    return { head, pages: new Map([...pages].map(([name, value]) => [pageOf(bytesOf(name)), value])) }
  }

  async #scan(prefix: Buffer): Promise<Map<string, Uint8Array>> {
    const found: Map<string, Uint8Array> = await this.#database.scan(prefixRange(prefix))
    this.#values.overlay(found, prefix)
    return found
  }
}

const LOG_KIND = kindRange('log').gte[0]

function bytesOf(name: string): Buffer {
  return Buffer.from(name, 'latin1')
}

async function folderSizeBytes(folder: string): Promise<number> {
  let sizeBytes = 0
  for (const name of await readdir(folder).catch(() => [])) {
    sizeBytes += (await stat(join(folder, name)).catch(() => null))?.size ?? 0
  }
  return sizeBytes
}
