import { BrokerError, type Lease, type Logger } from '@spillway/core'
import type { Archive } from './archive.js'
import type { Database } from './database.js'
import type { Journal } from './journal/journal.js'
import { FoundFile } from './journal/journal-file.js'
import { type RecordHeader, RecordKind } from './journal/record.js'
import { goesOnFromDatabase, type JournalDamage, replayJournal } from './journal/replay.js'
import { dataPrefixLog, FENCE_KEY, kindRange, LEASES_KEY, logOf, VERSION_KEY } from './keys.js'
import { LogState, stretchOf } from './log-state.js'
import { applyTrim } from './rocksdb-log.js'
import { decodeStretchEntry } from './stretch-codec.js'
import { decodeValueList } from './value-list.js'

const LAYOUT_VERSION = 1
/** What is read from the journal is copied to slabs of their own, so that its records lie together. */
const SLAB_BYTES_MIN = 4 * 1024
const SLAB_BYTES_MAX = 1024 * 1024

export interface RecoveryParts {
  readonly database: Database
  readonly journal: Journal
  readonly dataPath: string
  readonly journalFolder: string
  readonly archive: Archive
  /** Filled with what is found. */
  readonly logs: Map<Lease, LogState>
  readonly logger: Logger
  /** Takes note of damage in the journal, behind which it goes on; without this nothing is opened. */
  readonly onDamage?: ((damage: JournalDamage) => void) | undefined
}

/**
 * Finds out what is there: first what RocksDB has, then what only the journal has; a record that is in both counts once, since a
 * log's stretches end where a run in the journal did. Then the journal goes on in a new file.
 * @throws BrokerError `E_STORAGE_CORRUPT`, `E_STORAGE_IO`
 */
export async function recover(parts: RecoveryParts): Promise<{ nextLease: Lease }> {
  const { database, journal, dataPath, journalFolder, archive, logs, logger } = parts
  const isNew = await isNewDatabase(database)
  if (isNew && (await goesOnFromDatabase(journalFolder))) {
    const detail = `${database.path} is missing or empty, but ${journalFolder} goes on from it: bring it back, or move both away to begin anew`
    throw new BrokerError('E_STORAGE_CORRUPT', detail)
  }
  if (isNew) await writeVersion(database)
  await findStretches(database, logs)
  const slabs = new Map<LogState, Slab>()
  let recordCount = 0
  const replayed = await replayJournal(
    journalFolder,
    (header, attributes, payload) => {
      if (header.kind === RecordKind.values) return replayValues(payload, parts)
      recordCount += header.count
      replayChunk(header, attributes, payload, parts, slabs)
    },
    { afterFile: () => archive.relieve(), ...(parts.onDamage === undefined ? {} : { onDamage: parts.onDamage }) },
  )
  const files = replayed.files.map(({ number, end }) => new FoundFile(journalFolder, number, end))
  if (files.length > 0) {
    const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
    const counts = { fileCount: files.length, sizeBytes, messageCount: recordCount }
    logger.info(`${journalFolder}: read, since the last stop was not in order`, counts)
  } else if (isNew) {
    // Where a disk is not mounted, a broker starts all the same, and looks well.
    logger.warn(`${dataPath}: nothing was stored here, this is a new, empty data path`)
  }
  if (replayed.cutBytes > 0)
    logger.warn(`${journalFolder}: ${replayed.cutBytes} bytes at its end were not whole and are gone`)
  const last = replayed.files.at(-1)
  journal.open((last?.number ?? 0) + 1, last?.end ?? 0, files, !isNew)
  archive.activate()
  const leases = await archive.get(LEASES_KEY)
  return { nextLease: leases === null ? 1 : Buffer.from(leases).readDoubleBE() }
}

/** @throws BrokerError `E_STORAGE_CORRUPT` when it was written by a version that is not known here */
async function isNewDatabase(database: Database): Promise<boolean> {
  const version = await database.get(VERSION_KEY)
  if (version === null || version[0] === LAYOUT_VERSION) return version === null
  const detail = `${database.path} has layout version ${version[0]}; this Spillway knows version ${LAYOUT_VERSION}`
  throw new BrokerError('E_STORAGE_CORRUPT', detail)
}

/** On the disk itself, since the journal will say that it is there. */
async function writeVersion(database: Database): Promise<void> {
  const batch = database.batch()
  batch.tryPut(VERSION_KEY, Buffer.from([LAYOUT_VERSION]))
  batch.tryPut(FENCE_KEY, Buffer.alloc(0))
  await database.write(batch)
  await database.flush()
}

async function findStretches(database: Database, logs: Map<Lease, LogState>): Promise<void> {
  for (const [name, value] of await database.scan(kindRange('log'))) {
    const state = stateOf(logs, logOf(Buffer.from(name, 'latin1')))
    state.first = value.readDoubleBE()
    state.readable = state.first
    state.appended = state.first
  }
  for (const [name, value] of await database.scan(kindRange('index'))) {
    const log = logOf(Buffer.from(name, 'latin1'))
    const { pieces, framesBytes, end } = decodeStretchEntry(log, value, `${database.path}: log ${log}`)
    stateOf(logs, log).found(stretchOf(pieces, framesBytes, end))
  }
}

function stateOf(logs: Map<Lease, LogState>, log: Lease): LogState {
  let state = logs.get(log)
  if (state === undefined) {
    state = new LogState(log)
    logs.set(log, state)
  }
  return state
}

function replayValues(payload: Buffer, { archive, logs }: RecoveryParts): void {
  const writes = [...decodeValueList(payload)]
  archive.valuesWritten(writes)
  for (const { key, value } of writes) {
    const bytes = Buffer.from(key)
    const deleted = value === 'prefix' ? dataPrefixLog(bytes) : null
    if (deleted !== null) {
      const state = logs.get(deleted)
      if (state === undefined) continue
      state.isDeleted = true
      logs.delete(deleted)
      archive.logDeleted(state)
    } else if (value instanceof Uint8Array && isLogKey(bytes)) {
      const state = stateOf(logs, logOf(bytes))
      const before = Buffer.from(value).readDoubleBE()
      if (before > state.first) applyTrim(state, before, archive)
    }
  }
}

function isLogKey(key: Buffer): boolean {
  return key.length === 5 && key[0] === kindRange('log').gte[0]
}

function replayChunk(
  header: RecordHeader,
  attributes: Uint8Array | null,
  payload: Buffer,
  { archive, logs }: RecoveryParts,
  slabs: Map<LogState, Slab>,
): void {
  const state = stateOf(logs, header.log)
  const end = header.first + header.count
  if (end <= Math.max(state.storedEnd, state.first)) return
  // stretches end where a run did: one that begins below is what an append left that failed, and that others have replaced
  if (header.first < state.foundEnd) return
  // an append that failed may have been written all the same, and the next one begins where it did: that one counts
  if (header.first < state.readable && !state.young.isEmpty) {
    archive.youngChanged(state, -state.young.dropFrom(header.first))
  }
  let slab = slabs.get(state)
  if (slab === undefined) {
    slab = new Slab()
    slabs.set(state, slab)
  }
  const chunk = { first: header.first, count: header.count, frames: slab.copy(payload), attributes }
  archive.youngChanged(state, state.young.append(chunk, header.file, true))
  state.readable = end
  state.appended = end
}

class Slab {
  #bytes: Buffer = Buffer.alloc(0)
  #used = 0

  copy(bytes: Uint8Array): Uint8Array {
    if (this.#used + bytes.length > this.#bytes.length) {
      const sizeBytes = Math.max(
        bytes.length,
        Math.min(SLAB_BYTES_MAX, Math.max(SLAB_BYTES_MIN, this.#bytes.length * 2)),
      )
      this.#bytes = Buffer.allocUnsafeSlow(sizeBytes)
      this.#used = 0
    }
    this.#bytes.set(bytes, this.#used)
    this.#used += bytes.length
    return this.#bytes.subarray(this.#used - bytes.length, this.#used)
  }
}
