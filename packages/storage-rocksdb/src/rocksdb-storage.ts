import { mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  BrokerError,
  type CatalogueWrite,
  type Clock,
  type Durability,
  type Lease,
  type Logger,
  type LogStore,
  type OpenLogOptions,
  type Storage,
  type StorageCapabilities,
} from '@spillway/core'
import { Archive } from './archive.js'
import { Database } from './database.js'
import { DiskSpace } from './disk-space.js'
import { Journal } from './journal/journal.js'
import { RecordKind } from './journal/record.js'
import type { JournalDamage } from './journal/replay.js'
import { catalogueKey, LEASES_KEY, logPrefix } from './keys.js'
import { LogState } from './log-state.js'
import type { RocksdbOptions } from './options.js'
import { recover } from './recovery.js'
import { RocksdbLog } from './rocksdb-log.js'
import { storageError } from './storage-error.js'
import { encodeValueList, type ValueWrite } from './value-list.js'

const LEASE_MAX = 2 ** 32 - 1
/** Leases are reserved so many at a time: a crash loses the rest of them. */
const LEASES_RESERVED = 4096
/** Records on their way into RocksDB may take this share of the node's memory, within limits. */
const YOUNG_SHARE = 1 / 4
const YOUNG_BYTES_MIN = 16 * 1024 * 1024
const YOUNG_BYTES_DEFAULT = 128 * 1024 * 1024
const YOUNG_BYTES_MAX = 256 * 1024 * 1024
const DURABILITIES: readonly Durability[] = ['none', 'process', 'power']

export interface RocksdbStorageParts {
  readonly options: RocksdbOptions
  readonly clock: Clock
  readonly logger: Logger
  readonly dataPath: string
  /** The memory of the node for messages; null where the configuration leaves it to us. */
  readonly memorySizeBytesMax?: number | null
  /** For repairs: damage in the journal is passed over, and told of here. */
  readonly onJournalDamage?: (damage: JournalDamage) => void
}

/**
 * Keeps everything below one folder.
 *
 * ```
 *   journal/00000012.journal    what was acknowledged last
 *   rocksdb/                    the rest
 *   ballast                     room in hand for a full disk
 * ```
 */
export class RocksdbStorage implements Storage {
  readonly capabilities: StorageCapabilities
  readonly #parts: RocksdbStorageParts
  /** The catalogue is as durable as the most durable topic. */
  readonly #isPower: boolean
  readonly #database: Database
  readonly #journal: Journal
  readonly #archive: Archive
  readonly #space: DiskSpace
  readonly #logs = new Map<Lease, LogState>()
  readonly #openLogs = new Map<Lease, RocksdbLog>()
  #nextLease = 1
  #reservedEnd = 1
  #state: 'new' | 'open' | 'closed' = 'new'
  #closing: Promise<void> | null = null

  constructor(parts: RocksdbStorageParts) {
    const { options, clock, logger, dataPath } = parts
    this.#parts = parts
    this.#isPower = [options.durability, ...Object.values(options.durabilityByTopic)].includes('power')
    const youngBytesMax = youngBytesFor(parts.memorySizeBytesMax ?? null)
    this.capabilities = { ...CAPABILITIES, memorySizeBytes: youngBytesMax }
    this.#database = new Database(join(dataPath, 'rocksdb'))
    this.#space = new DiskSpace({
      folder: dataPath,
      clock,
      logger,
      freeBytesMin: options.freeDiskBytesMin,
      ballastBytes: options.ballastSizeBytes,
    })
    this.#journal = new Journal({
      folder: join(dataPath, 'journal'),
      clock,
      logger,
      fileBytesMax: options.journalFileSizeBytes,
      syncIntervalMs: options.syncIntervalMs,
      makeRoom: () => this.#space.releaseBallast(),
    })
    this.#archive = new Archive({
      database: this.#database,
      journal: this.#journal,
      logs: this.#logs,
      youngBytesMax,
      clock,
      logger,
      makeRoom: () => this.#space.releaseBallast(),
    })
  }

  get refusal(): string | null {
    const { failure } = this.#archive
    return this.#space.refusal ?? (failure === null ? null : failure.detail)
  }

  // ---- opening and closing ---------------------------------------------------------------------------------------

  async open(): Promise<void> {
    if (this.#state !== 'new')
      throw new BrokerError('E_STORAGE_CLOSED', `${this.#parts.dataPath}: this storage was opened before`)
    const { dataPath, logger, options } = this.#parts
    try {
      await makeFolder(dataPath)
      await makeFolder(join(dataPath, 'journal'))
      await makeFolder(join(dataPath, 'rocksdb')) // what RocksDB makes in it is open to everybody
    } catch (error) {
      throw storageError(error, dataPath)
    }
    await this.#space.prepare()
    await this.#database.open()
    try {
      const recovered = await recover({
        database: this.#database,
        journal: this.#journal,
        dataPath,
        journalFolder: join(dataPath, 'journal'),
        archive: this.#archive,
        logs: this.#logs,
        logger,
        onDamage: this.#parts.onJournalDamage,
      })
      this.#nextLease = recovered.nextLease
      this.#reservedEnd = recovered.nextLease
      this.#state = 'open'
      this.#reserveLeases(LEASES_RESERVED)
      await this.#space.start()
    } catch (error) {
      this.#state = 'closed'
      await this.#space.stop()
      await this.#journal.close(false)
      await this.#database.close()
      throw storageError(error, dataPath)
    }
    logger.debug('storage is open', { dataPath, durability: options.durability })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    await this.#space.stop()
    for (const log of [...this.#openLogs.values()]) await log.close()
    let isStored = false
    try {
      await this.#archive.close()
      isStored = true
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code !== 'E_STORAGE_FULL') throw error
      this.#parts.logger.warn(`${error.detail}: what is only in the journal stays there`)
    } finally {
      await this.#journal.close(isStored)
      await this.#database.close()
    }
  }

  #requireOpen(): void {
    if (this.#state !== 'open') throw new BrokerError('E_STORAGE_CLOSED', `${this.#parts.dataPath} is not open`)
  }

  // ---- the catalogue and leases ----------------------------------------------------------------------------------

  async readCatalogue(prefix: string): Promise<ReadonlyMap<string, Uint8Array>> {
    this.#requireOpen()
    const found = await this.#archive.scan(catalogueKey(prefix))
    const named = [...found].map(([name, value]) => [Buffer.from(name.slice(1), 'latin1').toString(), value] as const)
    return new Map(named.sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  writeCatalogue(writes: readonly CatalogueWrite[]): void | Promise<void> {
    this.#requireOpen()
    return this.#writeValues(writes.map(({ key, value }) => ({ key: catalogueKey(key), value })))
  }

  takeLeases(count: number): Lease {
    this.#requireOpen()
    const first = this.#nextLease
    if (first + count - 1 > LEASE_MAX) throw new BrokerError('E_STORAGE_FULL', 'all leases are used up')
    if (first + count > this.#reservedEnd - LEASES_RESERVED / 2) this.#reserveLeases(count + LEASES_RESERVED)
    this.#nextLease = first + count
    return first
  }

  /** @throws BrokerError when that cannot be written now */
  #reserveLeases(count: number): void {
    const value = Buffer.alloc(8)
    const end = this.#nextLease + count
    value.writeDoubleBE(end)
    const written = this.#writeValues([{ key: LEASES_KEY, value }])
    this.#reservedEnd = end
    written?.catch((error: Error) => {
      this.#parts.logger.error('leases could not be reserved', { error: error.message })
    })
  }

  /** Small values go to the journal at once. */
  #writeValues(writes: readonly ValueWrite[]): void | Promise<void> {
    const record = { kind: RecordKind.values, log: 0, first: 0, count: writes.length, attributes: null }
    const written = this.#journal.append({ ...record, payload: encodeValueList(writes) }, false)
    // the archive hears of them before they are synced: it must not think that their journal file has nothing more for it
    const told = written?.then(() => this.#archive.valuesWritten(writes))
    if (told === undefined) this.#archive.valuesWritten(writes)
    if (!this.#isPower) return told
    return told === undefined ? this.#journal.synced() : told.then(() => this.#journal.synced())
  }

  // ---- logs ------------------------------------------------------------------------------------------------------

  async openLog(log: Lease, { durability }: OpenLogOptions): Promise<LogStore> {
    this.#requireOpen()
    if (!DURABILITIES.includes(durability)) {
      throw new BrokerError(
        'E_INVALID_OPTION',
        `storage-rocksdb offers durability ${DURABILITIES.join(', ')}, not ${durability}`,
      )
    }
    const state = this.#logs.get(log) ?? new LogState(log)
    if (this.#openLogs.has(log)) throw new BrokerError('E_STORAGE_LOCKED', `log ${log} is open already`)
    this.#logs.set(log, state)
    state.durability = durability
    const opened = new RocksdbLog({
      state,
      durability,
      journal: this.#journal,
      archive: this.#archive,
      database: this.#database,
      closed: () => this.#openLogs.delete(log),
    })
    this.#openLogs.set(log, opened)
    return opened
  }

  async deleteLog(log: Lease): Promise<void> {
    this.#requireOpen()
    const state = this.#logs.get(log)
    if (state === undefined) return
    if (this.#openLogs.has(log)) throw new BrokerError('E_STORAGE_LOCKED', `log ${log} is open`)
    await this.#writeValues(LOG_KINDS.map((kind) => ({ key: logPrefix(kind, log), value: 'prefix' })))
    if (state.isDeleted) return
    state.isDeleted = true
    this.#logs.delete(log)
    this.#archive.logDeleted(state)
  }

  async listLogs(): Promise<readonly Lease[]> {
    this.#requireOpen()
    return [...this.#logs.keys()]
  }
}

const CAPABILITIES: Omit<StorageCapabilities, 'memorySizeBytes'> = {
  durabilities: DURABILITIES,
  resident: false,
  whenFull: 'refuse',
  fencing: false,
}
/** Everything that is stored of a log. */
const LOG_KINDS = ['log', 'head', 'page', 'index', 'data'] as const

function youngBytesFor(memorySizeBytesMax: number | null): number {
  if (memorySizeBytesMax === null) return YOUNG_BYTES_DEFAULT
  return Math.min(YOUNG_BYTES_MAX, Math.max(YOUNG_BYTES_MIN, memorySizeBytesMax * YOUNG_SHARE))
}

/** Messages are nobody else's business; nsqd's queue files are closed to others, too. */
const FOLDER_MODE = 0o700

/** `mkdir` with `recursive` says of a read-only file system that nothing is there, and gives folders above it the mode as well. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, FOLDER_MODE)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') {
      await mkdir(dirname(path), { recursive: true })
      await mkdir(path, FOLDER_MODE)
    } else if (code !== 'EEXIST' || !(await stat(path)).isDirectory()) {
      throw error
    }
  }
}
