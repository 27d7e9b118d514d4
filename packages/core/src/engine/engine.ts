import type { Authenticator } from '../contracts/authenticator.js'
import type { Broker, Client, Pressure, SubscribeOptions, Subscription } from '../contracts/broker.js'
import type { Clock, Random, TimerHandle } from '../contracts/clock.js'
import type { Discovery } from '../contracts/discovery.js'
import type { Logger } from '../contracts/logger.js'
import type { BrokerOptions } from '../contracts/options.js'
import type { QueueFactory } from '../contracts/queue.js'
import type { Setting } from '../contracts/setting.js'
import type { BrokerStats, StatsFilter } from '../contracts/stats.js'
import type { Durability, Storage } from '../contracts/storage.js'
import type { Telemetry } from '../contracts/telemetry.js'
import type { ListenAddress } from '../contracts/transport.js'
import { BrokerError } from '../errors.js'
import { isValidName } from '../names.js'
import { readCatalogue } from './catalogue.js'
import type { Channel } from './channel.js'
import { FifoQueue } from './fifo-queue.js'
import { MemoryBudget } from './memory-budget.js'
import { OldestDropper } from './oldest-dropper.js'
import { ReadSlots } from './read-slots.js'
import { TimerQueue } from './timer-queue.js'
import { Topic, type TopicHost } from './topic.js'
import { TopicDurabilities } from './topic-durabilities.js'

/** Dispatching may take this long in one turn; then sockets are read before it goes on. */
const DISPATCH_MS_MAX = 2
/** Runs that one channel gives out before the next channel has its turn. */
const RUNS_PER_TURN = 32
const SAVE_INTERVAL_MS = 50
/** Saving may take this long in one turn. */
const SAVE_MS_MAX = 2
const SWEEP_INTERVAL_MS = 1000
/** Sweeping may take this long in one turn. */
const SWEEP_MS_MAX = 2
/** Bytes waiting for storage at which publishers are paused, and at which they go on. */
const PAUSE_ABOVE_BYTES = 16 * 1024 * 1024
const RELIEF_BELOW_BYTES = 8 * 1024 * 1024
/** How much is freed at once when memory is short, as a share of the budget. */
const RECLAIM_SHARE = 1 / 16
/** When reclaiming has not freed enough, it is not tried again for so long. */
const RECLAIM_PAUSE_MS = 50
/** Reads from storage at the same time. */
const READS_MAX = 8
/** Tries to subscribe while an ephemeral channel is just being deleted. */
const SUBSCRIBE_TRIES = 3

export interface EngineParts {
  readonly storage: Storage
  /** Null for first in, first out. */
  readonly queueFactory: QueueFactory | null
  readonly discoveries: readonly Discovery[]
  readonly authenticator: Authenticator | null
  readonly telemetry: Telemetry | null
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly options: BrokerOptions
  /** What `/config` shows. */
  readonly settings: readonly Setting[]
}

/**
 * The broker: all topics of a node, and the order in which a turn of the event loop goes.
 *
 * ```
 *   sockets are read: publishes gather, FINs settle, credit changes
 *   end of turn:  commit   what was published goes to storage, one chunk a topic; OKs are given
 *                 release  channels see what is safe
 *                 dispatch channels with waiting messages and ready consumers give out runs
 *                 trim     what every channel has passed is let go
 * ```
 */
export class Engine implements Broker, TopicHost {
  readonly options: BrokerOptions
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly authenticator: Authenticator | null
  readonly telemetry: Telemetry | null
  readonly storage: Storage
  readonly queueFactory: QueueFactory
  readonly startedAtMs: number
  readonly settings: ReadonlyMap<string, Setting>
  readonly timers: TimerQueue
  readonly budget: MemoryBudget
  readonly slots = new ReadSlots(READS_MAX)
  addresses: readonly ListenAddress[] = []
  readonly #discoveries: readonly Discovery[]
  readonly #durabilities: TopicDurabilities
  /** Null when publishes are refused instead. */
  readonly #dropper: OldestDropper | null
  #announcing = false
  readonly #topics = new Map<string, Topic>()
  readonly #clients = new Set<Client>()
  readonly #faults = new Map<string, string>()
  #turnScheduled = false
  #commits: Topic[] = []
  #dispatches: Channel[] = []
  #trims: Topic[] = []
  #saves: Channel[] = []
  #saveTimer: TimerHandle | null = null
  #sweepTimer: TimerHandle | null = null
  /** Topics with something in memory that a sweep may let go. */
  readonly #warm = new Set<Topic>()
  #reclaimedInVainAtMs = -Infinity
  #unsettledBytes = 0
  #behind = false
  #reliefs: (() => void)[] = []
  #closing: Promise<void> | null = null

  constructor(parts: EngineParts) {
    this.options = parts.options
    this.clock = parts.clock
    this.random = parts.random
    this.logger = parts.logger
    this.authenticator = parts.authenticator
    this.telemetry = parts.telemetry
    this.settings = new Map(parts.settings.map((setting) => [setting.name, setting]))
    this.#discoveries = parts.discoveries
    this.storage = parts.storage
    this.#durabilities = new TopicDurabilities(parts.options, parts.storage.capabilities)
    this.queueFactory = parts.queueFactory ?? ((records, next) => new FifoQueue(records, next))
    this.startedAtMs = parts.clock.wallMs()
    this.timers = new TimerQueue(parts.clock)
    this.budget = new MemoryBudget(engineMemoryBytes(parts), (sizeBytes) => this.#reclaim(sizeBytes))
    const drops = parts.storage.capabilities.whenFull === 'drop-oldest'
    this.#dropper = drops ? new OldestDropper(this.#topics, this.budget, this.clock, this.logger) : null
  }

  /** Opens the storage and everything in it. @throws BrokerError from the storage. */
  async open(): Promise<void> {
    await this.storage.open()
    const saved = await readCatalogue(this.storage)
    const known = new Set([...saved.values()].map(({ entry }) => entry.log))
    for (const log of await this.storage.listLogs()) {
      if (!known.has(log)) await this.storage.deleteLog(log)
    }
    await Promise.all(
      [...saved].map(async ([name, topic]) => this.#topics.set(name, await Topic.open(this, name, topic))),
    )
  }

  /** The transports listen: tells where. */
  listening(addresses: readonly ListenAddress[]): void {
    this.addresses = addresses
  }

  /** Discovery has started: announces what there is, and from now on what comes and goes. */
  announce(): void {
    this.#announcing = true
    for (const discovery of this.discoveries) {
      for (const topic of this.#topics.values()) {
        discovery.topicCreated(topic.name)
        for (const channel of topic.channels.values()) discovery.channelCreated(topic.name, channel.name)
      }
    }
  }

  /** Stores what was accepted, saves every cursor and closes the storage. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#sweepTimer?.cancel()
    this.#saveTimer?.cancel()
    this.#dropper?.close()
    for (const topic of this.#topics.values()) await topic.close()
    this.#topics.clear()
    this.timers.close()
    await this.storage.close()
  }

  /** Those that have been started; nobody is told or asked before. */
  get discoveries(): readonly Discovery[] {
    return this.#announcing ? this.#discoveries : []
  }

  durabilityOf(topic: string): Durability {
    return this.#durabilities.of(topic)
  }

  get msgTimeoutMsMax(): number {
    return this.options.msgTimeoutMsMax
  }

  get memQueueSize(): number {
    return this.options.memQueueSize
  }

  get e2eLatencyQuantiles(): readonly number[] {
    return this.options.e2eLatencyQuantiles
  }

  get e2eLatencyWindowMs(): number {
    return this.options.e2eLatencyWindowMs
  }

  get discoveryTimeoutMsMax(): number {
    return this.options.discoveryTimeoutMsMax
  }

  // ---- topics and channels ---------------------------------------------------------------------------------------

  getTopic(name: string): Topic | undefined {
    return this.#topics.get(name)
  }

  openTopic(name: string): Topic {
    const existing = this.#topics.get(name)
    if (existing !== undefined) return existing
    if (this.#closing !== null) throw new BrokerError('E_EXITING', 'exiting')
    if (!isValidName(name)) throw new BrokerError('E_BAD_TOPIC', `topic name ${JSON.stringify(name)} is not valid`)
    const topic = Topic.create(this, name)
    this.#topics.set(name, topic)
    this.logger.info(`TOPIC(${name}): created`)
    for (const discovery of this.discoveries) discovery.topicCreated(name)
    return topic
  }

  topicDeleted(topic: Topic): void {
    if (this.#topics.get(topic.name) !== topic) return
    this.#topics.delete(topic.name)
    this.#warm.delete(topic)
    this.logger.info(`TOPIC(${topic.name}): deleted`)
    for (const discovery of this.discoveries) discovery.topicDeleted(topic.name)
  }

  async subscribe(topicName: string, channelName: string, options: SubscribeOptions): Promise<Subscription> {
    const limit = this.options.channelConsumersMax
    for (let tries = 1; ; tries++) {
      try {
        const topic = this.openTopic(topicName)
        const channel = await topic.openChannel(channelName)
        if (topic.getChannel(channelName) !== channel) throw new BrokerError('E_EXITING', 'exiting')
        if (limit > 0 && channel.consumerCount >= limit) {
          throw new BrokerError('E_SUB_FAILED', `consumers for ${topicName}:${channelName} exceeds limit of ${limit}`)
        }
        return channel.addConsumer(options)
      } catch (error) {
        if (!(error instanceof BrokerError) || error.code === 'E_SUB_FAILED') throw error
        if (error.code === 'E_EXITING' && tries < SUBSCRIBE_TRIES && this.#closing === null) continue
        throw new BrokerError('E_SUB_FAILED', error.code === 'E_EXITING' ? 'exiting' : error.message, { cause: error })
      }
    }
  }

  // ---- the turn --------------------------------------------------------------------------------------------------

  scheduleCommit(topic: Topic): void {
    this.#keepWarm(topic)
    if (topic.commitScheduled) return
    topic.commitScheduled = true
    this.#commits.push(topic)
    this.#scheduleTurn()
  }

  scheduleDispatch(channel: Channel): void {
    if (channel.dispatchScheduled) return
    channel.dispatchScheduled = true
    this.#dispatches.push(channel)
    this.#scheduleTurn()
  }

  scheduleTrim(topic: Topic): void {
    this.#keepWarm(topic)
    if (topic.trimScheduled) return
    topic.trimScheduled = true
    this.#trims.push(topic)
    this.#scheduleTurn()
  }

  scheduleSave(channel: Channel): void {
    if (channel.saveScheduled) return
    channel.saveScheduled = true
    this.#saves.push(channel)
    this.#saveTimer ??= this.clock.setTimer(SAVE_INTERVAL_MS, this.#saveCursors)
  }

  inNextTurn(callback: () => void): void {
    this.clock.inNextTurn(callback)
  }

  #scheduleTurn(): void {
    if (this.#turnScheduled) return
    this.#turnScheduled = true
    this.clock.atEndOfTurn(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    this.#turnScheduled = false
    const commits = this.#commits
    if (commits.length > 0) {
      this.#commits = []
      for (const topic of commits) {
        topic.commitScheduled = false
        topic.commit()
      }
    }
    this.#dispatch()
    const trims = this.#trims
    if (trims.length > 0) {
      this.#trims = []
      for (const topic of trims) {
        topic.trimScheduled = false
        topic.trim()
      }
    }
  }

  #dispatch(): void {
    const queue = this.#dispatches
    if (queue.length === 0) return
    const untilMs = this.clock.monotonicMs() + DISPATCH_MS_MAX
    let at = 0
    while (at < queue.length) {
      const channel = queue[at++]
      channel.dispatchScheduled = false
      if (channel.dispatch(RUNS_PER_TURN)) {
        channel.dispatchScheduled = true
        queue.push(channel)
      }
      if (this.clock.monotonicMs() >= untilMs) break
    }
    this.#dispatches = queue.slice(at)
    if (this.#dispatches.length > 0 && !this.#turnScheduled) {
      this.#turnScheduled = true
      this.clock.inNextTurn(this.#endTurn)
    }
  }

  readonly #saveCursors = (): void => {
    this.#saveTimer = null
    const saves = this.#saves
    this.#saves = []
    const untilMs = this.clock.monotonicMs() + SAVE_MS_MAX
    let at = 0
    while (at < saves.length && this.clock.monotonicMs() < untilMs) {
      const channel = saves[at++]
      channel.saveScheduled = false
      channel.save()
    }
    if (at === saves.length) return
    this.#saves = [...saves.slice(at), ...this.#saves]
    this.clock.inNextTurn(this.#saveCursors)
  }

  #keepWarm(topic: Topic): void {
    this.#warm.add(topic)
    this.#armSweep()
  }

  /** Goes over `topics` for a while, and over the rest in the next turn. */
  #sweep(topics: IterableIterator<Topic>): void {
    if (this.#closing !== null) return
    const untilMs = this.clock.monotonicMs() + SWEEP_MS_MAX
    for (let next = topics.next(); next.done !== true; next = topics.next()) {
      if (!next.value.sweep()) this.#warm.delete(next.value)
      if (this.clock.monotonicMs() < untilMs) continue
      this.clock.inNextTurn(() => this.#sweep(topics))
      return
    }
    this.#sweepTimer = null
    if (this.#warm.size > 0) this.#armSweep()
  }

  #armSweep(): void {
    this.#sweepTimer ??= this.clock.setTimer(SWEEP_INTERVAL_MS, () => this.#sweep([...this.#warm].values()))
  }

  // ---- pressure and health ---------------------------------------------------------------------------------------

  #reclaim(sizeBytes: number): void {
    if (this.clock.monotonicMs() - this.#reclaimedInVainAtMs < RECLAIM_PAUSE_MS) return
    const { usedBytes } = this.budget
    const wantedBytes = Math.max(sizeBytes, this.budget.sizeBytesMax * RECLAIM_SHARE)
    if (!this.storage.capabilities.resident) this.#evict(wantedBytes)
    else for (const topic of this.#topics.values()) topic.dropIdle() // nothing else can be had back from a resident store
    if (usedBytes - this.budget.usedBytes < wantedBytes) this.#reclaimedInVainAtMs = this.clock.monotonicMs()
  }

  /** Drops what can be read back. When that is not enough, slabs that are being filled are closed, and go too: with many topics they are most of it. */
  #evict(sizeBytes: number): void {
    const left = this.#evictClosed(sizeBytes)
    if (left <= 0) return
    for (const topic of this.#topics.values()) topic.log.closeTail()
    this.#evictClosed(left)
  }

  /** First what will be wanted last, and of that what was not used for longest. Returns how much is missing of `sizeBytes`. */
  #evictClosed(sizeBytes: number): number {
    const candidates = [...this.#topics.values()].flatMap((topic) =>
      topic.evictable().map(({ segment, distance }) => ({ topic, segment, distance })),
    )
    candidates.sort((a, b) =>
      b.distance === a.distance ? a.segment.usedAtMs - b.segment.usedAtMs : b.distance - a.distance,
    )
    let left = sizeBytes
    for (const { topic, segment } of candidates) {
      if (left <= 0) break
      topic.log.segments.remove(segment)
      left -= segment.sizeBytes
    }
    return left
  }

  hasRoom(sizeBytes: number): boolean {
    return this.budget.hasRoom(sizeBytes) || (this.#dropper?.makeRoom(sizeBytes) ?? false)
  }

  /** While the oldest can be dropped for it, nobody has to lose the newest. */
  get isMemoryShort(): boolean {
    return this.#dropper === null && this.budget.isShort
  }

  unsettledBytesChanged(bytes: number): void {
    this.#unsettledBytes += bytes
    if (this.#unsettledBytes > PAUSE_ABOVE_BYTES) this.#behind = true
    if (!this.#behind || this.#unsettledBytes > RELIEF_BELOW_BYTES) return
    this.#behind = false
    const reliefs = this.#reliefs
    this.#reliefs = []
    for (const relief of reliefs) relief()
  }

  get pressure(): Pressure {
    if (this.#behind) return 'paused'
    if (this.storage.refusal !== null) return 'full'
    return this.budget.isFull && !this.#dropper?.couldMakeRoom(1) ? 'full' : 'open'
  }

  onRelief(callback: () => void): void {
    if (this.#behind) this.#reliefs.push(callback)
    else this.clock.inNextTurn(callback)
  }

  chargeMemory(sizeBytes: number): void {
    this.budget.charge(sizeBytes)
    if (this.budget.isFull) this.#dropper?.makeRoom(0)
  }

  get health(): string {
    const { refusal } = this.storage
    if (refusal !== null) return `storage: ${refusal}`
    for (const [topic, fault] of this.#faults) return `topic ${topic}: ${fault}`
    return 'OK'
  }

  setFault(topic: string, fault: string | null): void {
    if (fault === null) this.#faults.delete(topic)
    else this.#faults.set(topic, fault)
  }

  // ---- statistics ------------------------------------------------------------------------------------------------

  addClient(client: Client): void {
    this.#clients.add(client)
  }

  removeClient(client: Client): void {
    this.#clients.delete(client)
  }

  stats(filter: StatsFilter): BrokerStats {
    const { channel } = filter
    const named = filter.topic === undefined ? null : this.#topics.get(filter.topic)
    if (named === undefined) return { topics: [], producers: [] }
    const topics = named === null ? [...this.#topics.values()] : [named]
    return {
      topics: topics
        .filter((topic) => channel === undefined || topic.getChannel(channel) !== undefined)
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map((topic) => topic.stats(channel, filter.includeClients)),
      producers: filter.includeClients
        ? [...this.#clients].map((client) => client.stats()).filter((client) => client.publishCounts.size > 0)
        : [],
    }
  }
}

/** Evicted slabs take memory until they are collected: about so much of it. */
const UNCOLLECTED_BYTES = 64 * 1024 * 1024

/** The node's memory without what the storage may take of it, and what eviction leaves behind for a while; never less than half. */
export function engineMemoryBytes({ options, storage }: Pick<EngineParts, 'options' | 'storage'>): number {
  const { memorySizeBytesMax } = options
  const { memorySizeBytes, resident } = storage.capabilities
  if (resident) return memorySizeBytesMax
  return Math.max(memorySizeBytesMax / 2, memorySizeBytesMax - memorySizeBytes - UNCOLLECTED_BYTES)
}
