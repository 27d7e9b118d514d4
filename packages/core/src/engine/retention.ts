import type { Sequence, SequenceRange } from '../contracts/sequence.js'
import type { Channel } from './channel.js'
import type { Log } from './log.js'
import { PAGE_RECORDS } from './record-states.js'
import type { Segment } from './segment.js'

/** From this share of finished records on, a page is worth telling the store about. */
const ERASED_SHARE_MIN = 0.9

/** What retention needs to know of a topic. */
export interface RetainedTopic {
  readonly log: Log
  readonly channels: ReadonlyMap<string, Channel>
  readonly release: Sequence
  /** Where the release point stands as far as the catalogue knows; null when it follows the end. */
  readonly storedRelease: Sequence | null
  /** Everything in storage is in memory. */
  readonly isResident: boolean
}

/** A segment that can be read back, and how many records lie between it and whoever will want it next. */
export interface Evictable {
  readonly segment: Segment
  readonly distance: number
}

/** What of a topic's log is still needed: in memory, and in storage. */
export class Retention {
  readonly #topic: RetainedTopic
  /** How many records of a page the store was told that nobody needs, by page number. */
  readonly #erased = new Map<number, number>()

  constructor(topic: RetainedTopic) {
    this.#topic = topic
  }

  // ---- in storage ------------------------------------------------------------------------------------------------

  /** Below this, nothing in storage will be needed again, whatever crashes. */
  get trimmable(): Sequence {
    const { release, storedRelease, channels } = this.#topic
    let end = Math.min(release, storedRelease ?? Infinity)
    for (const channel of channels.values()) {
      end = Math.min(end, channel.ephemeral ? this.#neededFromStore(channel) : channel.savedFloor)
    }
    return end
  }

  /** An ephemeral channel holds back its messages in memory, not the disk: only what is not in memory has to stay. */
  #neededFromStore(channel: Channel): Sequence {
    let sequence = channel.nextUnfinished(channel.floor)
    while (sequence < channel.end) {
      const segment = this.#topic.log.segments.at(sequence)
      if (segment === null) return sequence
      sequence = channel.nextUnfinished(segment.end)
    }
    return Infinity
  }

  /**
   * Tells the store of records above the floor that every channel has finished, and that no crash brings back: so that the
   * few that are left (stuck, or deferred) do not keep all that lies around them. A page of 4,096 is told of when nine tenths of it are
   * finished, and again when half of the rest is.
   */
  erase(): void {
    const { log, channels, release, storedRelease } = this.#topic
    if (!log.isOpen || channels.size === 0 || [...channels.values()].some((channel) => channel.ephemeral)) return
    let from = Infinity
    let end = Math.min(release, storedRelease ?? Infinity)
    for (const channel of channels.values()) {
      from = Math.min(from, channel.savedFloor)
      end = Math.min(end, channel.deliveredUpTo)
    }
    const first = Math.floor(from / PAGE_RECORDS)
    for (const page of this.#erased.keys()) if (page < first) this.#erased.delete(page)
    const ranges: SequenceRange[] = []
    for (let page = first; (page + 1) * PAGE_RECORDS <= end; page++) this.#erasePage(page, ranges)
    if (ranges.length > 0) log.store.erase(ranges)
  }

  /** Whether nothing in storage of `[first, end)` will be needed again, whatever crashes. */
  isErasable(first: Sequence, end: Sequence): boolean {
    const { release, storedRelease, channels } = this.#topic
    if (end > Math.min(release, storedRelease ?? Infinity)) return false
    for (const channel of channels.values()) if (!channel.isFinishedForGood(first, end)) return false
    return true
  }

  #erasePage(page: number, ranges: SequenceRange[]): void {
    const erased = this.#erased.get(page) ?? 0
    if (erased === PAGE_RECORDS) return
    let finished = PAGE_RECORDS
    for (const channel of this.#topic.channels.values()) {
      finished = Math.min(finished, channel.savedFinishedCount(page))
      if (finished < PAGE_RECORDS * ERASED_SHARE_MIN || finished === erased) return
    }
    if (finished < PAGE_RECORDS && finished - erased < (PAGE_RECORDS - erased) / 2) return
    const isNeeded = new Uint8Array(PAGE_RECORDS)
    for (const channel of this.#topic.channels.values()) channel.markUnfinished(page, isNeeded)
    let count = 0
    for (let index = 0; index < PAGE_RECORDS; ) {
      const start = index
      while (index < PAGE_RECORDS && isNeeded[index] === 0) index++
      if (index > start) ranges.push({ first: page * PAGE_RECORDS + start, end: page * PAGE_RECORDS + index })
      count += index - start
      while (index < PAGE_RECORDS && isNeeded[index] === 1) index++
    }
    this.#erased.set(page, count)
  }

  // ---- in memory -------------------------------------------------------------------------------------------------

  /** Whether every channel has finished all of the segment. */
  isFinished({ first, end }: Segment): boolean {
    if (end > this.#topic.release) return false
    for (const channel of this.#topic.channels.values()) if (!channel.isFinished(first, end)) return false
    return true
  }

  /** Every channel has passed what lies below. */
  get passed(): Sequence {
    let passed = this.#topic.release
    for (const channel of this.#topic.channels.values()) passed = Math.min(passed, channel.floor)
    return passed
  }

  /** Lets go of segments above the floor in which nothing can be given out: every channel has finished or deferred all of it. */
  dropIdle(): void {
    const { log, isResident } = this.#topic
    if (isResident && !log.isOpen) return
    const idle = log.segments.all.filter((segment) => log.isClosed(segment) && this.#isIdle(segment))
    for (const segment of idle) {
      log.segments.remove(segment)
      // a resident store holds the same memory, and has it alone from here on
      if (isResident) log.store.erase([{ first: segment.first, end: segment.end }])
    }
  }

  #isIdle({ first, end }: Segment): boolean {
    const { channels, isResident, release } = this.#topic
    if (isResident) return this.isErasable(first, end)
    if (end > release) return false
    for (const channel of channels.values()) {
      const isIdle = channel.ephemeral ? channel.isFinished(first, end) : channel.isFinishedOrDeferred(first, end)
      if (!isIdle) return false
    }
    return true
  }

  /** Segments that can be read back when they are needed again. */
  evictable(): Evictable[] {
    const { log, channels, release } = this.#topic
    const ephemeral = [...channels.values()].filter((channel) => channel.ephemeral)
    const heads = channels.size === 0 ? [release] : [...channels.values()].map((channel) => channel.nextFresh)
    const found: Evictable[] = []
    for (const segment of log.segments.all) {
      if (segment.first < log.first || !log.isClosed(segment)) continue
      if (!ephemeral.every((channel) => channel.isFinished(segment.first, segment.end))) continue
      let distance = Infinity // whoever has passed it comes back for what was requeued at most
      for (const head of heads) if (head < segment.end) distance = Math.min(distance, Math.max(0, segment.first - head))
      found.push({ segment, distance })
    }
    return found
  }
}
