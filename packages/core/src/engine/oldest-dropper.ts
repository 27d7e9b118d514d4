import type { Clock, TimerHandle } from '../contracts/clock.js'
import type { Logger } from '../contracts/logger.js'
import type { MemoryBudget } from './memory-budget.js'
import type { Topic } from './topic.js'

/** Drops are gathered for so long, then one line of the log says how many there were. */
const WARN_INTERVAL_MS = 1000
/** When dropping has not freed enough, it is not tried again for so long. */
const PAUSE_MS = 50

/**
 * Makes room when memory is full and messages cannot be anywhere else: drops the oldest of the topic that takes the most
 * memory, a segment at a time. The largest one, because it is what fills the memory: were it the oldest of the node, a
 * flood in one topic would wipe out the few messages of all the quiet ones.
 */
export class OldestDropper {
  readonly #topics: ReadonlyMap<string, Topic>
  readonly #budget: MemoryBudget
  readonly #clock: Clock
  readonly #logger: Logger
  #triedInVainAtMs = -Infinity
  #droppedCount = 0
  #warnTimer: TimerHandle | null = null

  constructor(topics: ReadonlyMap<string, Topic>, budget: MemoryBudget, clock: Clock, logger: Logger) {
    this.#topics = topics
    this.#budget = budget
    this.#clock = clock
    this.#logger = logger
  }

  /** Whether `sizeBytes` more would fit if nothing but messages were in the way. */
  couldMakeRoom(sizeBytes: number): boolean {
    let messageBytes = 0
    for (const topic of this.#topics.values()) messageBytes += topic.log.segments.sizeBytes
    return this.#budget.usedBytes - messageBytes + sizeBytes <= this.#budget.sizeBytesMax
  }

  /** Drops until `sizeBytes` more fit. Returns whether they do; nothing is dropped for what cannot fit anyway. */
  makeRoom(sizeBytes: number): boolean {
    if (this.#clock.monotonicMs() - this.#triedInVainAtMs < PAUSE_MS || !this.couldMakeRoom(sizeBytes)) return false
    const inVain = new Set<Topic>()
    while (!this.#budget.hasRoom(sizeBytes)) {
      const topic = this.#largest(inVain)
      if (topic === null) {
        this.#triedInVainAtMs = this.#clock.monotonicMs()
        return false
      }
      const dropped = topic.dropOldest()
      if (dropped.count > 0) this.#tell(dropped.count)
      if (dropped.sizeBytes === 0) inVain.add(topic)
    }
    return true
  }

  close(): void {
    this.#warnTimer?.cancel()
    if (this.#warnTimer !== null) this.#warn()
  }

  #largest(except: ReadonlySet<Topic>): Topic | null {
    let largest: Topic | null = null
    let sizeBytes = 0
    for (const topic of this.#topics.values()) {
      if (topic.log.segments.sizeBytes <= sizeBytes || except.has(topic)) continue
      largest = topic
      sizeBytes = topic.log.segments.sizeBytes
    }
    return largest
  }

  #tell(count: number): void {
    this.#droppedCount += count
    this.#warnTimer ??= this.#clock.setTimer(WARN_INTERVAL_MS, () => this.#warn())
  }

  #warn(): void {
    this.#warnTimer = null
    this.#logger.warn(`memory is full: the oldest messages were dropped, ${this.#droppedCount} of them`)
    this.#droppedCount = 0
  }
}
