import type { Sequence } from '../contracts/sequence.js'
import { BrokerError } from '../errors.js'
import type { Consumer } from './consumer.js'
import { OwnDeadlines } from './deadlines.js'
import { OWNER, OWNERS_MAX, type RecordStates } from './record-states.js'

/** Runs that a consumer's list may have before the records of the oldest get deadlines of their own. */
const RUNS_MAX = 1024

/** Told of each record whose deadline has passed. */
export type OnExpired = (consumer: Consumer, sequence: Sequence) => void

/**
 * Who holds which record of a channel, and until when. A record's state names the slot of its holder; the deadline is that
 * of the run in which it went out, or its own if it was touched or delivered again. A consumer that is gone keeps its slot until its last
 * record is back, so that nobody inherits what it held.
 */
export class InFlight {
  readonly #states: RecordStates
  /** Consumers by slot. */
  readonly #owners: (Consumer | null)[] = []
  readonly #freeSlots: number[] = []
  readonly #ownDeadlines = new OwnDeadlines()
  #count = 0

  constructor(states: RecordStates) {
    this.#states = states
  }

  /** Records in flight. */
  get count(): number {
    return this.#count
  }

  /** @throws BrokerError `E_SUB_FAILED` when no slot is left. */
  attach(consumer: Consumer): void {
    const slot = this.#freeSlots.pop() ?? this.#owners.length
    if (slot >= OWNERS_MAX) throw new BrokerError('E_SUB_FAILED', `channel has ${slot} consumers, no more fit`)
    consumer.slot = slot
    this.#owners[slot] = consumer
  }

  /** Frees the slot of a consumer that is gone and holds nothing any more. */
  detachIfDone(consumer: Consumer): void {
    if (!consumer.closed || consumer.inFlight > 0) return
    this.#owners[consumer.slot] = null
    this.#freeSlots.push(consumer.slot)
  }

  /** `count` waiting records from `first` on go to the consumer for the first time. Returns their deadline. */
  give(consumer: Consumer, first: Sequence, count: number, nowMs: number): number {
    this.#states.setInFlight(first, count, consumer.slot)
    this.#pruneRuns(consumer)
    if (consumer.runs.size >= RUNS_MAX) this.#dissolveOldestRun(consumer)
    consumer.runs.push(first, count, nowMs)
    consumer.inFlight += count
    this.#count += count
    return nowMs + consumer.msgTimeoutMs
  }

  /** One record that came back goes to the consumer. Returns its deadline. */
  giveAgain(consumer: Consumer, sequence: Sequence, nowMs: number): number {
    const deadlineMs = nowMs + consumer.msgTimeoutMs
    this.#states.set(sequence, OWNER + consumer.slot)
    this.#ownDeadlines.set(sequence, { deadlineMs, deliveredAtMs: nowMs })
    consumer.inFlight++
    this.#count++
    return deadlineMs
  }

  /** The consumer no longer holds the record; the caller has set its new state. */
  letGo(consumer: Consumer, sequence: Sequence): void {
    consumer.inFlight--
    this.#count--
    this.#ownDeadlines.delete(sequence)
    this.detachIfDone(consumer)
  }

  /** Moves the deadline of a record that the consumer holds, at most to `timeoutMsMax` after its delivery. Returns it. */
  touch(consumer: Consumer, sequence: Sequence, nowMs: number, timeoutMsMax: number): number {
    const own = this.#ownDeadlines.get(sequence)
    const deliveredAtMs = own === undefined ? consumer.runs.deliveredAtMs(sequence) : own.deliveredAtMs
    const deadlineMs = Math.min(nowMs + consumer.msgTimeoutMs, deliveredAtMs + timeoutMsMax)
    if (own === undefined) this.#ownDeadlines.set(sequence, { deadlineMs, deliveredAtMs })
    else this.#ownDeadlines.extend(own, deadlineMs)
    return deadlineMs
  }

  /** Tells of records whose deadline has passed, at most `countMax`. Returns how many more it would have told. */
  expire(nowMs: number, countMax: number, expired: OnExpired): number {
    let left = countMax
    for (; left > 0; left--) {
      const sequence = this.#ownDeadlines.takeExpired(nowMs)
      if (sequence === -1) break
      expired(this.#owners[this.#states.get(sequence) - OWNER] as Consumer, sequence)
    }
    for (const consumer of this.#owners) {
      if (left === 0) break
      if (consumer !== null) left = this.#expireRuns(consumer, nowMs, left, expired)
    }
    return left
  }

  #expireRuns(consumer: Consumer, nowMs: number, countMax: number, expired: OnExpired): number {
    const { runs } = consumer
    let left = countMax
    while (left > 0 && runs.size > 0 && runs.headDeliveredAtMs + consumer.msgTimeoutMs <= nowMs) {
      const sequence = runs.headFirst
      const held = this.#holdsByRun(consumer, sequence)
      runs.dropFromHead(1)
      if (!held) continue
      expired(consumer, sequence)
      left--
    }
    return left
  }

  /** When {@link expire} may have something to tell; `Infinity` when nothing is in flight. */
  nextDeadlineMs(): number {
    let atMs = this.#ownDeadlines.earliestMs
    for (const consumer of this.#owners) {
      if (consumer === null) continue
      this.#pruneRuns(consumer)
      if (consumer.runs.size > 0) atMs = Math.min(atMs, consumer.runs.headDeliveredAtMs + consumer.msgTimeoutMs)
    }
    return atMs
  }

  /** Nobody holds anything any more; the caller has cleared the states. */
  clear(): void {
    this.#count = 0
    this.#ownDeadlines.clear()
    for (const consumer of this.#owners) {
      if (consumer === null) continue
      consumer.inFlight = 0
      consumer.runs.clear()
      this.detachIfDone(consumer)
    }
  }

  /** An old run that is not done after many others: what is left of it gets deadlines of its own. */
  #dissolveOldestRun(consumer: Consumer): void {
    const { runs } = consumer
    const deliveredAtMs = runs.headDeliveredAtMs
    const deadlineMs = deliveredAtMs + consumer.msgTimeoutMs
    for (let sequence = runs.headFirst; sequence < runs.headFirst + runs.headCount; sequence++) {
      if (!this.#holdsByRun(consumer, sequence)) continue
      this.#ownDeadlines.set(sequence, { deadlineMs, deliveredAtMs })
    }
    runs.dropFromHead(runs.headCount)
  }

  /** Forgets the head of the consumer's runs as far as it is done. Every record is passed once. */
  #pruneRuns(consumer: Consumer): void {
    const { runs } = consumer
    while (runs.size > 0 && !this.#holdsByRun(consumer, runs.headFirst)) runs.dropFromHead(1)
  }

  /** Whether the consumer holds the record, under the deadline of a run. */
  #holdsByRun(consumer: Consumer, sequence: Sequence): boolean {
    return (
      sequence >= this.#states.floor &&
      this.#states.get(sequence) === OWNER + consumer.slot &&
      !this.#ownDeadlines.has(sequence)
    )
  }
}
