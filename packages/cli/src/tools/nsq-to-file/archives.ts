import { isValidName } from '@spillway/client'
import type { Logger } from '@spillway/core'
import { FatalError } from '../common/fatal-error.js'
import type { ToolClock } from '../common/surroundings.js'
import { UnusableTopicError } from './file-name.js'
import type { ToFileSettings } from './settings.js'
import { TopicArchive } from './topic-archive.js'
import { listTopics } from './topic-list.js'

export interface ArchivesSurroundings {
  readonly clock: ToolClock
  readonly logger: Logger
  readonly failed: (error: Error) => void
}

/** All topics that are written: those that were named, or those that nsqlookupd names from time to time. */
export class Archives {
  readonly #settings: ToFileSettings
  readonly #surroundings: ArchivesSurroundings
  readonly #archives = new Map<string, TopicArchive>()
  /** Those that nsqlookupd has named and that cannot be written: each is told of once. */
  readonly #unusable = new Set<string>()
  #timer: { cancel(): void } | null = null
  #isClosed = false

  constructor(settings: ToFileSettings, surroundings: ArchivesSurroundings) {
    this.#settings = settings
    this.#surroundings = surroundings
  }

  /** Messages that are on the disk. */
  get syncedCount(): number {
    let count = 0
    for (const archive of this.#archives.values()) count += archive.syncedCount
    return count
  }

  /** Resolves once all that were named are subscribed, or nsqlookupd was asked once. @throws FatalError */
  async start(): Promise<void> {
    const { topics, topicPattern } = this.#settings
    if (topics.length === 0) return this.#refresh()
    const allowed = topics.filter((topic) => this.#isAllowed(topic))
    for (const topic of topics.filter((each) => !allowed.includes(each))) {
      this.#surroundings.logger.warn(`skipping topic ${topic} (doesn't match pattern ${topicPattern?.source})`)
    }
    if (allowed.length === 0) throw new FatalError('none of the topics matches --topic-pattern')
    await Promise.all(allowed.map((topic) => this.#add(topic).start()))
  }

  #isAllowed(topic: string): boolean {
    return this.#settings.topicPattern?.test(topic) ?? true
  }

  #add(topic: string): TopicArchive {
    const archive = new TopicArchive(topic, this.#settings, this.#surroundings)
    this.#archives.set(topic, archive)
    return archive
  }

  /** Never rejects but for a mistake in the settings. */
  async #refresh(): Promise<void> {
    const { lookupdAddresses, http, topicRefreshMs } = this.#settings
    const { logger, clock, failed } = this.#surroundings
    const couldNot = (error: Error): void => logger.error(`could not retrieve topic list: ${error.message}`)
    let topics: readonly string[] = []
    try {
      topics = await listTopics(lookupdAddresses, http, couldNot)
    } catch (error) {
      couldNot(error as Error)
    }
    if (this.#isClosed) return
    for (const topic of topics) {
      if (this.#archives.has(topic) || this.#unusable.has(topic) || !this.#isAllowed(topic)) continue
      await this.#tryAdd(topic)
      if (this.#isClosed) return
    }
    this.#timer = clock.setTimer(topicRefreshMs, () => void this.#refresh().catch(failed))
  }

  /** What one topic is called must not end the others. @throws FatalError for a mistake in the settings */
  async #tryAdd(topic: string): Promise<void> {
    const { logger } = this.#surroundings
    try {
      if (!isValidName(topic)) throw new UnusableTopicError(`${JSON.stringify(topic)} is no topic's name`)
      const archive = this.#add(topic)
      logger.info(`new topic ${topic}`)
      await archive.start()
    } catch (error) {
      if (!(error instanceof UnusableTopicError)) throw error
      this.#unusable.add(topic)
      logger.error(`left out: ${error.message}`)
    }
  }

  /** Another file for each topic, from its next message on. */
  hangUp(): void {
    for (const archive of this.#archives.values()) archive.hangUp()
  }

  /** Writes, syncs and finishes what is here, and closes everything. @throws Error when that fails */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    await Promise.all([...this.#archives.values()].map((archive) => archive.close()))
  }

  /** Writes and finishes nothing more, and waits for nothing. */
  abandon(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    for (const archive of this.#archives.values()) archive.abandon()
  }
}
