import type { Message, MessageBody } from '@spillway/client'
import type { Destinations } from '../destinations/destinations.js'
import type { JsonFilter } from './json-filter.js'

/** Of the client's producer, what is needed here. */
export interface RelayProducer {
  publish(topic: string, body: MessageBody): Promise<void>
}

export interface RelayOptions {
  readonly filter: JsonFilter
  readonly destinations: Destinations
  /** In the order of the destinations. */
  readonly producers: readonly RelayProducer[]
  /** Gets why a message does not go on. */
  dropped(reason: string): void
}

/** Publishes messages elsewhere, and counts. */
export class Relay {
  readonly #options: RelayOptions
  #publishedCount = 0

  constructor(options: RelayOptions) {
    this.#options = options
  }

  /** Messages that a destination has acknowledged. */
  get publishedCount(): number {
    return this.#publishedCount
  }

  /**
   * Does with a message what the rules say. It may be finished when this returns nothing or resolves: then a destination has
   * acknowledged it, or it is dropped.
   * @throws Error when it is to come again
   */
  pass(message: Pick<Message, 'body' | 'id'>, topic: string): Promise<void> | undefined {
    const { filter, destinations, producers, dropped } = this.#options
    const verdict = filter.judge(message.body)
    if (verdict.kind === 'pass') {
      const { body } = verdict
      return this.#counted(destinations.send((index) => producers[index].publish(topic, body)))
    }
    if (verdict.kind === 'refuse') throw new Error(verdict.reason)
    dropped(`message ${message.id} is dropped: ${verdict.reason}`)
    return undefined
  }

  async #counted(sent: Promise<void>): Promise<void> {
    await sent
    this.#publishedCount++
  }
}
