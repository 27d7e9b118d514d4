import {
  BrokerError,
  type Chunk,
  type ChunkAttributes,
  type CursorUpdate,
  type Durability,
  type Lease,
  type LogStore,
  type SavedCursor,
  type Sequence,
  type SequenceRange,
} from '@spillway/core'
import type { Archive } from './archive.js'
import type { Database } from './database.js'
import type { Journal } from './journal/journal.js'
import { RecordKind } from './journal/record.js'
import { headKey, indexKey, logKey, pageKey, pageOf, pagesPrefix } from './keys.js'
import type { LogState, Stretch } from './log-state.js'
import { decodeStretchEntry } from './stretch-codec.js'
import { readStretch } from './stretches.js'
import { encodeValueList, type ValueWrite } from './value-list.js'
import { NO_FILE } from './young-records.js'

export interface RocksdbLogParts {
  readonly state: LogState
  readonly durability: Durability
  readonly journal: Journal
  readonly archive: Archive
  readonly database: Database
  closed(): void
}

/** Reads that find a stretch rewritten under their hands look again, so often. */
const READ_TRIES = 8

/** A log while it is open. */
export class RocksdbLog implements LogStore {
  readonly first: Sequence
  readonly next: Sequence
  readonly #parts: RocksdbLogParts
  readonly #state: LogState
  readonly #durability: Durability
  #failure: BrokerError | null = null
  /** Appends and saves that have not resolved. */
  readonly #unresolved = new Set<Promise<unknown>>()
  /** The last append that has not resolved: those behind it resolve after it. Null when there is none. */
  #lastAppend: Promise<void> | null = null
  /** The same, as far as only its safety counts. */
  #lastSafe: Promise<void> | null = null
  #closing: Promise<void> | null = null

  constructor(parts: RocksdbLogParts) {
    this.#parts = parts
    this.#state = parts.state
    this.#durability = parts.durability
    this.first = parts.state.first
    this.next = parts.state.readable
  }

  get sizeBytes(): number {
    return this.#state.sizeBytes
  }

  // ---- records ---------------------------------------------------------------------------------------------------

  append(chunk: Chunk): void | Promise<void> {
    this.#requireOpen()
    if (this.#failure !== null) throw this.#failure
    const state = this.#state
    const { archive, journal } = this.#parts
    if (chunk.first < state.appended || chunk.count < 1) {
      throw new RangeError(`append of ${chunk.count} records at ${chunk.first}, but the log ends at ${state.appended}`)
    }
    if (archive.isBehind && archive.failure !== null) throw this.#fail(archive.failure)
    const journalFile = this.#durability === 'none' ? NO_FILE : journal.fileNumber
    const end = chunk.first + chunk.count
    const written = this.#write(chunk)
    const isSafe = written === undefined && this.#lastAppend === null
    state.appended = end
    if (isSafe) state.readable = end
    archive.youngChanged(state, state.young.append(chunk, journalFile, isSafe))
    if (isSafe && !archive.isBehind) return
    return this.#resolveInOrder(written, end)
  }

  #write({ first, count, frames, attributes }: Chunk): void | Promise<void> {
    if (this.#durability === 'none') return
    const record = { kind: RecordKind.chunk, log: this.#state.log, first, count, attributes, payload: frames }
    try {
      return this.#parts.journal.append(record, this.#durability === 'power')
    } catch (error) {
      throw this.#fail(error as BrokerError)
    }
  }

  #resolveInOrder(written: void | Promise<void>, end: Sequence): Promise<void> {
    const { archive } = this.#parts
    const safe = this.#whenSafe(written, this.#lastSafe, end)
    const before = this.#lastAppend
    const resolved = (async () => {
      await safe
      await before
      const isLeaving = this.#failure !== null || this.#closing !== null
      if (archive.isBehind && !isLeaving) await archive.whenRoom(this.#state)
    })()
    this.#lastSafe = safe
    this.#lastAppend = resolved
    this.#track(resolved)
    const done = (): void => {
      if (this.#lastAppend !== resolved) return
      this.#lastAppend = null
      this.#lastSafe = null
    }
    resolved.then(done, done)
    return resolved
  }

  /** The records below `end` can be read, and stored, as soon as they are safe, whether or not there is room for more. */
  async #whenSafe(written: void | Promise<void>, before: Promise<void> | null, end: Sequence): Promise<void> {
    try {
      await written
    } catch (error) {
      this.#fail(error as BrokerError)
    }
    await before
    if (this.#failure !== null) throw this.#failure
    this.#state.readable = Math.max(this.#state.readable, end)
    this.#parts.archive.youngChanged(this.#state, 0) // now it can be stored
  }

  /** From now on every append fails, until the log was opened again; what has not resolved is not there. */
  #fail(error: BrokerError): BrokerError {
    if (this.#failure !== null) return this.#failure
    this.#failure = error
    const state = this.#state
    this.#parts.archive.letGo(state)
    this.#parts.archive.youngChanged(state, -state.young.dropFrom(state.readable))
    state.appended = state.readable
    return error
  }

  async read(from: Sequence, sizeBytesMax: number): Promise<readonly Chunk[]> {
    this.#requireOpen()
    for (let tries = 1; ; tries++) {
      const { stretches, chunks } = this.#find(from, sizeBytesMax)
      if (stretches.length === 0) return chunks
      const { database } = this.#parts
      const found = await Promise.allSettled(stretches.map((each) => readStretch(database, this.#state.log, each)))
      if (stretches.some((each) => this.#isMoving(each)) && tries < READ_TRIES) {
        await this.#state.replacing?.catch(() => undefined)
        continue
      }
      const whole: Chunk[] = []
      for (const result of found) {
        if (result.status === 'fulfilled') whole.push(...endingAbove(result.value, from))
        else if (whole.length === 0) throw result.reason
        else return whole
      }
      whole.push(...endingAbove(chunks, from))
      // all that was looked at may have gone from there on, and more may lie behind it
      return whole.length > 0 ? whole : this.read(stretches[stretches.length - 1].end, sizeBytesMax)
    }
  }

  #isMoving(stretch: Stretch): boolean {
    const { stored, rewriting, replacing } = this.#state
    return !stored.includes(stretch) || (replacing !== null && rewriting.includes(stretch))
  }

  /** What a read will give: values that have to be fetched, and what follows them in memory. */
  #find(from: Sequence, sizeBytesMax: number) {
    const { stored, young, readable } = this.#state
    const stretches = []
    const chunks: Chunk[] = []
    let sizeBytes = 0
    for (let at = this.#state.storedFrom(from); at < stored.length; at++) {
      sizeBytes += stored[at].framesBytes
      if (stretches.length > 0 && sizeBytes > sizeBytesMax) return { stretches, chunks }
      stretches.push(stored[at])
    }
    if (stretches.length === 0 || sizeBytes < sizeBytesMax) {
      young.read(from, readable, sizeBytesMax, chunks, sizeBytes)
    }
    return { stretches, chunks }
  }

  async readAttributes(from: Sequence, sizeBytesMax: number): Promise<readonly ChunkAttributes[]> {
    this.#requireOpen()
    const { stored, young, readable, log } = this.#state
    const found: ChunkAttributes[] = []
    let sizeBytes = 0
    let storedEnd = from
    for (const stretch of stored.slice(this.#state.storedFrom(from))) {
      if (!stretch.hasAttributes) continue
      storedEnd = stretch.end
      const where = `${this.#parts.database.path}: log ${log}, records from ${stretch.first} on`
      const entry = await this.#parts.database.get(indexKey(log, stretch.first))
      if (entry === null && this.#isMoving(stretch)) {
        await this.#state.replacing?.catch(() => undefined)
        return this.readAttributes(from, sizeBytesMax)
      }
      if (entry === null) throw new BrokerError('E_STORAGE_CORRUPT', `${where}: its index entry is missing`)
      for (const { first, count, attributes } of decodeStretchEntry(log, entry, where).pieces) {
        if (attributes === null || first + count <= from) continue
        found.push({ first, count, attributes })
        sizeBytes += attributes.length
      }
      if (sizeBytes >= sizeBytesMax) return found
    }
    // what was in memory may have moved while this waited for RocksDB: that is for the next look
    if (found.length > 0) return found
    if (storedEnd > from) return this.readAttributes(storedEnd, sizeBytesMax)
    const chunks: Chunk[] = []
    young.read(from, readable, Number.POSITIVE_INFINITY, chunks, 0)
    for (const { first, count, attributes } of chunks) {
      if (attributes === null) continue
      found.push({ first, count, attributes })
      sizeBytes += attributes.length
      if (sizeBytes >= sizeBytesMax) break
    }
    return found
  }

  erase(ranges: readonly SequenceRange[]): void {
    this.#requireOpen()
    if (this.#state.erase(ranges)) this.#parts.archive.sparse(this.#state)
  }

  async trim(before: Sequence): Promise<void> {
    this.#requireOpen()
    const state = this.#state
    if (before <= state.first) return
    const value = Buffer.alloc(8)
    value.writeDoubleBE(before)
    await this.#writeValues([{ key: logKey(state.log), value }], false)
    if (state.isDeleted || before <= state.first) return
    applyTrim(state, before, this.#parts.archive)
  }

  // ---- cursors ---------------------------------------------------------------------------------------------------

  saveCursor(channel: Lease, update: CursorUpdate): Promise<void> {
    this.#requireOpen()
    const { log } = this.#state
    const writes: ValueWrite[] = [{ key: headKey(log, channel), value: update.head }]
    for (const [page, value] of update.pages) writes.push({ key: pageKey(log, channel, page), value })
    return this.#writeValues(writes, this.#durability === 'power')
  }

  async loadCursor(channel: Lease): Promise<SavedCursor | null> {
    this.#requireOpen()
    const { archive } = this.#parts
    const { log } = this.#state
    await Promise.allSettled([...this.#unresolved]) // the saves that were made before
    const head = await archive.get(headKey(log, channel))
    if (head === null) return null
    const pages = new Map<number, Uint8Array>()
    for (const [name, value] of await archive.scan(pagesPrefix(log, channel))) {
      pages.set(pageOf(Buffer.from(name, 'latin1')), value)
    }
    return { head, pages }
  }

  async deleteCursor(channel: Lease): Promise<void> {
    this.#requireOpen()
    const { log } = this.#state
    const writes: ValueWrite[] = [
      { key: headKey(log, channel), value: null },
      { key: pagesPrefix(log, channel), value: 'prefix' },
    ]
    await this.#writeValues(writes, false)
  }

  #writeValues(writes: readonly ValueWrite[], sync: boolean): Promise<void> {
    const payload = encodeValueList(writes)
    const record = { kind: RecordKind.values, log: this.#state.log, first: 0, count: writes.length, attributes: null }
    const { journal, archive } = this.#parts
    const written = journal.appendLazily({ ...record, payload }).then(() => {
      archive.valuesWritten(writes) // in the order of the calls; RocksDB is told of nothing that is not synced
      return sync ? journal.synced() : undefined
    })
    this.#track(written)
    return written
  }

  // ---- the end ---------------------------------------------------------------------------------------------------

  #track(promise: Promise<unknown>): void {
    this.#unresolved.add(promise)
    const done = (): void => void this.#unresolved.delete(promise)
    promise.then(done, done)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    this.#parts.archive.letGo(this.#state)
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#unresolved])
    this.#parts.closed()
  }

  #requireOpen(): void {
    if (this.#closing !== null) throw new BrokerError('E_STORAGE_CLOSED', `log ${this.#state.log} is closed`)
  }
}

/** Forgets what lies below `before`; that this is so is in the journal already. */
export function applyTrim(state: LogState, before: Sequence, archive: Archive): void {
  state.first = before
  state.readable = Math.max(state.readable, before)
  state.appended = Math.max(state.appended, before)
  archive.youngChanged(state, -state.young.dropBelow(before))
  state.takeErasedBelow(Math.max(before, state.storedEnd))
  archive.stretchesDied(state, state.dropStoredBelow(before))
}

/** A stretch begins where its first piece does; those before `from` are not asked for. */
function endingAbove(chunks: readonly Chunk[], from: Sequence): readonly Chunk[] {
  return chunks.filter((chunk) => chunk.first + chunk.count > from)
}
