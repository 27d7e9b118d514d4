import type { Consumer } from './consumer.js'

/** The consumers of a channel that can take a message now, in turn. Those that cannot are not in it and cost nothing. */
export class ConsumerRing {
  /** The one whose turn is next. */
  #next: Consumer | null = null
  #size = 0

  get size(): number {
    return this.#size
  }

  add(consumer: Consumer): void {
    if (consumer.ringNext !== null) return
    this.#size++
    const next = this.#next
    if (next === null) {
      consumer.ringNext = consumer
      consumer.ringPrevious = consumer
      this.#next = consumer
      return
    }
    const previous = next.ringPrevious as Consumer
    previous.ringNext = consumer
    consumer.ringPrevious = previous
    consumer.ringNext = next
    next.ringPrevious = consumer
  }

  remove(consumer: Consumer): void {
    const next = consumer.ringNext
    if (next === null) return
    this.#size--
    const previous = consumer.ringPrevious as Consumer
    previous.ringNext = next
    next.ringPrevious = previous
    consumer.ringNext = null
    consumer.ringPrevious = null
    if (this.#next === consumer) this.#next = next === consumer ? null : next
  }

  /** Whose turn it is; the turn passes on. Null when nobody can take anything. */
  take(): Consumer | null {
    const consumer = this.#next
    if (consumer !== null) this.#next = consumer.ringNext
    return consumer
  }
}
