import type { PublishWaiter, Topic as TopicContract } from '../contracts/broker.js'
import type { Clock, Random } from '../contracts/clock.js'
import type { Discovery } from '../contracts/discovery.js'
import type { LogStore } from '../contracts/log-store.js'
import type { Logger } from '../contracts/logger.js'
import type { QueueFactory } from '../contracts/queue.js'
import type { Lease, Sequence, SequenceRange } from '../contracts/sequence.js'
import type { LatencyStats, TopicStats } from '../contracts/stats.js'
import type { CatalogueWrite, Durability, Storage } from '../contracts/storage.js'
import type { Telemetry } from '../contracts/telemetry.js'
import { BrokerError } from '../errors.js'
import { isEphemeral, isValidName } from '../names.js'
import { decodeDueTimes } from './attributes.js'
import { type CatalogueTopic, type ChannelEntry, channelWrite, type TopicEntry, topicWrite } from './catalogue.js'
import { Channel, type ChannelHost, type ChannelParts } from './channel.js'
import { openChannelsElsewhere } from './channels-elsewhere.js'
import { DeferredPublishes } from './deferred-publishes.js'
import { frameStamp } from './frame.js'
import { LatencyRecorder } from './latency-recorder.js'
import { Log, type LogOwner } from './log.js'
import type { MemoryBudget } from './memory-budget.js'
import { PublishQueue } from './publish-queue.js'
import type { ReadSlots } from './read-slots.js'
import { type Evictable, type RetainedTopic, Retention } from './retention.js'
import type { Segment } from './segment.js'
import type { TimerQueue } from './timer-queue.js'

const REOPEN_DELAY_MS_MIN = 50
const REOPEN_DELAY_MS_MAX = 5000
const LOAD_RETRY_MS = 1000
/** Side tables that are read at a time when a topic is opened. */
const ATTRIBUTES_BYTES = 1024 * 1024

/** What a topic needs of its node. */
export interface TopicHost {
  readonly storage: Storage
  readonly budget: MemoryBudget
  readonly slots: ReadSlots
  readonly timers: TimerQueue
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly telemetry: Telemetry | null
  readonly discoveries: readonly Discovery[]
  readonly queueFactory: QueueFactory
  readonly msgTimeoutMsMax: number
  readonly memQueueSize: number
  readonly e2eLatencyQuantiles: readonly number[]
  readonly e2eLatencyWindowMs: number
  readonly discoveryTimeoutMsMax: number
  /** What an `OK` of this topic promises, as the configuration says. */
  durabilityOf(topic: string): Durability
  scheduleCommit(topic: Topic): void
  scheduleDispatch(channel: Channel): void
  scheduleSave(channel: Channel): void
  /** Memory and disk below the floors may be given back at the end of this turn. */
  scheduleTrim(topic: Topic): void
  /** Whether messages of this size find room, once whatever may go has gone. */
  hasRoom(sizeBytes: number): boolean
  /** Who may drop messages should. */
  readonly isMemoryShort: boolean
  inNextTurn(callback: () => void): void
  unsettledBytesChanged(bytes: number): void
  /** Sets or, with null, clears what is wrong with a topic. */
  setFault(topic: string, fault: string | null): void
  topicDeleted(topic: Topic): void
}

/**
 * A topic: its log, its channels, and the release point, below which channels read.
 *
 * ```
 *   log:   … finished everywhere … | channels read here … | waits at the topic | being stored |
 *                                  lowest floor           release              committedEnd   next
 * ```
 * The release point follows the end of what is committed, unless the topic is paused, has no channel, or discovery is
 * still being asked for its channels: then it stands.
 */
export class Topic implements TopicContract, LogOwner, ChannelHost, RetainedTopic {
  readonly topicName: string
  readonly ephemeral: boolean
  commitScheduled = false
  trimScheduled = false
  paused = false
  readonly log: Log
  readonly #id: Lease
  readonly #host: TopicHost
  readonly #durability: Durability
  readonly channels = new Map<string, Channel>()
  readonly #opening = new Map<string, Promise<Channel>>()
  readonly #publishes = new PublishQueue()
  readonly #deferred: DeferredPublishes
  readonly #retention: Retention
  release: Sequence
  /** Where the release point stands as far as the catalogue knows; null when it follows the end. Nothing above it is trimmed. */
  storedRelease: Sequence | null
  #voids: SequenceRange[]
  #discovering = false
  #deleted: BrokerError | null = null
  #durable: Promise<void> = Promise.resolve()
  #messageCount = 0
  #messageBytes = 0
  #droppedCount = 0
  /** The end of what the counters have seen. */
  #countedEnd: Sequence
  #publishedSinceSweep = false
  #takingLease = false

  private constructor(host: TopicHost, name: string, entry: TopicEntry, store: LogStore | null, next: Sequence) {
    this.#host = host
    this.topicName = name
    this.ephemeral = isEphemeral(name)
    this.paused = entry.paused
    this.#id = entry.log
    this.#durability = entry.durability
    this.release = entry.release ?? next
    this.storedRelease = this.ephemeral ? null : entry.release
    this.#countedEnd = next
    this.#voids = [...entry.voids]
    this.#retention = new Retention(this)
    this.#deferred = new DeferredPublishes(host.clock, host.timers, this.channels)
    this.log = new Log({
      owner: this,
      budget: host.budget,
      slots: host.slots,
      monotonicMs: () => host.clock.monotonicMs(),
      leases: entry.leases,
      store,
      next,
      unsettledBytesChanged: (bytes) => host.unsettledBytesChanged(bytes),
    })
  }

  // ---- coming to be ----------------------------------------------------------------------------------------------

  /** A topic that is new on this node. It can be published to at once; publishes wait until it is durable. */
  static create(host: TopicHost, name: string): Topic {
    const log = host.storage.takeLeases(1)
    const entry: TopicEntry = {
      log,
      leases: [{ lease: log, first: 0 }],
      durability: host.durabilityOf(name),
      paused: false,
      release: 0,
      voids: [],
    }
    const topic = new Topic(host, name, entry, null, 0)
    topic.#durable = topic.#makeDurable()
    topic.#durable.catch((error: unknown) => topic.#creationFailed(error))
    topic.#discover()
    return topic
  }

  async #makeDurable(): Promise<void> {
    await this.#writeEntry()
    const store = await this.#openStore()
    if (this.#deleted !== null) {
      await store.close()
      throw this.#deleted
    }
    this.log.opened(store)
    this.#host.scheduleCommit(this)
  }

  #creationFailed(error: unknown): void {
    if (this.#deleted !== null) return
    this.#host.logger.error(`topic ${this.topicName} could not be created`, { error: describe(error) })
    this.#end(new BrokerError('E_PUB_FAILED', describe(error)))
    this.#host.topicDeleted(this)
  }

  #openStore(): Promise<LogStore> {
    return this.#host.storage.openLog(this.#id, { durability: this.#durability, epoch: 0 })
  }

  /**
   * A topic that the storage knows. The configuration says how durable it is from now on, whatever it was.
   * @throws BrokerError from the storage.
   */
  static async open(host: TopicHost, name: string, saved: CatalogueTopic): Promise<Topic> {
    const { entry } = saved
    const durability = host.durabilityOf(name)
    const store = await host.storage.openLog(entry.log, { durability, epoch: 0 })
    const cursors = await Promise.all([...saved.channels.values()].map(({ id }) => store.loadCursor(id)))
    const channels = [...saved.channels].map(([channel, channelEntry], i) => ({
      name: channel,
      entry: channelEntry,
      cursor: cursors[i],
      used: Channel.savedEnd(channelEntry.id, cursors[i]),
    }))
    const used = Math.max(0, ...channels.map((channel) => channel.used))
    const voidsEnd = entry.voids.reduce((end, range) => Math.max(end, range.end), 0)
    // sequences are never reused: not those that a cursor, a void or the release point has seen and the log has lost
    const next = Math.max(store.next, used, voidsEnd, entry.release ?? 0)
    const release = entry.release === null ? next : Math.max(entry.release, used, store.first)
    const storedRelease = entry.release === null ? null : release
    const topic = new Topic(host, name, { ...entry, durability, release: storedRelease }, store, next)
    // what was given out without durability may be forgotten everywhere: new ids must differ all the same
    const mayForget = entry.durability === 'none'
    if (mayForget) topic.log.leases.add(host.storage.takeLeases(1), next)
    if (next > store.next) topic.#voids.push({ first: store.next, end: next })
    // stored before anything is given out: after a crash it must be known how durable what was written is
    if (mayForget || next > store.next || durability !== entry.durability) {
      topic.#durable = topic.#writeEntry({ release: storedRelease })
      await topic.#durable
    }
    for (const channel of channels) {
      const start = Math.max(channel.entry.start, store.first)
      const { id, paused } = channel.entry
      const opened = topic.#addChannel({ name: channel.name, id, start: Math.min(start, release), paused })
      opened.restore(channel.cursor, release)
      for (const range of topic.#voids) opened.skip(range.first, range.end)
    }
    topic.#advanceRelease()
    await topic.#restoreDeferred()
    return topic
  }

  /** Records that their publishers deferred count as such at once, without being read. */
  async #restoreDeferred(): Promise<void> {
    if (this.channels.size === 0) return
    try {
      await this.#readDeferred()
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code !== 'E_STORAGE_CORRUPT') throw error
      this.loadFailed(error, () => undefined) // the damage ends the reading of this log, and of no other
    }
  }

  async #readDeferred(): Promise<void> {
    let from = this.#retention.passed
    for (;;) {
      const found = await this.log.store.readAttributes(from, ATTRIBUTES_BYTES)
      if (found.length === 0) return
      for (const { first, count, attributes } of found) {
        this.#deferred.hold(duesFrom(first, attributes), first, Math.min(first + count, this.release))
      }
      const last = found[found.length - 1]
      from = last.first + last.count
    }
  }

  /** The first messages wait until discovery has said which channels the topic has elsewhere, within a bound. */
  #discover(): void {
    const { discoveries, clock, discoveryTimeoutMsMax: timeoutMsMax, logger } = this.#host
    if (discoveries.length === 0) return
    this.#discovering = true
    const openChannel = (name: string): Promise<Channel> => this.openChannel(name)
    openChannelsElsewhere({ topic: this.topicName, discoveries, clock, logger, timeoutMsMax, openChannel }, () => {
      this.#discovering = false
      this.#advanceRelease()
    })
  }

  whenDurable(): Promise<void> {
    return this.#durable
  }

  get name(): string {
    return this.topicName
  }

  get clock(): Clock {
    return this.#host.clock
  }

  get random(): Random {
    return this.#host.random
  }

  get timers(): TimerQueue {
    return this.#host.timers
  }

  get telemetry(): Telemetry | null {
    return this.#host.telemetry
  }

  get msgTimeoutMsMax(): number {
    return this.#host.msgTimeoutMsMax
  }

  get memQueueSize(): number {
    return this.#host.memQueueSize
  }

  get e2eLatencyQuantiles(): readonly number[] {
    return this.#host.e2eLatencyQuantiles
  }

  get e2eLatencyWindowMs(): number {
    return this.#host.e2eLatencyWindowMs
  }

  get isMemoryShort(): boolean {
    return this.#host.isMemoryShort
  }

  get isResident(): boolean {
    return this.#host.storage.capabilities.resident
  }

  // ---- publishing ------------------------------------------------------------------------------------------------

  publish(bytes: Uint8Array, start: number, end: number, count: number, waiter: PublishWaiter, token: number): void {
    this.#publish(bytes, start, end, count, 0, waiter, token)
  }

  publishDeferred(
    bytes: Uint8Array,
    start: number,
    end: number,
    delayMs: number,
    waiter: PublishWaiter,
    token: number,
  ): void {
    this.#publish(bytes, start, end, 1, this.#host.clock.wallMs() + delayMs, waiter, token)
  }

  #publish(
    bytes: Uint8Array,
    start: number,
    end: number,
    count: number,
    dueAtMs: number,
    waiter: PublishWaiter,
    token: number,
  ): void {
    this.#host.scheduleCommit(this)
    const refusal = this.#refusal(Log.frameBytes(end - start, count), count)
    if (refusal !== null) {
      this.#publishes.push(waiter, token, 0, refusal)
      return
    }
    if (this.#isDropping(count)) {
      this.#messageCount += count
      this.#messageBytes += end - start - 4 * count
      this.#publishes.push(waiter, token, 0, null)
      return
    }
    this.#publishedSinceSweep = true
    const stamp = frameStamp(this.#host.clock.wallMs())
    const published = this.log.append(bytes, start, end, count, stamp, dueAtMs)
    this.#publishes.push(waiter, token, published, null)
    if (this.log.needsLease) this.#takeLease()
    const { telemetry } = this.#host
    if (telemetry !== null) telemetry.published({ topic: this.topicName, first: published - count, count })
  }

  #refusal(frameBytes: number, count: number): BrokerError | null {
    if (this.#deleted !== null) return this.#deleted
    const { refusal } = this.#host.storage
    if (refusal !== null) {
      return new BrokerError('E_PUB_FAILED', refusal, { cause: new BrokerError('E_STORAGE_FULL', refusal) })
    }
    const { failure } = this.log
    if (failure !== null) return new BrokerError('E_PUB_FAILED', describe(failure), { cause: failure })
    if (this.log.next + count > this.log.leases.end) return new BrokerError('E_PUB_FAILED', 'no ids left')
    if (this.#host.hasRoom(frameBytes)) return null
    return new BrokerError('E_MEMORY_FULL', `memory budget of ${this.#host.budget.sizeBytesMax} bytes is used up`)
  }

  /** An ephemeral topic without a channel keeps its oldest messages only. */
  #isDropping(count: number): boolean {
    return this.ephemeral && this.channels.size === 0 && this.log.next - this.release + count > this.#host.memQueueSize
  }

  /** At the end of a turn: hands what was published to storage, and tells those who were refused. */
  commit(): void {
    this.log.commit()
    this.#publishes.settle(this.log.committedEnd)
  }

  committed(end: Sequence, bodyBytes: number): void {
    const first = this.#countedEnd
    this.#countedEnd = end
    this.#messageCount += end - first
    this.#messageBytes += bodyBytes
    const { telemetry } = this.#host
    if (telemetry !== null) telemetry.stored({ topic: this.topicName, first, count: end - first })
    this.#publishes.settle(end)
    this.#advanceRelease()
  }

  continueNextTurn(): void {
    this.#host.inNextTurn(() => {
      this.log.continueFilling()
      this.#host.scheduleCommit(this)
    })
  }

  /** The ids of a log come from a lease for 2^32 records; the next one is taken, and stored, long before it is needed. */
  #takeLease(): void {
    if (this.#takingLease) return
    this.#takingLease = true
    const done = (): void => {
      this.#takingLease = false
    }
    const failed = (error: unknown): void => {
      this.#host.logger.error(`lease of topic ${this.topicName} could not be had`, { error: describe(error) })
      done()
    }
    try {
      this.log.leases.add(this.#host.storage.takeLeases(1), this.log.leases.end)
      this.#writeEntry().then(done, failed)
    } catch (error) {
      failed(error) // the next publish tries again
    }
  }

  appendFailed(error: BrokerError): void {
    this.#publishes.failAll(new BrokerError('E_PUB_FAILED', describe(error), { cause: error }))
    if (this.#deleted !== null) return
    this.#host.setFault(this.topicName, describe(error))
    this.#host.logger.error(`topic ${this.topicName} cannot be written`, { error: describe(error) })
    if (error.code !== 'E_STORAGE_FENCED') this.#reopenLater(REOPEN_DELAY_MS_MIN)
  }

  #reopenLater(delayMs: number): void {
    this.#host.clock.setTimer(delayMs, () => {
      this.#reopen().catch((error: unknown) => {
        this.#host.logger.error(`topic ${this.topicName} could not be opened again`, { error: describe(error) })
        this.#reopenLater(Math.min(REOPEN_DELAY_MS_MAX, delayMs * 2))
      })
    })
  }

  async #reopen(): Promise<void> {
    if (this.#deleted !== null) return
    await this.log.store.close()
    const store = await this.#openStore()
    if (this.#deleted !== null) return await store.close()
    this.log.reopened(store)
    this.#host.setFault(this.topicName, null)
    this.#host.logger.info(`topic ${this.topicName} can be written again`)
  }

  // ---- releasing -------------------------------------------------------------------------------------------------

  get #isHeld(): boolean {
    return this.paused || this.#discovering || this.channels.size === 0
  }

  #advanceRelease(): void {
    const first = this.release
    const end = this.log.committedEnd
    if (first === end || this.#isHeld) return
    this.release = end
    for (const channel of this.channels.values()) channel.release(first, end)
    for (const range of this.#voids) {
      if (range.end <= first) continue
      for (const channel of this.channels.values()) channel.skip(range.first, range.end)
    }
    const segments = this.log.segments.all
    for (let i = segments.length - 1; i >= 0 && segments[i].end > first; i--)
      this.#deferred.hold(segments[i].dues(), first, end)
  }

  loaded(segment: Segment): void {
    this.#deferred.hold(segment.dues(), segment.first, Math.min(segment.end, this.release))
  }

  // ---- channels --------------------------------------------------------------------------------------------------

  getChannel(name: string): Channel | undefined {
    return this.channels.get(name)
  }

  async openChannel(name: string): Promise<Channel> {
    this.#requireAlive()
    if (!isValidName(name)) throw new BrokerError('E_BAD_CHANNEL', `channel name ${JSON.stringify(name)} is not valid`)
    const existing = this.channels.get(name)
    if (existing !== undefined) return existing
    const running = this.#opening.get(name)
    if (running !== undefined) return running
    const opening = this.#createChannel(name).finally(() => this.#opening.delete(name))
    this.#opening.set(name, opening)
    return opening
  }

  async #createChannel(name: string): Promise<Channel> {
    await this.#durable
    this.#requireAlive()
    const id = this.#host.storage.takeLeases(1)
    const isFirst = this.channels.size === 0
    const savedStart = this.release
    const writes = []
    if (!isEphemeral(name)) writes.push(channelWrite(this.topicName, name, { id, paused: false, start: savedStart }))
    // with its first channel the release point moves on: that is stored in the same write
    if (isFirst) await this.#writeEntry({ release: this.paused ? this.release : null }, writes)
    else await this.#write(writes)
    this.#requireAlive()
    const channel = this.#addChannel({ name, id, start: this.release, savedStart, paused: false })
    this.#host.logger.info(`TOPIC(${this.topicName}): new channel(${name})`)
    for (const discovery of this.#host.discoveries) discovery.channelCreated(this.topicName, name)
    this.#advanceRelease()
    return channel
  }

  #addChannel(parts: Pick<ChannelParts, 'name' | 'id' | 'start' | 'savedStart' | 'paused'>): Channel {
    const channel = new Channel({ host: this, queueFactory: this.#host.queueFactory, ...parts })
    this.channels.set(parts.name, channel)
    return channel
  }

  async deleteChannel(channel: Channel): Promise<void> {
    if (this.channels.get(channel.name) !== channel) return
    this.channels.delete(channel.name)
    channel.close()
    this.#host.logger.info(`TOPIC(${this.topicName}): deleted channel(${channel.name})`)
    this.#host.scheduleTrim(this)
    for (const discovery of this.#host.discoveries) discovery.channelDeleted(this.topicName, channel.name)
    if (this.ephemeral && this.channels.size === 0 && this.#opening.size === 0) return await this.delete()
    const writes = channel.ephemeral ? [] : [channelWrite(this.topicName, channel.name, null)]
    // without a channel the release point stands: that is stored in the same write
    if (this.channels.size === 0) await this.#writeEntry({}, writes)
    else await this.#write(writes)
    if (!channel.ephemeral && this.#deleted === null) await this.log.store.deleteCursor(channel.id)
  }

  channelUnused(channel: Channel): void {
    this.deleteChannel(channel).catch((error: unknown) => {
      this.#host.logger.error(`ephemeral channel ${channel.name} could not be deleted`, { error: describe(error) })
    })
  }

  async pauseChannel(channel: Channel, paused: boolean): Promise<void> {
    this.#requireAlive()
    if (this.channels.get(channel.name) !== channel) throw new BrokerError('E_EXITING', 'exiting')
    channel.paused = paused
    if (channel.ephemeral) return
    const entry: ChannelEntry = { id: channel.id, paused, start: channel.savedFloor }
    await this.#write([channelWrite(this.topicName, channel.name, entry)])
  }

  scheduleDispatch(channel: Channel): void {
    this.#host.scheduleDispatch(channel)
  }

  scheduleSave(channel: Channel): void {
    this.#host.scheduleSave(channel)
  }

  cursorSaved(): void {
    this.#host.scheduleTrim(this)
  }

  loadFailed(error: unknown, retry: () => void): void {
    if (this.#deleted !== null) return
    this.#host.logger.error(`topic ${this.topicName} cannot be read`, { error: describe(error) })
    this.#host.setFault(this.topicName, describe(error))
    // damage does not mend itself: what lies behind it waits until someone has repaired it
    if (error instanceof BrokerError && error.code === 'E_STORAGE_CORRUPT') return
    this.#host.clock.setTimer(LOAD_RETRY_MS, () => {
      this.#host.setFault(this.topicName, null)
      retry()
    })
  }

  loadAbandoned(): void {
    if (this.log.failure === null) this.#host.setFault(this.topicName, null)
  }

  // ---- operations ------------------------------------------------------------------------------------------------

  async pause(): Promise<void> {
    this.#requireAlive()
    this.paused = true
    await this.#saveEntry()
  }

  async unpause(): Promise<void> {
    this.#requireAlive()
    this.paused = false
    this.#advanceRelease()
    await this.#saveEntry()
  }

  async empty(): Promise<void> {
    this.#requireAlive()
    if (this.release === this.log.committedEnd) return
    this.#voidUntil(this.log.committedEnd)
    await this.#saveEntry()
    this.#host.scheduleTrim(this)
  }

  /** What waits at the topic below `end` is gone. */
  #voidUntil(end: Sequence): void {
    const first = this.release
    this.release = end
    const last = this.#voids.pop()
    if (last?.end === first) this.#voids.push({ first: last.first, end })
    else this.#voids.push(...(last === undefined ? [] : [last]), { first, end })
    for (const channel of this.channels.values()) channel.releaseVoid(first, end)
  }

  async #saveEntry(): Promise<void> {
    await this.#durable
    this.#requireAlive()
    await this.#writeEntry()
  }

  #requireAlive(): void {
    if (this.#deleted !== null) throw new BrokerError('E_EXITING', 'exiting')
  }

  async delete(): Promise<void> {
    if (this.#deleted !== null) return
    const names = [...this.channels.keys(), ...this.#opening.keys()].filter((name) => !isEphemeral(name))
    // made before anything is waited for: a topic that takes the name over writes its entry behind this one
    const erased = this.#write([
      topicWrite(this.topicName, null),
      ...names.map((name) => channelWrite(this.topicName, name, null)),
    ])
    this.#end(new BrokerError('E_EXITING', 'exiting'))
    this.#host.topicDeleted(this)
    const [written, durable] = await Promise.allSettled([erased, this.#durable])
    if (durable.status === 'fulfilled') await this.log.store.close()
    if (written.status === 'rejected') throw written.reason
    await this.#host.storage.deleteLog(this.#id)
  }

  /** Nothing is accepted any more; consumers are disconnected, publishers refused, memory released. */
  #end(reason: BrokerError): void {
    this.#deleted = reason
    for (const channel of this.channels.values()) channel.close()
    this.#publishes.failAll(reason)
    this.#deferred.close()
    this.#host.setFault(this.topicName, null)
    this.log.releaseMemory()
  }

  /** The node stops: everything accepted is stored, every cursor saved. */
  async close(): Promise<void> {
    await this.#durable.catch(() => undefined) // a creation that failed has been logged, and has ended the topic
    if (this.#deleted !== null) return
    this.commit()
    for (const channel of this.channels.values()) {
      await channel.saved().catch((error: unknown) => {
        this.#host.logger.error(`cursor of ${this.topicName}/${channel.name} could not be saved`, {
          error: describe(error),
        })
      })
    }
    await this.log.store.close()
    this.#end(new BrokerError('E_EXITING', 'exiting'))
  }

  // ---- giving back -----------------------------------------------------------------------------------------------

  /** Gives back memory and disk below what every channel has passed. */
  trim(): void {
    if (this.#deleted !== null) return
    const { passed, trimmable } = this.#retention
    this.log.trim(trimmable, this.#host.clock.monotonicMs(), (error) => {
      this.#host.logger.warn(`topic ${this.topicName} could not be trimmed`, { error: describe(error) })
      if (this.#deleted === null) this.#host.scheduleTrim(this) // and again, a second later
    })
    // a resident store holds the same memory until it has been trimmed
    this.log.dropBelow(this.isResident ? Math.min(passed, this.log.first) : passed)
    this.#voids = this.#voids.filter((range) => range.end > this.log.first)
    this.log.leases.dropBelow(this.log.first)
  }

  /** Once a second: closes what idles, and lets go of what is not needed. Returns whether there is anything left to look after. */
  sweep(): boolean {
    if (this.#deleted !== null) return false
    const idle = !this.#publishedSinceSweep
    this.#publishedSinceSweep = false
    if (idle) {
      this.log.closeTail()
      for (const channel of this.channels.values()) channel.compact()
    }
    this.trim()
    this.dropIdle()
    this.#retention.erase()
    return this.log.segments.all.length > 0 || !idle || this.#retention.trimmable > this.log.first
  }

  /** Lets go of memory in which nothing is needed, though something before it is. */
  dropIdle(): void {
    this.#retention.dropIdle()
  }

  /** Segments that can be read back when they are needed again. */
  evictable(): Evictable[] {
    return this.#retention.evictable()
  }

  /**
   * Memory is full: gives up what waits in the oldest segments, for whomever and whatever it waits, until one can go. What is
   * in flight stays so, and keeps its segment. A crash may bring back what was dropped.
   */
  dropOldest(): { readonly count: number; readonly sizeBytes: number } {
    let count = 0
    for (const segment of this.log.segments.all) {
      if (!this.log.isClosed(segment)) this.log.closeTail()
      if (!this.log.isClosed(segment)) break
      count += this.#drop(segment)
      if (!this.#retention.isFinished(segment)) continue
      this.log.segments.remove(segment)
      this.#eraseDropped(segment)
      return { count, sizeBytes: segment.sizeBytes }
    }
    return { count, sizeBytes: 0 }
  }

  #drop(segment: Segment): number {
    const { first, end } = segment
    const isDropped = new Uint8Array(segment.count)
    for (const channel of this.channels.values()) channel.drop(first, isDropped)
    if (!segment.dues().next().done) this.#deferred.forget(first, end)
    if (end > this.release) {
      isDropped.fill(1, Math.max(0, this.release - first))
      this.#voidUntil(end)
    }
    let count = 0
    for (const dropped of isDropped) count += dropped
    this.#droppedCount += count
    return count
  }

  /** The store, too, lets go of the segment: at once where what happened is kept at once, else when it is trimmed. */
  #eraseDropped({ first, end }: Segment): void {
    const { release } = this
    const erase = (): void => {
      for (const channel of this.channels.values()) channel.save()
      if (this.#deleted !== null || !this.log.isOpen || !this.#retention.isErasable(first, end)) return
      this.log.store.erase([{ first, end }])
    }
    const failed = (error: unknown): void => {
      if (this.#deleted !== null) return
      this.#host.logger.warn(`topic ${this.topicName}: what was dropped may come back`, { error: describe(error) })
    }
    if (this.storedRelease === null || this.storedRelease === release) erase()
    else this.#saveEntry().then(erase, failed)
  }

  /** Stores the topic's entry as it is now, but for `changes`, in one write with `others`. Entries resolve in the order of the calls. */
  async #writeEntry(changes: Partial<TopicEntry> = {}, others: readonly CatalogueWrite[] = []): Promise<void> {
    const entry: TopicEntry = {
      log: this.#id,
      leases: this.log.leases.all,
      durability: this.#durability,
      paused: this.paused,
      release: this.paused || this.channels.size === 0 ? this.release : null,
      voids: this.#voids,
      ...changes,
    }
    await this.#write([topicWrite(this.topicName, entry), ...others])
    if (!this.ephemeral) this.storedRelease = entry.release
  }

  async #write(writes: readonly CatalogueWrite[]): Promise<void> {
    if (!this.ephemeral && writes.length > 0) await this.#host.storage.writeCatalogue(writes)
  }

  #latencyStats(): LatencyStats | null {
    const { clock, e2eLatencyQuantiles } = this.#host
    const recorders = [...this.channels.values()].map(({ latency }) => latency).filter((latency) => latency !== null)
    if (recorders.length === 0) return null
    return LatencyRecorder.stats(recorders, e2eLatencyQuantiles, clock.monotonicMs())
  }

  stats(channel: string | undefined, includeClients: boolean): TopicStats {
    const channels = channel === undefined ? [...this.channels.values()] : [this.channels.get(channel)]
    const depth = this.#depth()
    let resident = 0
    for (const segment of this.log.segments.all)
      resident += Math.max(0, segment.end - Math.max(segment.first, this.release))
    return {
      name: this.topicName,
      depth,
      backendDepth: Math.max(0, depth - resident),
      messageCount: this.#messageCount,
      messageBytes: this.#messageBytes,
      droppedCount: this.#droppedCount,
      paused: this.paused,
      e2eLatency: this.#latencyStats(),
      channels: channels
        .filter((each) => each !== undefined)
        .map((each) => each.stats(includeClients))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    }
  }

  #depth(): number {
    const first = this.release
    const end = this.log.committedEnd
    let depth = end - first
    for (const range of this.#voids) depth -= Math.max(0, Math.min(range.end, end) - Math.max(range.first, first))
    return depth
  }
}

function* duesFrom(first: Sequence, attributes: Uint8Array): Generator<readonly [Sequence, number]> {
  for (const [index, dueAtMs] of decodeDueTimes(attributes)) yield [first + index, dueAtMs]
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
