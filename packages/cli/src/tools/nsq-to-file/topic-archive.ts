import type { Consumer } from '@spillway/client'
import type { Logger } from '@spillway/core'
import { firstConnections, makeConsumer } from '../common/consume.js'
import type { ToolClock } from '../common/surroundings.js'
import { FileName } from './file-name.js'
import { FileSeries } from './file-series.js'
import type { ToFileSettings } from './settings.js'
import { TopicWriter } from './topic-writer.js'

/** One topic: its consumer, and its files. */
export class TopicArchive {
  readonly topic: string
  readonly #consumer: Consumer
  readonly #writer: TopicWriter
  readonly #addresses: readonly string[]

  /**
   * @param failed - called when something cannot be written: nothing of that topic is written, or finished, any more
   * @throws FatalError when the topic's name or an option cannot be used
   */
  constructor(
    topic: string,
    settings: ToFileSettings,
    surroundings: { clock: ToolClock; logger: Logger; failed: (error: Error) => void },
  ) {
    const { clock, logger } = surroundings
    this.topic = topic
    const name = new FileName(topic, settings.fileName)
    this.#consumer = makeConsumer({ ...settings.consumer, topic }, logger)
    this.#addresses = settings.consumer.addresses ?? []
    const files = new FileSeries({ ...settings, name, clock, logger })
    this.#writer = new TopicWriter({
      ...settings,
      files,
      isStarved: () => this.#consumer.isStarved,
      clock,
      logger,
      failed: (error) => surroundings.failed(new Error(`[${topic}/${settings.consumer.channel}] ${error.message}`)),
    })
  }

  /** Messages that are on the disk. */
  get syncedCount(): number {
    return this.#writer.syncedCount
  }

  /** Resolves once it is subscribed at each address that was given. @throws FatalError when one cannot be had */
  start(): Promise<void> {
    const connected = firstConnections(this.#consumer, this.#addresses)
    void this.#consumer.run((message) => this.#writer.take(message), { autoSettle: false })
    this.#writer.start()
    return connected
  }

  hangUp(): void {
    this.#writer.hangUp()
  }

  /** Writes, syncs and finishes what is here, and closes everything. @throws Error when that fails */
  async close(): Promise<void> {
    const closed = this.#consumer.close()
    this.#writer.end()
    await closed
    await this.#writer.close()
  }

  /** Writes and finishes nothing more: what is in flight comes again. */
  abandon(): void {
    this.#writer.abandon()
    void this.#consumer.close()
  }
}
