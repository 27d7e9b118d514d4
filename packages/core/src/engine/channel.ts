import { type Channel as ChannelContract, SettleResult, type SubscribeOptions } from '../contracts/broker.js'
import type { Clock, Random } from '../contracts/clock.js'
import type { CursorUpdate, SavedCursor } from '../contracts/log-store.js'
import type { Queue, QueueFactory } from '../contracts/queue.js'
import type { Lease, Sequence, SequenceRange } from '../contracts/sequence.js'
import type { ChannelStats } from '../contracts/stats.js'
import type { Telemetry } from '../contracts/telemetry.js'
import { isEphemeral } from '../names.js'
import { Consumer } from './consumer.js'
import { ConsumerRing } from './consumer-ring.js'
import { decodeHead, decodePage, encodeHead, encodePage } from './cursor-codec.js'
import { CursorSaver, type SavedChannel } from './cursor-saver.js'
import { copyFrameWithAttempts } from './frame.js'
import { InFlight } from './in-flight.js'
import { LatencyRecorder } from './latency-recorder.js'
import type { Log } from './log.js'
import { ATTEMPTS_MAX, OWNER, PAGE_RECORDS, RecordState, RecordStates } from './record-states.js'
import { RequeuedLater } from './requeued-later.js'
import type { Segment } from './segment.js'
import type { Timed, TimerQueue } from './timer-queue.js'

/** Records in one run at most, so that consumers share what waits. */
const RUN_RECORDS_MAX = 256
/** Records that one timer expires before others get their turn. */
const EXPIRED_PER_TIMER_MAX = 10_000

/** What a channel needs of its topic and its node. */
export interface ChannelHost {
  readonly topicName: string
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
  readonly timers: TimerQueue
  readonly telemetry: Telemetry | null
  readonly msgTimeoutMsMax: number
  readonly memQueueSize: number
  /** Quantiles of how long messages take; `[]`: nobody measures. */
  readonly e2eLatencyQuantiles: readonly number[]
  readonly e2eLatencyWindowMs: number
  readonly isMemoryShort: boolean
  /** Everything in storage is in memory. */
  readonly isResident: boolean
  /** {@link Channel.dispatch} has something to do at the end of this turn. */
  scheduleDispatch(channel: Channel): void
  /** The cursor has changed: {@link Channel.save} is wanted soon. */
  scheduleSave(channel: Channel): void
  /** A cursor was saved: the log may be trimmed. */
  cursorSaved(): void
  /** A record could not be read; `retry` is called when it makes sense to try again. */
  loadFailed(error: unknown, retry: () => void): void
  /** What could not be read is not needed any more. */
  loadAbandoned(): void
  pauseChannel(channel: Channel, paused: boolean): Promise<void>
  deleteChannel(channel: Channel): Promise<void>
  /** An ephemeral channel has lost its last consumer. */
  channelUnused(channel: Channel): void
}

export interface ChannelParts {
  readonly host: ChannelHost
  readonly name: string
  readonly id: Lease
  /** Its first record. */
  readonly start: Sequence
  /** The same as the catalogue has it, where that is further back: it counts after a crash until a cursor was saved. */
  readonly savedStart?: Sequence
  readonly queueFactory: QueueFactory
  readonly paused: boolean
}

/**
 * A channel: a cursor over its topic's log, and the state of the few records between its floor and its head.
 *
 * ```
 *            floor                    queue.next             end (the topic's release point)
 *   finished | in flight, deferred,   | waiting for the      |
 *            | returned, finished     | first time           |
 * ```
 * depth = end - floor - finished above the floor - in flight - deferred
 */
export class Channel implements ChannelContract, SavedChannel, Timed {
  readonly name: string
  readonly id: Lease
  readonly ephemeral: boolean
  timerAtMs = Infinity
  timerIndex = -1
  /** Kept by the host's scheduler. */
  dispatchScheduled = false
  saveScheduled = false
  paused: boolean
  readonly #host: ChannelHost
  readonly #log: Log
  readonly #states = new RecordStates()
  readonly #queue: Queue
  readonly #ring = new ConsumerRing()
  readonly #consumers = new Set<Consumer>()
  readonly #inFlight: InFlight
  readonly #requeuedLater = new RequeuedLater()
  readonly #saver: CursorSaver
  #end: Sequence
  #finishedAbove = 0
  #deferredCount = 0
  /** Records below were delivered in an earlier life: they have at least one delivery behind them. */
  #deliveredBefore: Sequence = 0
  /** Among the records below some were delivered in an earlier life, and it is known how often. */
  #countedBefore: Sequence = 0
  #messageCount = 0
  #deliveryCount = 0
  #requeueCount = 0
  #timeoutCount = 0
  /** The read that dispatching waits for; null when it waits for none. */
  #loading: Promise<void> | null = null
  #deleted = false
  /** Where the segment begins that records were last taken from. */
  #givingOut: Sequence = -1
  /** Null: nobody measures. */
  readonly latency: LatencyRecorder | null
  /** The floor's record, as last seen in memory. */
  #oldest: Sequence = -1
  #oldestAtMs = 0

  constructor(parts: ChannelParts) {
    this.#host = parts.host
    this.#log = parts.host.log
    this.name = parts.name
    this.id = parts.id
    this.ephemeral = isEphemeral(parts.name)
    this.paused = parts.paused
    this.#states.floor = parts.start
    this.#end = parts.start
    this.#inFlight = new InFlight(this.#states)
    this.#saver = new CursorSaver(this, parts.savedStart ?? parts.start)
    this.#queue = parts.queueFactory(this.#states, parts.start)
    const { e2eLatencyQuantiles, e2eLatencyWindowMs } = parts.host
    this.latency = e2eLatencyQuantiles.length === 0 ? null : new LatencyRecorder(e2eLatencyWindowMs)
    if (parts.savedStart !== undefined && parts.savedStart < parts.start) this.#saver.touch()
  }

  get topicName(): string {
    return this.#host.topicName
  }

  get floor(): Sequence {
    return this.#states.floor
  }

  /** Everything below is finished, and a crash does not change that. */
  get savedFloor(): Sequence {
    return this.#saver.savedFloor
  }

  get end(): Sequence {
    return this.#end
  }

  get deliveredUpTo(): Sequence {
    return Math.max(this.#queue.next, this.#deliveredBefore, this.floor)
  }

  get depth(): number {
    return this.#end - this.floor - this.#finishedAbove - this.#inFlight.count - this.#deferredCount
  }

  get inFlightCount(): number {
    return this.#inFlight.count
  }

  get deferredCount(): number {
    return this.#deferredCount
  }

  get consumerCount(): number {
    return this.#consumers.size
  }

  // ---- records come in -------------------------------------------------------------------------------------------

  /** The release point has moved: records `[first, end)` are this channel's too. `first` is where the last release ended. */
  release(first: Sequence, end: Sequence): void {
    const count = end - first
    const room = this.ephemeral ? Math.min(count, this.#ephemeralRoom()) : count
    this.#end = end
    this.#messageCount += count
    if (room < count) this.#finishedAbove += this.#states.finishRange(first + room, end)
    if (room > 0) this.#queue.released(first, room)
    this.#advanceFloor()
    this.#wake()
  }

  /** What an ephemeral channel may hold more; the newest are dropped beyond it. They must not fill the node's memory for the others. */
  #ephemeralRoom(): number {
    return this.#host.isMemoryShort ? 0 : Math.max(0, this.#host.memQueueSize - this.depth)
  }

  /** The publisher deferred this record; the topic calls {@link due} when its time has come. Returns whether the record was waiting here. */
  defer(sequence: Sequence): boolean {
    if (sequence < this.floor || sequence >= this.#end || sequence < this.#queue.next) return false
    if (this.#states.get(sequence) !== RecordState.waiting) return false
    this.#states.set(sequence, RecordState.deferred)
    this.#deferredCount++
    return true
  }

  due(sequence: Sequence): void {
    if (sequence < this.floor || sequence >= this.#end || this.#requeuedLater.has(sequence)) return
    if (this.#states.get(sequence) !== RecordState.deferred) return
    this.#deferredCount--
    this.#waitAgain(sequence)
    this.#wake()
  }

  /** A record that is deferred no longer: at its place in the log if the queue has not been there, else as one that came back. */
  #waitAgain(sequence: Sequence): void {
    if (sequence >= this.#queue.next) {
      this.#states.set(sequence, RecordState.waiting)
    } else {
      this.#states.set(sequence, RecordState.returned)
      this.#queue.returned(sequence)
    }
  }

  /** The release point has moved over records that were emptied at the topic. */
  releaseVoid(first: Sequence, end: Sequence): void {
    this.#end = end
    this.#queue.released(end, 0)
    this.skip(first, end)
  }

  /** The range holds no records (it was emptied at the topic, or lost with a crash): it counts as finished. */
  skip(first: Sequence, end: Sequence): void {
    const from = Math.max(first, this.floor)
    const to = Math.min(end, this.#end)
    if (from >= to) return
    this.#finishedAbove += this.#states.finishRange(from, to)
    this.#advanceFloor()
    this.#saver.touch()
  }

  /**
   * Memory is full: nobody will get what waits in these records any more, as many as there are marks. What is in flight stays so.
   * Marks what was dropped, by index from `first` on.
   */
  drop(first: Sequence, isDropped: Uint8Array): void {
    const from = Math.max(first, this.floor)
    const to = Math.min(first + isDropped.length, this.#end)
    const { count, deferred } = this.#states.drop(from, to, first, isDropped)
    if (count === 0) return
    this.#finishedAbove += count
    this.#deferredCount -= deferred
    if (deferred > 0) this.#requeuedLater.forget(from, to)
    this.#advanceFloor()
    this.#saver.touch()
  }

  // ---- records go out --------------------------------------------------------------------------------------------

  #wake(): void {
    if (this.#ring.size > 0 && !this.dispatchScheduled && !this.paused && this.depth > 0)
      this.#host.scheduleDispatch(this)
  }

  /** Whether the consumer may be given something has changed. */
  creditChanged(consumer: Consumer): void {
    if (consumer.credit > 0 && consumer.sink.writableBytes > 0) {
      if (consumer.ringNext === null) this.#ring.add(consumer)
      this.#wake()
    } else if (consumer.ringNext !== null) {
      this.#ring.remove(consumer)
    }
  }

  /** Gives out up to `runsMax` runs. Returns whether there may be more to give. */
  dispatch(runsMax: number): boolean {
    const nowMs = this.#host.clock.monotonicMs()
    // what waits now is shared evenly: ten messages for two idle consumers are five each
    const share = Math.max(1, Math.ceil(this.depth / Math.max(1, this.#ring.size)))
    for (let i = 0; i < runsMax; i++) {
      if (this.paused || this.#loading !== null || this.#deleted || this.depth <= 0) return false
      if (!this.#saver.mayDispatch()) return false
      const consumer = this.#ring.take()
      if (consumer === null) return false
      const writableBytes = consumer.sink.writableBytes
      if (consumer.credit <= 0 || writableBytes <= 0) this.#ring.remove(consumer)
      else if (!this.#dispatchTo(consumer, Math.min(RUN_RECORDS_MAX, share, consumer.credit), writableBytes, nowMs))
        return false
    }
    return true
  }

  #dispatchTo(consumer: Consumer, countMax: number, writableBytes: number, nowMs: number): boolean {
    const queue = this.#queue
    if (!queue.take(countMax)) return false
    const { first, count, returned } = queue.run
    if (returned && this.#states.get(first) !== RecordState.returned) return true // dropped meanwhile
    const segment = this.#log.segments.at(first)
    if (segment === null) {
      queue.untake(count)
      this.#load(first)
      return false
    }
    segment.usedAtMs = nowMs
    if (segment.first !== this.#givingOut && !this.#host.isResident) {
      this.#givingOut = segment.first
      this.#log.reader.ahead(segment, this.#end, this.#nextFresh)
    }
    const fitting = fittingCount(segment, first, Math.min(count, segment.end - first), writableBytes)
    if (fitting < count) queue.untake(count - fitting)
    if (consumer.sampleRate > 0) this.#deliverSampled(consumer, segment, first, fitting, returned, nowMs)
    else this.#deliver(consumer, segment, first, fitting, returned, nowMs)
    if (consumer.credit <= 0) this.#ring.remove(consumer)
    return true
  }

  #deliver(
    consumer: Consumer,
    segment: Segment,
    first: Sequence,
    count: number,
    returned: boolean,
    nowMs: number,
  ): void {
    consumer.messageCount += count
    this.#deliveryCount += count
    this.#saver.touch()
    let deadlineMs: number
    if (returned) {
      deadlineMs = this.#inFlight.giveAgain(consumer, first, nowMs)
      this.#writeAgain(consumer, segment, first)
    } else {
      deadlineMs = this.#inFlight.give(consumer, first, count, nowMs)
      if (first < this.#deliveredBefore || first < this.#countedBefore) {
        for (let sequence = first; sequence < first + count; sequence++) this.#writeAgain(consumer, segment, sequence)
      } else {
        consumer.sink.write(segment.slab, segment.offsetOf(first), segment.offsetOf(first + count), count)
      }
    }
    this.#host.timers.setEarlier(this, deadlineMs)
    const { telemetry } = this.#host
    if (telemetry === null) return
    telemetry.delivered({ topic: this.topicName, first, count }, this.name, this.#deliveriesOf(first) + 1)
  }

  /** Writes one record that may have been delivered before. */
  #writeAgain(consumer: Consumer, segment: Segment, sequence: Sequence): void {
    const attempts = Math.min(ATTEMPTS_MAX, this.#deliveriesOf(sequence) + 1)
    const start = segment.offsetOf(sequence)
    const end = segment.offsetOf(sequence + 1)
    if (attempts === 1) {
      consumer.sink.write(segment.slab, start, end, 1)
    } else {
      const frame = copyFrameWithAttempts(segment.slab, start, end, attempts)
      consumer.sink.write(frame, 0, frame.length, 1)
    }
  }

  #deliveriesOf(sequence: Sequence): number {
    const counted = this.#states.deliveries(sequence)
    return counted === 0 && sequence < this.#deliveredBefore ? 1 : counted
  }

  /** Draws for every record whether this consumer gets it; the others are finished. */
  #deliverSampled(
    consumer: Consumer,
    segment: Segment,
    first: Sequence,
    count: number,
    returned: boolean,
    nowMs: number,
  ): void {
    const end = first + count
    let from = first
    for (let sequence = first; sequence < end; sequence++) {
      if (Math.floor(this.#host.random() * 100) <= consumer.sampleRate) continue
      if (sequence > from) this.#deliver(consumer, segment, from, sequence - from, returned, nowMs)
      this.#states.set(sequence, RecordState.finished)
      this.#finishedAbove++
      this.#saver.finished()
      from = sequence + 1
    }
    if (end > from) this.#deliver(consumer, segment, from, end - from, returned, nowMs)
    this.#advanceFloor()
  }

  readonly #nextFresh = (from: Sequence): Sequence =>
    this.#states.nextWaiting(Math.max(from, this.#queue.next), this.#end)

  #load(sequence: Sequence): void {
    const loading = this.#log.reader.load(sequence)
    const done = (): void => {
      if (this.#loading !== loading) return // emptied meanwhile
      this.#loading = null
      this.#wake()
    }
    this.#loading = loading
    loading.then(done, (error: unknown) => {
      if (this.#loading !== loading || this.#deleted) return
      this.#host.loadFailed(error, done)
    })
  }

  // ---- records are settled ---------------------------------------------------------------------------------------

  /** The record that the id names, if the consumer holds it; otherwise -1 with {@link #refusal} set. */
  #heldBy(consumer: Consumer, id: Uint8Array, at: number): Sequence {
    const sequence = this.#log.leases.sequenceOf(id, at)
    if (sequence < this.floor || sequence >= this.#end) {
      this.#refusal = SettleResult.notInFlight
      return -1
    }
    const state = this.#states.get(sequence)
    if (state === OWNER + consumer.slot) return sequence
    this.#refusal = state < OWNER ? SettleResult.notInFlight : SettleResult.notOwner
    return -1
  }
  #refusal: SettleResult = SettleResult.ok

  finish(consumer: Consumer, id: Uint8Array, at: number): SettleResult {
    const sequence = this.#heldBy(consumer, id, at)
    if (sequence === -1) return this.#refusal
    if (this.latency !== null) this.#measure(this.latency, sequence)
    consumer.finishCount++
    this.#states.set(sequence, RecordState.finished)
    this.#finishedAbove++
    if (sequence === this.floor) this.#advanceFloor()
    this.#saver.finished()
    this.#letGo(consumer, sequence, 'finished')
    return SettleResult.ok
  }

  requeue(consumer: Consumer, id: Uint8Array, at: number, delayMs: number): SettleResult {
    const sequence = this.#heldBy(consumer, id, at)
    if (sequence === -1) return this.#refusal
    consumer.requeueCount++
    this.#requeueCount++
    this.#countDelivery(sequence)
    if (delayMs > 0) this.#deferUntil(sequence, this.#host.clock.wallMs() + delayMs, delayMs)
    else this.#putBack(sequence)
    this.#letGo(consumer, sequence, 'requeued')
    this.#wake()
    return SettleResult.ok
  }

  touch(consumer: Consumer, id: Uint8Array, at: number): SettleResult {
    const sequence = this.#heldBy(consumer, id, at)
    if (sequence === -1) return this.#refusal
    const nowMs = this.#host.clock.monotonicMs()
    this.#host.timers.setEarlier(this, this.#inFlight.touch(consumer, sequence, nowMs, this.#host.msgTimeoutMsMax))
    return SettleResult.ok
  }

  #countDelivery(sequence: Sequence): void {
    this.#states.addDelivery(sequence, sequence < this.#deliveredBefore ? 1 : 0)
    this.#saver.touch()
  }

  #putBack(sequence: Sequence): void {
    this.#states.set(sequence, RecordState.returned)
    this.#queue.returned(sequence)
  }

  #deferUntil(sequence: Sequence, dueAtMs: number, delayMs: number): void {
    this.#states.set(sequence, RecordState.deferred)
    this.#deferredCount++
    const atMs = this.#host.clock.monotonicMs() + delayMs
    this.#requeuedLater.add(sequence, atMs, dueAtMs)
    this.#host.timers.setEarlier(this, atMs)
  }

  /** The consumer no longer holds the record: it may get another. */
  #letGo(consumer: Consumer, sequence: Sequence, outcome: 'finished' | 'requeued' | 'timed-out'): void {
    this.#inFlight.letGo(consumer, sequence)
    if (consumer.ringNext === null) this.creditChanged(consumer)
    const { telemetry } = this.#host
    if (telemetry !== null) telemetry.settled({ topic: this.topicName, first: sequence, count: 1 }, this.name, outcome)
  }

  #advanceFloor(): void {
    const before = this.floor
    const floor = this.#states.nextUnfinished(before, this.#end)
    if (floor === before) return
    this.#states.floor = floor
    this.#finishedAbove -= floor - before
    if (Math.floor(before / PAGE_RECORDS) !== Math.floor(floor / PAGE_RECORDS)) this.#states.dropBelow(before, floor)
  }

  onTimer(nowMs: number): void {
    let left = EXPIRED_PER_TIMER_MAX
    for (; left > 0; left--) {
      const sequence = this.#requeuedLater.takeDue(nowMs)
      if (sequence === -1) break
      this.#deferredCount--
      this.#waitAgain(sequence)
      this.#saver.touch()
    }
    left = this.#inFlight.expire(nowMs, left, this.#expired)
    this.#wake()
    const nextMs = Math.min(this.#requeuedLater.earliestMs, this.#inFlight.nextDeadlineMs())
    this.#host.timers.set(this, left > 0 ? Math.max(nowMs + 1, nextMs) : nowMs + 1)
  }

  readonly #expired = (consumer: Consumer, sequence: Sequence): void => {
    this.#timeoutCount++
    this.#countDelivery(sequence)
    this.#putBack(sequence)
    this.#letGo(consumer, sequence, 'timed-out')
  }

  // ---- consumers -------------------------------------------------------------------------------------------------

  addConsumer(options: SubscribeOptions): Consumer {
    const consumer = new Consumer(this, options)
    this.#inFlight.attach(consumer)
    this.#consumers.add(consumer)
    return consumer
  }

  removeConsumer(consumer: Consumer): void {
    if (!this.#consumers.delete(consumer)) return
    this.#ring.remove(consumer)
    this.#inFlight.detachIfDone(consumer)
    if (this.ephemeral && this.#consumers.size === 0 && !this.#deleted) this.#host.channelUnused(this)
  }

  // ---- operations ------------------------------------------------------------------------------------------------

  pause(): Promise<void> {
    return this.#host.pauseChannel(this, true)
  }

  unpause(): Promise<void> {
    const done = this.#host.pauseChannel(this, false)
    this.#wake()
    return done
  }

  async empty(): Promise<void> {
    this.#states.clear()
    this.#states.floor = this.#end
    this.#finishedAbove = 0
    this.#deferredCount = 0
    this.#requeuedLater.clear()
    this.#inFlight.clear()
    this.#queue.clear(this.#end)
    if (this.#loading !== null) {
      this.#loading = null
      this.#host.loadAbandoned()
    }
    for (const consumer of this.#consumers) this.creditChanged(consumer)
    this.#saver.touch()
    await this.#saver.saved()
  }

  delete(): Promise<void> {
    return this.#host.deleteChannel(this)
  }

  /** Ends its consumers' connections and forgets everything. */
  close(): void {
    this.#deleted = true
    this.#saver.close()
    this.#host.timers.set(this, Infinity)
    for (const consumer of [...this.#consumers]) {
      consumer.close()
      consumer.sink.disconnect()
    }
    this.#states.clear()
  }

  /** Nothing has happened for a while: gives back what an idle channel does not need. */
  compact(): void {
    if (this.floor === this.#end && this.#finishedAbove === 0) this.#states.clear()
  }

  /** The first record at or above `from` that is not finished here; the channel's end when all are. */
  nextUnfinished(from: Sequence): Sequence {
    return this.#states.nextUnfinished(Math.max(from, this.floor), this.#end)
  }

  /** Whether every record of `[first, end)` is finished here. */
  isFinished(first: Sequence, end: Sequence): boolean {
    if (end <= this.floor) return true
    if (end > this.#end) return false
    return this.#states.nextUnfinished(Math.max(first, this.floor), end) === end
  }

  /** Whether every record of `[first, end)` is finished here, whatever crashes. */
  isFinishedForGood(first: Sequence, end: Sequence): boolean {
    if (end <= this.savedFloor) return true
    if (!this.isFinished(first, end)) return false
    let page = Math.floor(Math.max(first, this.savedFloor) / PAGE_RECORDS)
    for (; page * PAGE_RECORDS < end; page++) {
      if (this.#saver.isSaving(page) || this.#states.cleanPage(page) === null) return false
    }
    return true
  }

  /** Whether every record of `[first, end)` is finished here, or waits for its time. */
  isFinishedOrDeferred(first: Sequence, end: Sequence): boolean {
    if (end <= this.floor) return true
    return end <= this.#end && this.#states.nextActive(Math.max(first, this.floor), end) === end
  }

  /** How many records of a page are finished here, whatever crashes. */
  savedFinishedCount(pageNumber: number): number {
    const first = pageNumber * PAGE_RECORDS
    const below = Math.min(PAGE_RECORDS, Math.max(0, this.savedFloor - first))
    const page = below === PAGE_RECORDS || this.#saver.isSaving(pageNumber) ? null : this.#states.cleanPage(pageNumber)
    return Math.min(PAGE_RECORDS, below + (page?.finished ?? 0))
  }

  /** Marks what {@link savedFinishedCount} does not count, by index in the page. */
  markUnfinished(pageNumber: number, isNeeded: Uint8Array): void {
    const first = pageNumber * PAGE_RECORDS
    const page = this.#saver.isSaving(pageNumber) ? null : this.#states.cleanPage(pageNumber)
    for (let index = Math.max(0, this.savedFloor - first); index < PAGE_RECORDS; index++) {
      if (page?.states[index] !== RecordState.finished) isNeeded[index] = 1
    }
  }

  /** The first record that was not given out yet. */
  get nextFresh(): Sequence {
    return this.#queue.next
  }

  // ---- the saved cursor ------------------------------------------------------------------------------------------

  /** Saves what has changed. */
  save(): void {
    this.#saver.save()
  }

  /** Resolves when everything that happened so far is saved. @throws BrokerError `E_STORAGE_IO`. */
  saved(): Promise<void> {
    return this.#saver.saved()
  }

  takeCursorUpdate(): CursorUpdate {
    const pages = new Map<number, Uint8Array | null>()
    for (const [number, page] of this.#states.takeDirty()) {
      pages.set(number, page === null ? null : encodePage(this.id, page, (at) => this.#requeuedLater.dueAtMs(at)))
    }
    const { floor, deliveredUpTo } = this
    return { head: encodeHead(this.id, { floor, deliveredUpTo, finishedRun: this.#states.finishedRun }), pages }
  }

  cursorUpdateFailed(pages: Iterable<number>): void {
    this.#states.markDirty(pages)
  }

  storeCursor(update: CursorUpdate): void | Promise<void> {
    if (this.ephemeral) return undefined
    return this.#log.store.saveCursor(this.id, update)
  }

  saveWanted(): void {
    this.#host.scheduleSave(this)
  }

  cursorSaved(): void {
    this.#host.cursorSaved()
    this.#wake()
  }

  /** One past the highest sequence that a saved cursor has seen; 0 without one. @throws BrokerError `E_STORAGE_CORRUPT` */
  static savedEnd(id: Lease, saved: SavedCursor | null): Sequence {
    if (saved === null) return 0
    const { floor, deliveredUpTo, finishedRun } = decodeHead(id, saved.head)
    return Math.max(floor, deliveredUpTo, finishedRun?.end ?? 0)
  }

  /** After opening: goes on where the saved cursor says. `end` is the topic's release point. */
  restore(saved: SavedCursor | null, end: Sequence): void {
    this.#end = end
    if (saved === null) {
      this.#queue.released(this.floor, Math.max(0, end - this.floor))
      return
    }
    const head = decodeHead(this.id, saved.head)
    this.#states.floor = Math.max(this.floor, head.floor)
    this.#saver.savedFloor = this.floor
    this.#deliveredBefore = head.deliveredUpTo
    this.#queue.clear(this.floor)
    this.#queue.released(this.floor, Math.max(0, end - this.floor))
    const nowMs = this.#host.clock.wallMs()
    for (const [number, value] of saved.pages) this.#restorePage(number, value, nowMs)
    if (head.finishedRun !== null) this.#restoreRun(head.finishedRun)
    this.#advanceFloor()
    this.#states.takeDirty()
  }

  #restoreRun({ first, end }: SequenceRange): void {
    const run = { first: Math.max(first, this.floor), end: Math.min(end, this.#end) }
    if (run.first < run.end) this.#finishedAbove += this.#states.finishRun(run)
  }

  #restorePage(number: number, value: Uint8Array, nowMs: number): void {
    const page = decodePage(this.id, number, value)
    const start = number * PAGE_RECORDS
    if (page.isAllFinished) {
      const end = Math.min(start + PAGE_RECORDS, this.#end)
      this.#finishedAbove += this.#states.finishRange(Math.max(start, this.floor), end)
      return
    }
    for (let index = 0; index < PAGE_RECORDS; index++) {
      const sequence = start + index
      if (sequence < this.floor || sequence >= this.#end || !page.isFinished(index)) continue
      this.#states.set(sequence, RecordState.finished)
      this.#finishedAbove++
    }
    for (const { index, deliveries, dueAtMs } of page.entries) {
      const sequence = start + index
      if (sequence < this.floor || sequence >= this.#end) continue
      if (deliveries > 0) {
        this.#states.setDeliveries(sequence, deliveries)
        this.#countedBefore = Math.max(this.#countedBefore, sequence + 1)
      }
      if (dueAtMs > nowMs) this.#deferUntil(sequence, dueAtMs, dueAtMs - nowMs)
    }
  }

  /** Counts by walking over every record, for tests: must equal what the counters say. */
  recount(): { depth: number; inFlightCount: number; deferredCount: number } {
    const counts = { depth: 0, inFlightCount: 0, deferredCount: 0 }
    for (let sequence = this.floor; sequence < this.#end; sequence++) {
      const state = this.#states.get(sequence)
      if (state >= OWNER) counts.inFlightCount++
      else if (state === RecordState.deferred) counts.deferredCount++
      else if (state !== RecordState.finished) counts.depth++
    }
    return counts
  }

  /** A record that has left memory in the meantime is not measured: that would take a read. */
  #measure(latency: LatencyRecorder, sequence: Sequence): void {
    const segment = this.#log.segments.at(sequence)
    if (segment === null) return
    const { clock } = this.#host
    latency.record(clock.wallMs() - segment.timestampMsOf(sequence), clock.monotonicMs())
  }

  /** Since when the oldest record that is not finished is there; null when there is none, or where only storage knows. */
  #oldestTimestampMs(): number | null {
    const { floor } = this
    if (floor >= this.#end) return null
    if (this.#oldest !== floor) {
      const segment = this.#log.segments.at(floor)
      if (segment === null) return null
      this.#oldest = floor
      this.#oldestAtMs = segment.timestampMsOf(floor)
    }
    return this.#oldestAtMs
  }

  stats(includeClients: boolean): ChannelStats {
    const { clock, e2eLatencyQuantiles } = this.#host
    const oldestAtMs = this.#oldestTimestampMs()
    return {
      name: this.name,
      depth: this.depth,
      backendDepth: this.#backendDepth(),
      inFlightCount: this.#inFlight.count,
      deferredCount: this.#deferredCount,
      messageCount: this.#messageCount,
      deliveryCount: this.#deliveryCount,
      requeueCount: this.#requeueCount,
      timeoutCount: this.#timeoutCount,
      clientCount: this.#consumers.size,
      clients: includeClients ? [...this.#consumers].map((consumer) => consumer.client.stats()) : [],
      paused: this.paused,
      oldestAgeMs: oldestAtMs === null ? null : Math.max(0, clock.wallMs() - oldestAtMs),
      e2eLatency:
        this.latency === null ? null : LatencyRecorder.stats([this.latency], e2eLatencyQuantiles, clock.monotonicMs()),
    }
  }

  #backendDepth(): number {
    if (this.#host.isResident) return 0
    let resident = 0
    for (const segment of this.#log.segments.all) {
      resident += Math.max(0, Math.min(segment.end, this.#end) - Math.max(segment.first, this.floor))
    }
    return Math.max(0, this.depth - resident)
  }
}

/** How many of the `count` records from `first` on fit into `sizeBytesMax`; never fewer than one. */
function fittingCount(segment: Segment, first: Sequence, count: number, sizeBytesMax: number): number {
  const start = segment.offsetOf(first)
  if (segment.offsetOf(first + count) - start <= sizeBytesMax) return count
  let low = 1
  let high = count
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (segment.offsetOf(first + middle) - start <= sizeBytesMax) low = middle
    else high = middle - 1
  }
  return low
}
