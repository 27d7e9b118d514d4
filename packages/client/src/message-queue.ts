import { Fifo } from './fifo.js'
import { giveBack, type MessageSink } from './handler-runner.js'
import type { Message } from './message.js'

const DONE: IteratorResult<Message, undefined> = { value: undefined, done: true }

/** Messages for `for await`: given out one by one, when they are asked for. */
export class MessageQueue implements MessageSink, AsyncIterator<Message, undefined> {
  readonly #left: () => void
  /** What is over is forgotten, so there are no more than a node has in flight. */
  readonly #messages = new Fifo<Message>()
  readonly #asking = new Fifo<(result: IteratorResult<Message, undefined>) => void>()
  #isClosed = false

  /** @param left - called when the loop is left */
  constructor(left: () => void) {
    this.#left = left
  }

  take(message: Message): void {
    if (this.#isClosed) {
      giveBack(message)
      return
    }
    const asking = this.#asking.shift()
    if (asking === undefined) {
      while (this.#messages.peek()?.forgetIfOver() === true) this.#messages.shift()
      this.#messages.push(message)
    } else asking({ value: message, done: false })
  }

  next(): Promise<IteratorResult<Message, undefined>> {
    for (;;) {
      const message = this.#messages.shift()
      if (message === undefined) break
      if (!message.forgetIfOver()) return Promise.resolve({ value: message, done: false })
    }
    if (this.#isClosed) return Promise.resolve(DONE)
    return new Promise((resolve) => this.#asking.push(resolve))
  }

  return(): Promise<IteratorResult<Message, undefined>> {
    this.#left()
    return Promise.resolve(DONE)
  }

  close(): void {
    this.#isClosed = true
    for (const message of this.#messages.drain()) giveBack(message)
    for (const asking of this.#asking.drain()) asking(DONE)
  }
}
