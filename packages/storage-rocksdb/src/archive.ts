import type { BrokerError, Clock, Lease, Logger, Sequence, SequenceRange, TimerHandle } from '@spillway/core'
import type { WriteBatch } from 'rocksdb-native'
import type { Database } from './database.js'
import type { Journal } from './journal/journal.js'
import { dataKey, indexKey, prefixRange } from './keys.js'
import type { LogState, Stretch } from './log-state.js'
import { PendingValues } from './pending-values.js'
import { SparseRewriter } from './sparse-rewriter.js'
import { StretchBuilder } from './stretch-builder.js'
import { putStretch } from './stretches.js'
import type { ValueWrite } from './value-list.js'
import { chunkOf, endOf, STRETCH_BYTES_MAX, type YoungEntry } from './young-records.js'

const MIB = 1024 * 1024
/** So much may stay young when nothing happens. */
const YOUNG_IDLE_BYTES_MAX = MIB
/** Young records are stored from this share of what there may be on, */
const STORED_FROM_SHARE = 1 / 4
/** and who waits for room goes on below this one. */
const ROOM_SHARE = 3 / 4
/** Closed journal files of more than this are made superfluous. */
const JOURNAL_BYTES_MAX = 96 * MIB
/** One write to RocksDB. */
const BATCH_BYTES_MAX = 4 * MIB
const TICK_MS = 1000
/** Journal files that nothing has been written to for so many ticks go. */
const IDLE_TICKS = 5
/** Deleted bytes that are worth compacting for at once; less waits for {@link IDLE_TICKS}. */
const GARBAGE_BYTES_MAX = 128 * MIB

export interface ArchiveParts {
  readonly database: Database
  readonly journal: Journal
  readonly logs: ReadonlyMap<Lease, LogState>
  /** So much may be young; then appends wait. */
  readonly youngBytesMax: number
  readonly clock: Clock
  readonly logger: Logger
  /** The disk is full: makes room. RocksDB needs some for giving room back. */
  makeRoom(): void
}

/** Young records of a log that go into RocksDB with one write. */
interface YoungPart {
  readonly state: LogState
  readonly stretches: Stretch[]
  /** One past the last of them. */
  end: Sequence
}

/** An append that waits for room. */
interface RoomWaiting {
  readonly state: LogState
  resolve(): void
}

/** What a pass will store of small values, and the keys that may go when it has. */
interface TakenValues {
  readonly values: PendingValues
  readonly dead: readonly Buffer[]
  readonly deadBytes: number
}

/**
 * Moves what is in memory and in the journal into RocksDB, in the background, so that neither grows: young records as
 * values of up to 1 MiB, and the latest small values. What was consumed in the meantime never gets there. Then journal
 * files go, and room is given back to the file system.
 */
export class Archive {
  readonly #parts: ArchiveParts
  readonly #rewriter: SparseRewriter
  #youngBytes = 0
  /** Grows whenever young records were stored. */
  #youngStored = 0
  #pending = new PendingValues()
  /** Those of the pass that is under way, or that failed. */
  #storing: PendingValues | null = null
  /** Keys of stretches that nobody needs any more. */
  #dead: Buffer[] = []
  /** Grows whenever values have moved into RocksDB. */
  #storedCount = 0
  #deadBytes = 0
  /** Bytes that were deleted since the last compaction. */
  #garbageBytes = 0
  /** Logs with something for a pass to do. */
  readonly #touched = new Set<LogState>()
  #pass: Promise<void> | null = null
  #timer: TimerHandle | null = null
  #idleTicks = 0
  #roomWaiting: RoomWaiting[] = []
  /** Why the last pass failed; null when it did not. */
  failure: BrokerError | null = null
  /** Nothing happens in the background before the journal has been read, nor after the end. */
  #isActive = false

  constructor(parts: ArchiveParts) {
    this.#parts = parts
    this.#rewriter = new SparseRewriter(parts.database, parts.logger)
  }

  // ---- what is told ----------------------------------------------------------------------------------------------

  /** Young records of a log have grown, or shrunk when below 0. */
  youngChanged(state: LogState, bytes: number): void {
    this.#youngBytes += bytes
    this.#touched.add(state)
    this.#idleTicks = 0
    if (bytes < 0) this.#makeRoom()
    else if (this.#isTooMuch) this.#start()
    if (this.#timer === null) this.#arm()
  }

  /** These values are in the journal. */
  valuesWritten(writes: readonly ValueWrite[]): void {
    for (const write of writes) this.#pending.apply(write)
    this.#idleTicks = 0
    if (this.#parts.journal.closedBytes > JOURNAL_BYTES_MAX) this.#start()
    if (this.#timer === null) this.#arm()
  }

  /** Nobody needs these stretches any more, once all values written so far are stored. */
  stretchesDied(state: LogState, stretches: readonly Stretch[]): void {
    for (const { first, framesBytes } of stretches) {
      this.#dead.push(indexKey(state.log, first), dataKey(state.log, first))
      this.#deadBytes += framesBytes
    }
    if (this.#deadBytes > GARBAGE_BYTES_MAX) this.#start()
    if (this.#timer === null) this.#arm()
  }

  /** Stretches of the log should be rewritten. */
  sparse(state: LogState): void {
    this.#touched.add(state)
    if (this.#timer === null) this.#arm()
  }

  /** Nothing of the log is needed any more; its keys are among the values to forget. */
  logDeleted(state: LogState): void {
    this.#touched.delete(state)
    this.#youngBytes -= state.young.sizeBytes
    this.#garbageBytes += state.storedBytes
    this.#makeRoom()
    if (this.#timer === null) this.#arm()
  }

  // ---- what is asked ---------------------------------------------------------------------------------------------

  /** So much is young that appends should wait for {@link whenRoom}. */
  get isBehind(): boolean {
    return this.#youngBytes > this.#parts.youngBytesMax
  }

  whenRoom(state: LogState): Promise<void> {
    return new Promise((resolve) => this.#roomWaiting.push({ state, resolve }))
  }

  /** The log has failed or is being closed: its records are safe, and it does not wait for others to make room. */
  letGo(state: LogState): void {
    const waiting = this.#roomWaiting
    this.#roomWaiting = waiting.filter((each) => each.state !== state)
    for (const each of waiting) if (each.state === state) each.resolve()
  }

  #makeRoom(): void {
    if (this.#roomWaiting.length === 0 || this.#youngBytes > this.#parts.youngBytesMax * ROOM_SHARE) return
    const waiting = this.#roomWaiting
    this.#roomWaiting = []
    for (const { resolve } of waiting) resolve()
  }

  /** The value as it was last written. */
  async get(key: Uint8Array): Promise<Uint8Array | null> {
    let pending = this.#pending.get(key)
    if (pending === undefined) pending = this.#storing?.get(key) // null is an answer: it is forgotten
    if (pending !== undefined) return pending
    return await this.#whileNothingMoves(() => this.#parts.database.get(key))
  }

  /** All values whose keys begin with `prefix`, by key as latin1 string. */
  async scan(prefix: Uint8Array): Promise<Map<string, Uint8Array>> {
    const range = prefixRange(Buffer.from(prefix))
    const found: Map<string, Uint8Array> = await this.#whileNothingMoves(() => this.#parts.database.scan(range))
    this.#storing?.overlay(found, prefix)
    this.#pending.overlay(found, prefix)
    return found
  }

  /** What a read finds must not be older than what has left memory while it was made. */
  async #whileNothingMoves<T>(read: () => Promise<T>): Promise<T> {
    for (;;) {
      const storedCount = this.#storedCount
      const found = await read()
      if (storedCount === this.#storedCount) return found
    }
  }

  /** The journal has been read and is written again. */
  activate(): void {
    this.#isActive = true
    this.#arm()
  }

  // ---- passes ----------------------------------------------------------------------------------------------------

  #arm(): void {
    if (!this.#isActive) return
    this.#timer = this.#parts.clock.setTimer(TICK_MS, () => {
      this.#timer = null
      this.#idleTicks++
      const isIdle = this.#idleTicks >= IDLE_TICKS
      if (this.#hasWork(isIdle)) this.#start()
      if (!isIdle || this.#hasWork(true)) this.#arm()
    })
  }

  get #hasMuchYoung(): boolean {
    return this.#youngBytes > this.#parts.youngBytesMax * STORED_FROM_SHARE
  }

  get #isTooMuch(): boolean {
    return this.#hasMuchYoung || this.#parts.journal.closedBytes > JOURNAL_BYTES_MAX
  }

  #hasWork(isIdle: boolean): boolean {
    if (this.failure !== null || this.#isTooMuch) return true
    for (const state of this.#touched) {
      if (state.sparse.size > 0 || (state.durability === 'none' && !state.young.isEmpty)) return true
    }
    if (isIdle && (this.#parts.journal.closedBytes > 0 || this.#youngBytes > YOUNG_IDLE_BYTES_MAX)) return true
    return this.#deadBytes + this.#garbageBytes > (isIdle ? 0 : GARBAGE_BYTES_MAX)
  }

  /** While the journal is read at the start: stores what was found as soon as it is too much for memory. */
  async relieve(): Promise<void> {
    if (this.#youngBytes <= this.#parts.youngBytesMax) return
    await this.#storeAllYoung(ALL_FILES)
  }

  #start(): void {
    if (!this.#isActive || this.#pass !== null) return
    const youngStored = this.#youngStored
    this.#pass = this.#run().finally(() => {
      this.#pass = null
      // those who wait for room add nothing that would start the next one
      if (this.failure === null && this.#isTooMuch && this.#youngStored > youngStored) this.#start()
    })
  }

  async #run(): Promise<void> {
    try {
      await this.run(this.#hasMuchYoung || this.#idleTicks >= IDLE_TICKS)
      if (this.failure !== null) this.#parts.logger.info('RocksDB can be written again')
      this.failure = null
    } catch (error) {
      const failure = error as BrokerError
      if (failure.code === 'E_STORAGE_FULL') this.#parts.makeRoom() // the next pass uses it
      if (this.failure === null) this.#parts.logger.error('RocksDB cannot be written', { error: failure.message })
      this.failure = failure
    }
  }

  /** Stores what has to be, with `all` everything. One call at a time. @throws BrokerError, and may be tried again */
  async run(all: boolean): Promise<void> {
    const { journal, database } = this.#parts
    const cut = journal.fileNumber
    await new Promise((resolve) => setImmediate(resolve)) // what lies in files below has been told by then
    const sparse = [...this.#touched].map((state) => ({ state, allowed: state.sparseNow() }))
    const values = this.#takeValues()
    try {
      // what values allow to go must not go before the journal, too, has them on the disk itself
      const results = await Promise.allSettled([journal.sync(), this.#storeAllYoung(all ? ALL_FILES : cut)])
      for (const result of results) if (result.status === 'rejected') throw result.reason
      await this.#storeValues(values)
    } catch (error) {
      this.#putBack(values)
      throw error
    }
    // that these may go was saved before this pass began
    for (const { state, allowed } of sparse) {
      this.#garbageBytes += await this.#rewriter.rewrite(state, allowed)
      if (!state.isDeleted) this.stretchesDied(state, state.dropStoredBelow(state.first)) // trimmed meanwhile
    }
    for (const state of this.#touched) if (state.young.isEmpty && state.sparse.size === 0) this.#touched.delete(state)
    const needed = this.#oldestNeeded(cut)
    if (journal.hasClosedBelow(needed)) {
      await database.flush()
      await journal.retire(needed)
    }
    await this.#giveBack()
  }

  #oldestNeeded(cut: number): number {
    let oldest = cut
    for (const state of this.#touched) oldest = Math.min(oldest, state.young.oldestJournalFile)
    return oldest
  }

  #takeValues(): TakenValues {
    const taken = { values: this.#pending, dead: this.#dead, deadBytes: this.#deadBytes }
    this.#storing = this.#pending
    this.#pending = new PendingValues()
    this.#dead = []
    this.#deadBytes = 0
    return taken
  }

  #putBack({ values, dead, deadBytes }: TakenValues): void {
    values.absorb(this.#pending)
    this.#pending = values
    this.#storing = null
    this.#dead = [...dead, ...this.#dead]
    this.#deadBytes += deadBytes
  }

  /** Values together with the deletions that they allow. */
  async #storeValues({ values, dead, deadBytes }: TakenValues): Promise<void> {
    if (!values.isEmpty || dead.length > 0) {
      const batch = this.#parts.database.batch()
      for (const prefix of values.prefixes()) {
        const { gte, lt } = prefixRange(prefix)
        batch.tryDeleteRange(gte, lt)
      }
      for (const [key, value] of values.entries()) {
        if (value === null) batch.tryDelete(key)
        else batch.tryPut(key, value)
      }
      for (const key of dead) batch.tryDelete(key)
      await this.#parts.database.write(batch)
    }
    this.#storing = null
    this.#storedCount++
    this.#garbageBytes += deadBytes
  }

  /** Of each log the oldest records, up to those that begin in a journal file of at least this number. Many small logs share one write. */
  async #storeAllYoung(journalFile: number): Promise<void> {
    const { database } = this.#parts
    let batch: WriteBatch | null = null
    let parts: YoungPart[] = []
    let sizeBytes = 0
    const write = async (): Promise<void> => {
      if (batch !== null) await database.write(batch)
      for (const part of parts) this.#stored(part)
      batch = null
      parts = []
      sizeBytes = 0
    }
    for (const state of this.#touched) {
      const entries = state.young.freeze(state.readable, state.durability === 'none' ? ALL_FILES : journalFile)
      for (let at = 0; at < entries.length; ) {
        const part: YoungPart = { state, stretches: [], end: 0 }
        parts.push(part)
        while (at < entries.length && sizeBytes < BATCH_BYTES_MAX) {
          const builder = new StretchBuilder()
          do {
            builder.add(chunkOf(entries[at]), NOTHING_ERASED) // that more may go is not on the disk yet
            part.end = endOf(entries[at++])
          } while (at < entries.length && builder.framesBytes + entryBytes(entries[at]) <= STRETCH_BYTES_MAX)
          batch ??= database.batch()
          const stretch = putStretch(batch, state.log, builder, part.end)
          if (stretch !== null) part.stretches.push(stretch)
          sizeBytes += builder.framesBytes
        }
        if (sizeBytes >= BATCH_BYTES_MAX) await write()
      }
    }
    if (parts.length > 0) await write()
  }

  #stored({ state, stretches, end }: YoungPart): void {
    this.#youngStored++
    if (state.isDeleted) return
    const { first } = state
    for (const stretch of stretches) state.add(stretch)
    state.erase(state.takeErasedBelow(end)) // what may go since a moment ago among them
    this.youngChanged(state, -state.young.dropBelow(end))
    this.stretchesDied(state, state.dropStoredBelow(first)) // trimmed meanwhile
  }

  // ---- giving room back ------------------------------------------------------------------------------------------

  async #giveBack(): Promise<void> {
    const isIdle = this.#idleTicks >= IDLE_TICKS
    if (this.#garbageBytes <= (isIdle ? 0 : GARBAGE_BYTES_MAX)) return
    const { database, logs } = this.#parts
    this.#garbageBytes = 0
    await database.flush()
    await database.compact(false)
    let storedBytes = 0
    for (const state of logs.values()) storedBytes += state.storedBytes
    if ((await database.blobBytes()) > 1.5 * storedBytes + GARBAGE_BYTES_MAX) await database.compact(true)
  }

  /** Waits for the pass that is under way, stores everything, and stops. @throws BrokerError when that fails */
  async close(): Promise<void> {
    this.#isActive = false
    this.#timer?.cancel()
    if (this.#pass !== null) await this.#pass
    await this.run(true)
    await this.#parts.database.flush()
  }
}

const NOTHING_ERASED: readonly SequenceRange[] = []
/** Above every journal file number, records that are in none included. */
const ALL_FILES = Number.POSITIVE_INFINITY

function entryBytes(entry: YoungEntry): number {
  return entry.end - entry.start
}
