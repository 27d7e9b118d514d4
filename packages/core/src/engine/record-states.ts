import type { QueueRecords } from '../contracts/queue.js'
import type { Sequence, SequenceRange } from '../contracts/sequence.js'

export const PAGE_RECORDS = 4096
const INDEX_MASK = PAGE_RECORDS - 1

/**
 * The state of one record in one channel. Any code from {@link OWNER} on means "in flight", with `code - OWNER` the slot
 * of the consumer that holds it.
 */
export const RecordState = { waiting: 0, finished: 1, returned: 2, deferred: 3 } as const
export const OWNER = 8
/** Slots that fit into a state. */
export const OWNERS_MAX = 65_536 - OWNER

/** What a uint16 holds: attempts saturate. */
export const ATTEMPTS_MAX = 65_535

/** States of 4,096 consecutive records. */
export interface StatePage {
  readonly number: number
  states: Uint16Array
  /** How often each record was delivered and came back; null while none was. */
  deliveries: Uint16Array | null
  /** Records whose state is not `waiting`. */
  marked: number
  finished: number
  /** Has changed since the cursor was saved. */
  dirty: boolean
}

const ALL_FINISHED = new Uint16Array(PAGE_RECORDS).fill(RecordState.finished)
/** Stands for every page in a run that is finished as a whole, for as long as nothing about it changes. */
const FINISHED_PAGE: StatePage = {
  number: -1,
  states: ALL_FINISHED,
  deliveries: null,
  marked: PAGE_RECORDS,
  finished: PAGE_RECORDS,
  dirty: false,
}
/** Zeroed arrays of pages that were passed, for the next ones. */
const spareArrays: Uint16Array[] = []
const SPARE_ARRAYS_MAX = 64

/**
 * The states of a channel's records from its floor on, in pages that exist only where something was marked: 2 bytes a
 * record in flight or out of order, nothing for a backlog that nobody has touched, 16 bytes a page that is finished, and
 * nothing for the run that {@link finishRun} was told of.
 */
export class RecordStates implements QueueRecords {
  /** Everything below is finished, whatever the pages say. */
  floor: Sequence = 0
  readonly #pages = new Map<number, StatePage>()
  /** Pages that have changed since the cursor was saved, each once. */
  #dirty: StatePage[] = []
  #last: StatePage | null = null
  #finishedRun: SequenceRange | null = null

  /** What {@link finishRun} was told of, as long as the floor has not passed it: it has to be saved with the floor. */
  get finishedRun(): SequenceRange | null {
    return this.#finishedRun !== null && this.#finishedRun.end > this.floor ? this.#finishedRun : null
  }

  get(sequence: Sequence): number {
    const page = this.#page(Math.floor(sequence / PAGE_RECORDS))
    return page === null ? RecordState.waiting : page.states[sequence & INDEX_MASK]
  }

  /** How often the record was delivered and came back. */
  deliveries(sequence: Sequence): number {
    return this.#page(Math.floor(sequence / PAGE_RECORDS))?.deliveries?.[sequence & INDEX_MASK] ?? 0
  }

  /** Marks one record. */
  set(sequence: Sequence, state: number): void {
    const page = this.#openPage(Math.floor(sequence / PAGE_RECORDS))
    const index = sequence & INDEX_MASK
    const before = page.states[index]
    if (before === state) return
    this.#own(page)
    page.states[index] = state
    if (before === RecordState.waiting) page.marked++
    else if (state === RecordState.waiting) page.marked--
    if (before === RecordState.finished) page.finished--
    if (before < OWNER && before !== RecordState.returned) this.#touch(page)
    if (state < OWNER && state !== RecordState.returned) this.#touch(page)
    if (state === RecordState.finished && ++page.finished === PAGE_RECORDS) this.#freeze(page)
  }

  /** Marks `count` waiting records from `first` on as in flight with the consumer in `slot`. */
  setInFlight(first: Sequence, count: number, slot: number): void {
    let sequence = first
    let left = count
    while (left > 0) {
      const page = this.#openPage(Math.floor(sequence / PAGE_RECORDS))
      const index = sequence & INDEX_MASK
      const here = Math.min(left, PAGE_RECORDS - index)
      page.states.fill(OWNER + slot, index, index + here)
      page.marked += here
      sequence += here
      left -= here
    }
  }

  /** Marks everything in `[first, end)` finished, and says how many records were not `finished` before. The caller accounts for those in flight or deferred. */
  finishRange(first: Sequence, end: Sequence): number {
    let changed = 0
    for (let sequence = first; sequence < end; ) {
      const page = this.#openPage(Math.floor(sequence / PAGE_RECORDS))
      const index = sequence & INDEX_MASK
      const here = Math.min(end - sequence, PAGE_RECORDS - index)
      if (here === PAGE_RECORDS) changed += this.#finishPage(page)
      else if (page.finished < PAGE_RECORDS) changed += this.#finishInPage(page, index, index + here)
      sequence += here
    }
    return changed
  }

  /**
   * After opening: as {@link finishRange}, for a run that may be long. Its pages are not made, and are not part of what is to be saved:
   * {@link finishedRun} is. There is one such run at most.
   */
  finishRun(run: SequenceRange): number {
    const { first, end } = run
    const fullFirst = Math.min(end, Math.ceil(first / PAGE_RECORDS) * PAGE_RECORDS)
    const fullEnd = Math.max(fullFirst, Math.floor(end / PAGE_RECORDS) * PAGE_RECORDS)
    let changed = this.finishRange(first, fullFirst) + this.finishRange(fullEnd, end)
    changed += fullEnd - fullFirst
    for (const page of this.#pages.values()) {
      const start = page.number * PAGE_RECORDS
      if (start < fullFirst || start >= fullEnd) continue
      changed += this.#finishPage(page) - PAGE_RECORDS
    }
    this.#finishedRun = run
    return changed
  }

  #isInRun(number: number): boolean {
    const run = this.#finishedRun
    return run !== null && number * PAGE_RECORDS >= run.first && (number + 1) * PAGE_RECORDS <= run.end
  }

  #finishPage(page: StatePage): number {
    const changed = PAGE_RECORDS - page.finished
    if (changed === 0) return 0
    page.marked = PAGE_RECORDS
    page.finished = PAGE_RECORDS
    this.#touch(page)
    this.#freeze(page)
    return changed
  }

  #finishInPage(page: StatePage, from: number, end: number): number {
    let changed = 0
    for (let index = from; index < end; index++) {
      const before = page.states[index]
      if (before === RecordState.finished) continue
      if (before === RecordState.waiting) page.marked++
      page.states[index] = RecordState.finished
      changed++
    }
    page.finished += changed
    if (changed > 0) this.#touch(page)
    if (page.finished === PAGE_RECORDS) this.#freeze(page)
    return changed
  }

  /**
   * Marks what waits in `[first, end)` finished: for the first time, again, or for its time. What is in flight stays as it is.
   * Sets `isChanged[sequence - base]` to 1 for each, and says how many there were, and how many of them were deferred.
   */
  drop(first: Sequence, end: Sequence, base: Sequence, isChanged: Uint8Array): { count: number; deferred: number } {
    let count = 0
    let deferred = 0
    for (let sequence = first; sequence < end; sequence++) {
      const state = this.get(sequence)
      if (state === RecordState.finished || state >= OWNER) continue
      this.set(sequence, RecordState.finished)
      isChanged[sequence - base] = 1
      count++
      if (state === RecordState.deferred) deferred++
    }
    return { count, deferred }
  }

  /** Counts one more delivery that came back. Saturates. */
  addDelivery(sequence: Sequence, atLeast: number): void {
    const page = this.#openPage(Math.floor(sequence / PAGE_RECORDS))
    if (page.deliveries === null) page.deliveries = takeArray()
    const index = sequence & INDEX_MASK
    page.deliveries[index] = Math.min(ATTEMPTS_MAX, Math.max(page.deliveries[index], atLeast) + 1)
    this.#touch(page)
  }

  setDeliveries(sequence: Sequence, deliveries: number): void {
    const page = this.#openPage(Math.floor(sequence / PAGE_RECORDS))
    if (page.deliveries === null) page.deliveries = takeArray()
    page.deliveries[sequence & INDEX_MASK] = deliveries
  }

  /** The first record at or above `from`, below `end`, that is not finished; `end` when all are. */
  nextUnfinished(from: Sequence, end: Sequence): Sequence {
    let sequence = from
    while (sequence < end) {
      const page = this.#page(Math.floor(sequence / PAGE_RECORDS))
      if (page === null) return sequence
      const index = sequence & INDEX_MASK
      const stop = Math.min(PAGE_RECORDS, index + (end - sequence))
      let at = index
      if (page.finished === PAGE_RECORDS) at = stop
      else while (at < stop && page.states[at] === RecordState.finished) at++
      if (at < stop) return sequence + (at - index)
      sequence += stop - index
    }
    return end
  }

  /** The first record at or above `from`, below `end`, that is neither finished nor deferred; `end` when there is none. */
  nextActive(from: Sequence, end: Sequence): Sequence {
    let sequence = this.nextUnfinished(from, end)
    while (sequence < end && this.get(sequence) === RecordState.deferred) {
      sequence = this.nextUnfinished(sequence + 1, end)
    }
    return sequence
  }

  /** The page if it is there and its cursor was saved since it changed. */
  cleanPage(number: number): StatePage | null {
    const page = this.#page(number)
    return page === null || page.dirty ? null : page
  }

  waitingRun(first: Sequence, countMax: number): number {
    let sequence = first
    let left = countMax
    while (left > 0) {
      const page = this.#page(Math.floor(sequence / PAGE_RECORDS))
      const index = sequence & INDEX_MASK
      const here = Math.min(left, PAGE_RECORDS - index)
      if (page !== null && page.marked > 0) {
        let at = index
        const stop = index + here
        while (at < stop && page.states[at] === RecordState.waiting) at++
        if (at < stop) return countMax - left + (at - index)
      }
      sequence += here
      left -= here
    }
    return countMax
  }

  nextWaiting(from: Sequence, end: Sequence): Sequence {
    let sequence = Math.max(from, this.floor)
    while (sequence < end) {
      const page = this.#page(Math.floor(sequence / PAGE_RECORDS))
      if (page === null) return sequence
      const index = sequence & INDEX_MASK
      const stop = Math.min(PAGE_RECORDS, index + (end - sequence))
      let at = index
      if (page.marked === PAGE_RECORDS) at = stop
      else while (at < stop && page.states[at] !== RecordState.waiting) at++
      if (at < stop) return sequence + (at - index)
      sequence += stop - index
    }
    return Math.max(end, from)
  }

  /** Forgets the pages that end at or below `floor`. Only pages from `from` on can exist. */
  dropBelow(from: Sequence, floor: Sequence): void {
    const end = Math.floor(floor / PAGE_RECORDS)
    for (let number = Math.floor(from / PAGE_RECORDS); number < end; number++) this.#drop(number)
  }

  /** Nothing is marked above the floor any more: forgets everything from `floor` on. */
  clear(): void {
    for (const number of [...this.#pages.keys()]) this.#drop(number)
    this.#finishedRun = null
  }

  #drop(number: number): void {
    const page = this.#pages.get(number)
    if (page === undefined) return
    this.#pages.delete(number)
    if (this.#last === page) this.#last = null
    if (page.states !== ALL_FINISHED) giveArray(page.states)
    if (page.deliveries !== null) giveArray(page.deliveries)
    page.states = ALL_FINISHED
    page.deliveries = null
    page.marked = -1 // tells takeDirty that the page is gone
    this.#touch(page)
  }

  /** The pages that have changed since this was last asked, `null` for those that are gone. */
  takeDirty(): Map<number, StatePage | null> {
    const dirty = new Map<number, StatePage | null>()
    for (const page of this.#dirty) {
      page.dirty = false
      if (page.marked === -1) {
        if (!this.#pages.has(page.number)) dirty.set(page.number, null)
      } else {
        dirty.set(page.number, page)
      }
    }
    this.#dirty = []
    return dirty
  }

  /** Pages named by a save that failed must be saved again. */
  markDirty(numbers: Iterable<number>): void {
    for (const number of numbers) {
      const page = this.#pages.get(number)
      if (page !== undefined) this.#touch(page)
      else this.#dirty.push({ number, states: ALL_FINISHED, deliveries: null, marked: -1, finished: 0, dirty: true })
    }
  }

  #touch(page: StatePage): void {
    if (page.dirty) return
    page.dirty = true
    this.#dirty.push(page)
  }

  #page(number: number): StatePage | null {
    const last = this.#last
    if (last !== null && last.number === number) return last
    const page = this.#pages.get(number)
    if (page === undefined) return this.#isInRun(number) ? FINISHED_PAGE : null
    this.#last = page
    return page
  }

  /** The page, to be changed. */
  #openPage(number: number): StatePage {
    const found = this.#page(number)
    if (found !== null && found !== FINISHED_PAGE) return found
    const page: StatePage =
      found === FINISHED_PAGE
        ? { ...FINISHED_PAGE, number }
        : { number, states: takeArray(), deliveries: null, marked: 0, finished: 0, dirty: false }
    this.#pages.set(number, page)
    this.#last = page
    return page
  }

  /** A finished page shares one array with all others; it needs its own before it can change. */
  #own(page: StatePage): void {
    if (page.states !== ALL_FINISHED) return
    page.states = takeArray()
    page.states.set(ALL_FINISHED)
  }

  #freeze(page: StatePage): void {
    giveArray(page.states)
    page.states = ALL_FINISHED
    if (page.deliveries !== null) giveArray(page.deliveries)
    page.deliveries = null
  }
}

function takeArray(): Uint16Array {
  return spareArrays.pop() ?? new Uint16Array(PAGE_RECORDS)
}

function giveArray(array: Uint16Array): void {
  if (spareArrays.length >= SPARE_ARRAYS_MAX || array === ALL_FINISHED) return
  array.fill(0)
  spareArrays.push(array)
}
