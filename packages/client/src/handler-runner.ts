import { asError } from './errors.js'
import { Fifo } from './fifo.js'
import type { Message } from './message.js'

/** Does something with a message; it is finished when this returns or resolves, and requeued when it throws or rejects. */
export type MessageHandler = (message: Message) => unknown

/** Where delivered messages go. */
export interface MessageSink {
  take(message: Message): void
  /** Gives back what nobody has begun with, and takes no more. Idempotent. */
  close(): void
}

/** Gives a message back as if it had not come. */
export function giveBack(message: Message): void {
  message.requeue({ delayMs: 0, backoff: false })
}

/**
 * Calls a handler with each message and settles it after that. A handler that returns no promise costs none: its message
 * is finished on the spot.
 */
export class HandlerRunner implements MessageSink {
  readonly #handler: MessageHandler
  readonly #concurrency: () => number
  readonly #failed: (message: Message, error: Error) => void
  /** Those for whom there is no handler free. What is over is forgotten, so there are no more than a node has in flight. */
  readonly #waiting = new Fifo<Message>()
  #runningCount = 0
  #isClosed = false

  /** @param concurrency - how many may run at once now */
  constructor(handler: MessageHandler, concurrency: () => number, failed: (message: Message, error: Error) => void) {
    this.#handler = handler
    this.#concurrency = concurrency
    this.#failed = failed
  }

  take(message: Message): void {
    if (this.#isClosed) giveBack(message)
    else if (this.#runningCount === 0 || this.#runningCount < this.#concurrency()) this.#start(message)
    else {
      while (this.#waiting.peek()?.forgetIfOver() === true) this.#waiting.shift()
      this.#waiting.push(message)
    }
  }

  #start(message: Message): void {
    let result: unknown
    try {
      const handler = this.#handler
      result = handler(message)
    } catch (error) {
      this.#fail(message, error)
      return
    }
    if (isThenable(result)) {
      this.#runningCount++
      void this.#settle(message, result)
    } else message.finish()
  }

  /** Never rejects. */
  async #settle(message: Message, result: PromiseLike<unknown>): Promise<void> {
    try {
      await result
      message.finish()
    } catch (error) {
      this.#fail(message, error)
    }
    this.#runningCount--
    while (this.#waiting.length > 0 && this.#runningCount < this.#concurrency()) this.#startNext()
  }

  #startNext(): void {
    const message = this.#waiting.shift() as Message
    if (!message.forgetIfOver()) this.#start(message)
  }

  #fail(message: Message, error: unknown): void {
    message.requeue()
    this.#failed(message, asError(error))
  }

  close(): void {
    this.#isClosed = true
    for (const message of this.#waiting.drain()) giveBack(message)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
