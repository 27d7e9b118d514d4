import type { LogStore } from '../contracts/log-store.js'
import type { Sequence } from '../contracts/sequence.js'
import { BrokerError } from '../errors.js'
import { FRAME_HEADER_BYTES, type FrameStamp } from './frame.js'
import { type IdLease, IdLeases, RECORDS_PER_LEASE } from './id-leases.js'
import { LogReader, type ReadLog } from './log-reader.js'
import type { MemoryBudget } from './memory-budget.js'
import type { ReadSlots } from './read-slots.js'
import { Segment } from './segment.js'
import { SegmentList } from './segment-list.js'

const SLAB_BYTES_MIN = 4 * 1024
const SLAB_BYTES_MAX = 1024 * 1024
/** What an append that waits for the store takes beside its frames: promises, and what the store notes of it. */
const WAITING_BYTES = 1024
/** Frames built in one turn of the event loop; a larger publish goes on in the next. */
const RECORDS_PER_TURN = 16_384
const TRIM_BYTES = 16 * 1024 * 1024
const TRIM_INTERVAL_MS = 1000

/** What a log tells the topic that owns it. */
export interface LogOwner {
  /** Everything below `end` is as safe as the log's durability says: `bodyBytes` more bytes of bodies than before. */
  committed(end: Sequence, bodyBytes: number): void
  /** Everything from `committedEnd` on was refused; the log takes nothing until it has been {@link Log.reopened}. */
  appendFailed(error: BrokerError): void
  /** A large publish needs another turn to be built. */
  continueNextTurn(): void
  /** A segment was read back. */
  loaded(segment: Segment): void
}

export interface LogParts {
  readonly owner: LogOwner
  readonly budget: MemoryBudget
  readonly slots: ReadSlots
  readonly monotonicMs: () => number
  readonly leases: readonly IdLease[]
  /** Null while a new log is still being created; {@link Log.opened} follows. */
  readonly store: LogStore | null
  /** Where new records begin: above everything that was ever used. */
  readonly next: Sequence
  /** Tells the node how many more (or fewer) bytes wait for storage. */
  readonly unsettledBytesChanged: (bytes: number) => void
}

/** A publish too large for one turn: its frames are built a slice at a time in a slab of their own. */
interface Filling {
  readonly segment: Segment
  readonly bytes: Uint8Array
  readonly stamp: FrameStamp
  at: number
  left: number
}

/**
 * One topic's log: what is in memory of it, and the store that keeps it.
 *
 * ```
 *   store.first          resident segments                  committedEnd     next
 *   |--- in the store ---|=====|   |=======|==========|=====|- appended, ----|
 *                                     (evicted between)       not yet safe
 * ```
 */
export class Log implements ReadLog {
  readonly #owner: LogOwner
  readonly budget: MemoryBudget
  readonly slots: ReadSlots
  readonly monotonicMs: () => number
  readonly leases: IdLeases
  #store: LogStore | null
  /** What is in memory. */
  readonly segments: SegmentList
  /** Reads back what is not. */
  readonly reader: LogReader
  /** The segment that takes the next record; null when a new one is needed. */
  #tail: Segment | null = null
  /** Segments with records that the store has not been given yet, in order. */
  #gathering: Segment[] = []
  /** In order; the first one is being built. */
  #fillings: Filling[] = []
  #slabBytes = SLAB_BYTES_MIN
  #next: Sequence
  #committedEnd: Sequence
  /** Grows with every reopening: what an older store still says does not count. */
  #storeGeneration = 0
  #failed: BrokerError | null = null
  #trimmedBefore: Sequence
  #trimmedAtMs = -Infinity
  #droppedBytesSinceTrim = 0
  readonly #unsettledBytesChanged: (bytes: number) => void
  #unsettledBytes = 0

  constructor(parts: LogParts) {
    this.#owner = parts.owner
    this.monotonicMs = parts.monotonicMs
    this.leases = new IdLeases(parts.leases)
    this.#store = parts.store
    this.#next = parts.next
    this.#committedEnd = parts.next
    this.#trimmedBefore = parts.store?.first ?? parts.next
    this.#unsettledBytesChanged = parts.unsettledBytesChanged
    this.segments = new SegmentList(parts.budget)
    this.budget = parts.budget
    this.slots = parts.slots
    this.reader = new LogReader(this)
  }

  /** @throws BrokerError `E_STORAGE_CLOSED` while the log is being created. */
  get store(): LogStore {
    if (this.#store === null) throw new BrokerError('E_STORAGE_CLOSED', 'the log is being created')
    return this.#store
  }

  /** Whether the log has its store, and that does not have to be opened again. */
  get isOpen(): boolean {
    return this.#store !== null && this.#failed === null
  }

  /** A new log has its store: what was gathered can be appended. */
  opened(store: LogStore): void {
    this.#store = store
  }

  get next(): Sequence {
    return this.#next
  }

  get committedEnd(): Sequence {
    return this.#committedEnd
  }

  get first(): Sequence {
    return this.#trimmedBefore
  }

  /** Why the log takes nothing at the moment; null when it does. */
  get failure(): BrokerError | null {
    return this.#failed
  }

  /** Whether less than half a lease of ids is left. */
  get needsLease(): boolean {
    return this.#next + RECORDS_PER_LEASE / 2 >= this.leases.end
  }

  /** How many bytes of slab `count` messages take that lie in `bytesGiven` bytes with their sizes. */
  static frameBytes(bytesGiven: number, count: number): number {
    return bytesGiven + count * (FRAME_HEADER_BYTES - 4)
  }

  /**
   * Gathers messages for the next {@link commit}: all go into one chunk, or none. `bytes` is not needed afterwards.
   * Returns the end of what was gathered.
   */
  append(bytes: Uint8Array, start: number, end: number, count: number, stamp: FrameStamp, dueAtMs: number): Sequence {
    const segment = this.#reserve(Log.frameBytes(end - start, count), count)
    this.#next += count
    if (count > RECORDS_PER_TURN) {
      this.#fillings.push({ segment, bytes: new Uint8Array(bytes.subarray(start, end)), stamp, at: 0, left: count })
      this.#tail = null // what comes next goes behind it
      if (this.#fillings.length === 1) this.#owner.continueNextTurn()
    } else {
      this.#write(segment, bytes, start, count, stamp)
      if (dueAtMs > 0) segment.setDue(this.#next - 1, dueAtMs)
    }
    return this.#next
  }

  /** Builds the next slice of a large publish. */
  continueFilling(): void {
    const filling = this.#fillings[0]
    if (filling === undefined) return
    const count = Math.min(filling.left, RECORDS_PER_TURN)
    filling.at = this.#write(filling.segment, filling.bytes, filling.at, count, filling.stamp)
    filling.left -= count
    if (filling.left === 0) this.#fillings.shift()
    if (this.#fillings.length > 0) this.#owner.continueNextTurn()
  }

  #isFilling(segment: Segment): boolean {
    return this.#fillings.some((filling) => filling.segment === segment)
  }

  #write(segment: Segment, bytes: Uint8Array, start: number, count: number, stamp: FrameStamp): number {
    const { lease, first } = this.leases.at(segment.end)
    const here = Math.min(count, first + RECORDS_PER_LEASE - segment.end)
    const at = segment.write(bytes, start, here, stamp, lease, first)
    return here === count ? at : this.#write(segment, bytes, at, count - here, stamp)
  }

  #reserve(sizeBytes: number, count: number): Segment {
    const tail = this.#tail
    if (tail !== null && tail.freeBytes >= sizeBytes) {
      if (tail.count === tail.appendedCount) this.#gathering.push(tail)
      return tail
    }
    const slabBytes = count > RECORDS_PER_TURN ? sizeBytes : Math.max(sizeBytes, this.#slabBytes)
    this.#slabBytes = Math.min(SLAB_BYTES_MAX, this.#slabBytes * 2)
    const segment = Segment.allocate(this.#next, slabBytes, Math.ceil(slabBytes / (sizeBytes / count)))
    segment.usedAtMs = this.monotonicMs()
    this.segments.add(segment)
    this.#gathering.push(segment)
    this.#tail = segment
    return segment
  }

  /** Hands what was gathered to the store. Once per turn; publishes of one turn commit together. */
  commit(): void {
    const store = this.#store
    if (store === null || this.#failed !== null) return
    while (this.#gathering.length > 0) {
      const segment = this.#gathering[0]
      if (this.#isFilling(segment)) return
      this.#gathering.shift()
      if (segment.count > segment.appendedCount) this.#appendToStore(store, segment)
      if (this.#failed !== null) return
    }
  }

  #appendToStore(store: LogStore, segment: Segment): void {
    const chunk = segment.takeChunk()
    const end = chunk.first + chunk.count
    const generation = this.#storeGeneration
    let appended: void | Promise<void>
    try {
      appended = store.append(chunk)
    } catch (error) {
      this.#fail(error, generation)
      return
    }
    const bodyBytes = chunk.frames.length - chunk.count * FRAME_HEADER_BYTES
    const sizeBytes = chunk.frames.length + WAITING_BYTES
    if (appended === undefined) {
      this.#settled(end, bodyBytes, 0, generation)
      return
    }
    this.#addUnsettled(sizeBytes)
    appended.then(
      () => this.#settled(end, bodyBytes, sizeBytes, generation),
      (error: unknown) => this.#fail(error, generation),
    )
  }

  #settled(end: Sequence, bodyBytes: number, unsettledBytes: number, generation: number): void {
    if (generation !== this.#storeGeneration || this.#failed !== null) return
    this.#addUnsettled(-unsettledBytes)
    this.#committedEnd = end
    this.#owner.committed(end, bodyBytes)
  }

  #addUnsettled(bytes: number): void {
    this.#unsettledBytes += bytes
    if (bytes !== 0) this.#unsettledBytesChanged(bytes)
  }

  #fail(error: unknown, generation: number): void {
    if (generation !== this.#storeGeneration || this.#failed !== null) return
    const failure =
      error instanceof BrokerError ? error : new BrokerError('E_STORAGE_IO', String(error), { cause: error })
    this.#failed = failure
    this.#addUnsettled(-this.#unsettledBytes)
    this.#fillings = []
    this.#gathering = []
    this.#tail = null
    this.segments.truncate(this.#committedEnd)
    this.#owner.appendFailed(failure)
  }

  /**
   * After a failure: takes the log into use again, as `store` found it. What was refused with an unknown outcome may have
   * come back: it counts as committed then.
   */
  reopened(store: LogStore): void {
    this.#store = store
    this.#storeGeneration++
    this.#failed = null
    this.#next = Math.max(this.#committedEnd, store.next)
    if (store.next > this.#committedEnd) {
      this.#committedEnd = store.next
      this.#owner.committed(store.next, 0)
    }
  }

  loaded(segment: Segment): void {
    this.#owner.loaded(segment)
  }

  /** Whether the segment can be let go: nothing of it waits for the store, and no record will be added. */
  isClosed(segment: Segment): boolean {
    return segment !== this.#tail && segment.end <= this.#committedEnd && !this.#isFilling(segment)
  }

  /** Lets go of resident segments that end at or below `sequence`. */
  dropBelow(sequence: Sequence): void {
    this.#droppedBytesSinceTrim += this.segments.removeBelow(sequence, (segment) => this.isClosed(segment))
  }

  /** No publish for a while: the next slab starts small again, and the tail can be dropped. */
  closeTail(): void {
    if (this.#tail === null || this.#tail.count > this.#tail.appendedCount) return
    this.#tail = null
    this.#slabBytes = SLAB_BYTES_MIN
  }

  /** Trims the store below `before` if enough has gathered: at most once a second or per 64 MiB. One that fails is made up for by the next. */
  trim(before: Sequence, nowMs: number, failed: (error: unknown) => void): void {
    if (before <= this.#trimmedBefore || this.#failed !== null || this.#store === null) return
    const gatheredBytes = this.#droppedBytesSinceTrim + this.segments.bytesBelow(before)
    if (nowMs - this.#trimmedAtMs < TRIM_INTERVAL_MS && gatheredBytes < TRIM_BYTES) return
    const trimmedBefore = this.#trimmedBefore
    this.#trimmedBefore = before
    this.#trimmedAtMs = nowMs
    this.#droppedBytesSinceTrim = 0
    this.#trimStore(this.#store, before).catch((error: unknown) => {
      if (this.#trimmedBefore === before) this.#trimmedBefore = trimmedBefore
      failed(error)
    })
  }

  async #trimStore(store: LogStore, before: Sequence): Promise<void> {
    await store.trim(before)
  }

  /** Releases all memory that the log holds. */
  releaseMemory(): void {
    this.reader.release()
    this.segments.clear()
    this.#tail = null
    this.#gathering = []
    this.#fillings = []
    this.#addUnsettled(-this.#unsettledBytes)
    this.#storeGeneration++
  }
}
