import type { MessageBody } from '@spillway/client'
import { FatalError } from '../common/fatal-error.js'

/** Of the client's producer, what is needed here. */
export interface RecordProducer {
  publish(topic: string, body: MessageBody): Promise<void>
}

interface Node {
  readonly address: string
  readonly producer: RecordProducer
  /** Acknowledged; those of one node are in order. */
  publishedCount: number
}

/** Publishes records to every one of several nodes, in order, and counts. After a failure it publishes nothing more. */
export class RecordPublisher {
  readonly #topic: string
  readonly #nodes: readonly Node[]
  #givenCount = 0
  #failure: FatalError | null = null

  constructor(topic: string, producers: ReadonlyMap<string, RecordProducer>) {
    this.#topic = topic
    this.#nodes = [...producers].map(([address, producer]) => ({ address, producer, publishedCount: 0 }))
  }

  /** Records that every node has acknowledged. */
  get publishedCount(): number {
    return Math.min(...this.#nodes.map(({ publishedCount }) => publishedCount))
  }

  /** What has ended it; null: nothing. */
  get failure(): FatalError | null {
    return this.#failure
  }

  /**
   * Resolves once every node has all of them.
   * @throws FatalError which record it was, at which node, why, and how many were published
   */
  async publish(records: readonly Buffer[]): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    const publishes = records.flatMap((record) => {
      const number = ++this.#givenCount
      return this.#nodes.map((node) => this.#publishAt(node, record, number))
    })
    await Promise.all(publishes)
  }

  async #publishAt(node: Node, record: Buffer, number: number): Promise<void> {
    try {
      await node.producer.publish(this.#topic, record)
      node.publishedCount++
    } catch (error) {
      this.#failure ??= new FatalError(`record ${number}: ${(error as Error).message}; ${this.#describeCounts()}`)
      throw this.#failure
    }
  }

  #describeCounts(): string {
    const { publishedCount } = this
    if (this.#nodes.every((node) => node.publishedCount === publishedCount)) return `${publishedCount} were published`
    return this.#nodes.map((node) => `${node.publishedCount} were published to ${node.address}`).join(', ')
  }
}
