import { open } from 'node:fs/promises'
import type { Clock, Lease, Logger, Sequence, TimerHandle } from '@spillway/core'
import { BrokerError } from '@spillway/core'
import { storageError } from '../storage-error.js'
import { type ClosedFile, JournalFile } from './journal-file.js'
import { RECORD_HEADER_BYTES, RecordKind, recordEnd, sealRecord, sealWholeRecord, writeRecordHeader } from './record.js'

/** Records up to this size are copied together with their header and written in one piece. */
const STAGING_BYTES = 32 * 1024
/** A write that takes longer sends the following ones to the thread pool, until so many in a row were quick. */
const SLOW_MS = 5
const QUICK_WRITES_MIN = 16
/** When nothing has been written for so long after a sync, that is written. */
const MARK_AFTER_MS = 1000

export interface JournalRecord {
  readonly kind: RecordKind
  readonly log: Lease
  readonly first: Sequence
  readonly count: number
  readonly attributes: Uint8Array | null
  readonly payload: Uint8Array
}

export interface JournalParts {
  readonly folder: string
  readonly clock: Clock
  readonly logger: Logger
  /** A new file is begun when this would be passed. */
  readonly fileBytesMax: number
  /** What was written is brought to the disk itself after at most this time; 0 leaves that to the system. */
  readonly syncIntervalMs: number
  /** The disk is full: makes room for what lets consumers go on. Returns whether it could. */
  makeRoom(): boolean
}

/** A record that waits for the thread pool. */
interface Waiting {
  readonly record: JournalRecord
  resolve(): void
  reject(error: BrokerError): void
}

/** Somebody who waits for everything written before to be on the disk itself. */
interface SyncWaiting {
  readonly end: number
  resolve(): void
  reject(error: BrokerError): void
}

/**
 * What makes an `OK` survive: records are appended to numbered files, in the order of the calls, and read back only
 * after a crash.
 *
 * ```
 *   00000007.journal  | file start | chunk | chunk | values | chunk | …        closed: goes when all of it is stored or consumed
 *   00000008.journal  | file start | chunk | values | …                        written
 * ```
 * A write goes straight to the system from the calling thread, which takes microseconds, as long as the system takes it
 * quickly. When it does not, the following ones gather and go through the thread pool until it does again.
 */
export class Journal {
  readonly #parts: JournalParts
  readonly #staging = Buffer.allocUnsafeSlow(STAGING_BYTES)
  #file: JournalFile | null = null
  /** Closed for writing, oldest first; those of earlier lives among them. */
  readonly #closed: ClosedFile[] = []
  /** Null as long as writes go straight to the system. */
  #waiting: Waiting[] | null = null
  #quickWrites = 0
  /** Records that go with the next one, or at the end of the turn. */
  #lazy: Waiting[] = []
  #lazyScheduled = false
  /** Bytes written to all files of this life. */
  #writtenBytes = 0
  #syncedBytes = 0
  #syncWaiting: SyncWaiting[] = []
  #syncing: Promise<void> | null = null
  #syncTimer: TimerHandle | null = null
  #markTimer: TimerHandle | null = null
  /** What the last record of the file says of what was on the disk. */
  #markedBytes = 0
  #goesOn = false
  /** A file was created since the folder was brought to the disk. */
  #isFolderDirty = false
  #isClosed = false

  constructor(parts: JournalParts) {
    this.#parts = parts
  }

  /**
   * Begins to write, to a file that must not exist. `found` are files of earlier lives, ascending, for {@link retire};
   * `previousEnd` is where the last one ends. `goesOn`: what came before is in RocksDB, without which the journal is not whole.
   * @throws BrokerError
   */
  open(number: number, previousEnd: number, found: readonly ClosedFile[], goesOn = false): void {
    this.#goesOn = goesOn
    this.#begin(number, previousEnd)
    this.#closed.push(...found)
  }

  /** The number of the file that is written. */
  get fileNumber(): number {
    return this.#current.number
  }

  /** Bytes in files that are closed for writing. */
  get closedBytes(): number {
    let sizeBytes = 0 // no reduce: this is asked at every append
    for (const file of this.#closed) sizeBytes += file.sizeBytes
    return sizeBytes
  }

  /** Whether {@link retire} would delete anything. */
  hasClosedBelow(number: number): boolean {
    return this.#closed.length > 0 && this.#closed[0].number < number
  }

  get sizeBytes(): number {
    return this.closedBytes + this.#current.sizeBytes
  }

  get #current(): JournalFile {
    if (this.#file === null) throw new BrokerError('E_STORAGE_CLOSED', `journal ${this.#parts.folder} is not open`)
    return this.#file
  }

  /**
   * Writes a record; with `sync` it waits for the disk itself. Returns nothing when it is done at once.
   * @throws BrokerError `E_STORAGE_FULL`: surely not written. `E_STORAGE_IO`: unknown. Either may also come as a rejection.
   */
  append(record: JournalRecord, sync: boolean): void | Promise<void> {
    if (this.#waiting !== null) {
      const written = this.#appendLater(this.#waiting, record)
      return sync ? written.then(() => this.synced()) : written
    }
    if (this.#lazy.length > 0) this.#writeLazy()
    if (this.#waiting !== null) return this.append(record, sync)
    const startMs = this.#parts.clock.monotonicMs()
    this.#write(record)
    if (this.#parts.clock.monotonicMs() - startMs > SLOW_MS) this.#goLater()
    if (sync) return this.synced()
    if (this.#syncTimer === null) this.#armSync()
  }

  /** Writes a record together with the next one, or at the end of this turn. @throws BrokerError as a rejection */
  appendLazily(record: JournalRecord): Promise<void> {
    return this.#waiting === null ? this.#appendWithNext(record) : this.#appendLater(this.#waiting, record)
  }

  #appendWithNext(record: JournalRecord): Promise<void> {
    const written = new Promise<void>((resolve, reject) => this.#lazy.push({ record, resolve, reject }))
    if (!this.#lazyScheduled) {
      this.#lazyScheduled = true
      setImmediate(() => {
        this.#lazyScheduled = false
        this.#writeLazy()
      })
    }
    return written
  }

  #writeLazy(): void {
    const lazy = this.#lazy
    if (lazy.length === 0) return
    this.#lazy = []
    if (this.#waiting !== null) {
      this.#waiting.push(...lazy)
      return
    }
    for (const { record, resolve, reject } of lazy) {
      try {
        this.#write(record)
        resolve()
      } catch (error) {
        reject(error as BrokerError)
      }
    }
    if (this.#syncTimer === null) this.#armSync()
  }

  // ---- writing at once -------------------------------------------------------------------------------------------

  #write(record: JournalRecord): void {
    try {
      this.#writeToFile(record)
    } catch (error) {
      const failure = storageError(error, this.#current.path)
      if (failure.code !== 'E_STORAGE_FULL' || record.kind === RecordKind.chunk || !this.#parts.makeRoom())
        throw failure
      this.#write(record)
    }
  }

  #writeToFile(record: JournalRecord): void {
    const { attributes, payload } = record
    const sizeBytes = recordBytes(record)
    const file = this.#fileFor(sizeBytes)
    const staging = this.#staging
    this.#writeHeader(staging, record, file)
    if (sizeBytes <= STAGING_BYTES) {
      if (attributes !== null) staging.set(attributes, RECORD_HEADER_BYTES)
      staging.set(payload, sizeBytes - payload.length)
      sealWholeRecord(staging, 0, sizeBytes)
      file.write(staging, sizeBytes)
    } else {
      sealRecord(staging, 0, attributes, payload)
      const header = staging.subarray(0, RECORD_HEADER_BYTES)
      file.writeAll(attributes === null ? [header, payload] : [header, attributes, payload], sizeBytes)
    }
    this.#writtenBytes += sizeBytes
  }

  #writeHeader(bytes: Buffer, record: JournalRecord, file: JournalFile): void {
    this.#markedBytes = file.syncedBytes
    writeRecordHeader(bytes, 0, {
      file: file.number,
      syncedBytes: file.syncedBytes,
      kind: record.kind,
      log: record.log,
      first: record.first,
      count: record.count,
      attributesBytes: record.attributes?.length ?? 0,
      payloadBytes: record.payload.length,
    })
  }

  /** The file that takes the next `sizeBytes`. */
  #fileFor(sizeBytes: number): JournalFile {
    const file = this.#current
    const isEmpty = file.sizeBytes <= RECORD_HEADER_BYTES
    if (!file.isBroken && (isEmpty || file.sizeBytes + sizeBytes <= this.#parts.fileBytesMax)) return file
    this.#begin(file.number + 1, file.certainEnd)
    this.#closed.push(file)
    return this.#current
  }

  #begin(number: number, previousEnd: number): void {
    let file: JournalFile
    try {
      file = new JournalFile(this.#parts.folder, number, this.#parts.fileBytesMax)
    } catch (error) {
      throw storageError(error, this.#parts.folder)
    }
    const start = Buffer.alloc(RECORD_HEADER_BYTES)
    const record = {
      kind: RecordKind.fileStart,
      log: 0,
      first: previousEnd,
      count: this.#goesOn ? 1 : 0,
      attributes: null,
    }
    this.#writeHeader(start, { ...record, payload: NO_BYTES }, file)
    sealWholeRecord(start, 0, start.length)
    try {
      file.write(start, start.length)
    } catch (error) {
      file.discard()
      throw storageError(error, file.path)
    }
    this.#file = file
    this.#isFolderDirty = true
  }

  // ---- writing in the thread pool --------------------------------------------------------------------------------

  #appendLater(waiting: Waiting[], record: JournalRecord): Promise<void> {
    return new Promise<void>((resolve, reject) => waiting.push({ record, resolve, reject }))
  }

  /** From now on records gather, and go through the thread pool. */
  #goLater(): void {
    this.#waiting = []
    this.#quickWrites = 0
    this.#parts.logger.debug('the disk is slow: the journal is written in the thread pool')
    setImmediate(() => void this.#writeWaiting())
  }

  async #writeWaiting(): Promise<void> {
    while (this.#waiting !== null) {
      const batch = this.#waiting
      this.#waiting = []
      const startMs = this.#parts.clock.monotonicMs()
      try {
        while (batch.length > 0) await this.#writeGroup(batch)
      } catch (error) {
        const failure = storageError(error, this.#current.path)
        // whatever came behind it was not written either: nobody may think that the log goes on after a gap
        for (const { reject } of batch.concat(this.#waiting)) reject(failure)
        this.#waiting = []
      }
      const isQuick = this.#parts.clock.monotonicMs() - startMs <= SLOW_MS
      this.#quickWrites = isQuick ? this.#quickWrites + 1 : 0
      if (this.#waiting.length === 0 && (this.#quickWrites >= QUICK_WRITES_MIN || this.#isClosed)) this.#waiting = null
      else await new Promise((resolve) => setImmediate(resolve))
    }
    if (this.#syncTimer === null) this.#armSync()
  }

  /** Writes as many records from the head of `batch` as go into one call, takes them out and tells those who wait. */
  async #writeGroup(batch: Waiting[]): Promise<void> {
    const file = this.#fileFor(recordBytes(batch[0].record))
    const buffers: Uint8Array[] = []
    let sizeBytes = 0
    let count = 0
    for (; count < batch.length && buffers.length < BUFFERS_MAX; count++) {
      const { record } = batch[count]
      if (count > 0 && file.sizeBytes + sizeBytes + recordBytes(record) > this.#parts.fileBytesMax) break
      const header = Buffer.allocUnsafe(RECORD_HEADER_BYTES)
      this.#writeHeader(header, record, file)
      sealRecord(header, 0, record.attributes, record.payload)
      buffers.push(header, ...(record.attributes === null ? [] : [record.attributes]), record.payload)
      sizeBytes += recordBytes(record)
    }
    await file.writeAllLater(buffers, sizeBytes)
    this.#writtenBytes += sizeBytes
    for (const { resolve } of batch.splice(0, count)) resolve()
  }

  // ---- the disk itself -------------------------------------------------------------------------------------------

  /** Resolves when everything appended so far is on the disk itself. @throws BrokerError as a rejection */
  async sync(): Promise<void> {
    this.#writeLazy()
    if (this.#waiting !== null) await this.appendLazily(NOTHING)
    await this.synced()
  }

  /** Resolves when everything written so far is on the disk itself. Many who wait share one sync. @throws BrokerError `E_STORAGE_IO` as a rejection */
  synced(): Promise<void> {
    if (this.#syncedBytes >= this.#writtenBytes && !this.#isFolderDirty) return Promise.resolve()
    const end = this.#writtenBytes
    const synced = new Promise<void>((resolve, reject) => this.#syncWaiting.push({ end, resolve, reject }))
    this.#syncing ??= this.#sync()
    return synced
  }

  async #sync(): Promise<void> {
    await null // those of this turn share it
    do {
      const end = this.#writtenBytes
      let failure: BrokerError | null = null
      try {
        await this.#syncFiles()
        this.#syncedBytes = end
        this.#markLater()
      } catch (error) {
        // it is written, whatever the disk says: never "surely not"
        failure = new BrokerError('E_STORAGE_IO', storageError(error, this.#parts.folder).detail, { cause: error })
      }
      const waiting = this.#syncWaiting
      // what was written meanwhile waits for the next one; after a failure nobody knows what is there
      this.#syncWaiting = failure === null ? waiting.filter((each) => each.end > end) : []
      for (const each of waiting) {
        if (failure !== null) each.reject(failure)
        else if (each.end <= end) each.resolve()
      }
    } while (this.#syncWaiting.length > 0)
    this.#syncing = null
  }

  async #syncFiles(): Promise<void> {
    const files = [...this.#closed, this.#current]
    if (this.#isFolderDirty) {
      this.#isFolderDirty = false
      await this.#syncFolder().catch((error: unknown) => {
        this.#isFolderDirty = true
        throw error
      })
    }
    for (const file of files) {
      await file.sync()
      if (file === this.#file) continue
      await file.sync() // what was written to its end while that was under way
      file.close()
    }
  }

  async #syncFolder(): Promise<void> {
    const folder = await open(this.#parts.folder, 'r')
    await folder.sync().finally(() => folder.close())
  }

  /**
   * A record says how much was on the disk when it was written. Where none follows, one of nothing says it: otherwise
   * damage to what was written last would look like what a loss of power leaves.
   */
  #markLater(): void {
    if (this.#markTimer !== null || this.#isClosed) return
    this.#markTimer = this.#parts.clock.setTimer(MARK_AFTER_MS, () => {
      this.#markTimer = null
      if (this.#waiting !== null || this.#isClosed || this.#current.syncedBytes <= this.#markedBytes) return
      try {
        this.#write(NOTHING)
      } catch {
        // then the next record says it
      }
    })
  }

  #armSync(): void {
    const { syncIntervalMs, clock, logger } = this.#parts
    if (syncIntervalMs === 0 || this.#isClosed) return
    this.#syncTimer = clock.setTimer(syncIntervalMs, () => {
      this.#syncTimer = null
      this.synced().catch((error: Error) => logger.error('the journal could not be synced', { error: error.message }))
    })
  }

  // ---- going -----------------------------------------------------------------------------------------------------

  /** Deletes the closed files below `number`: all that is in them is stored elsewhere or not needed any more. */
  async retire(number: number): Promise<void> {
    if (this.#syncing !== null) await this.#syncing
    while (this.#closed.length > 0 && this.#closed[0].number < number) {
      const file = this.#closed[0]
      await file.remove().catch((error: unknown) => {
        throw storageError(error, file.path)
      })
      this.#closed.shift()
    }
  }

  /** Writes what waits, and closes. With `remove` nothing of it is needed any more. */
  async close(remove: boolean): Promise<void> {
    if (this.#file === null || this.#isClosed) return
    this.#writeLazy()
    this.#isClosed = true
    this.#syncTimer?.cancel()
    this.#markTimer?.cancel()
    while (this.#waiting !== null) await new Promise((resolve) => setImmediate(resolve))
    if (this.#syncing !== null) await this.#syncing
    let isRemoving = remove
    for (const file of [...this.#closed, this.#file]) {
      // one that stays keeps those behind it: alone it would bring old values back
      if (isRemoving) isRemoving = await file.remove().then(isDone, isNotDone)
      else file.close()
    }
    this.#file = null
  }
}

const isDone = (): boolean => true
const isNotDone = (): boolean => false
const NO_BYTES = new Uint8Array(0)
const NOTHING: JournalRecord = {
  kind: RecordKind.values,
  log: 0,
  first: 0,
  count: 0,
  attributes: null,
  payload: NO_BYTES,
}
/** What the system takes in one call (IOV_MAX is 1,024). */
const BUFFERS_MAX = 900

function recordBytes(record: JournalRecord): number {
  return recordEnd(0, { attributesBytes: record.attributes?.length ?? 0, payloadBytes: record.payload.length })
}
