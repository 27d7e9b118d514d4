import { asError } from './errors.js'
import { giveBack, type MessageHandler, type MessageSink } from './handler-runner.js'
import type { Message } from './message.js'

/** Calls a handler with each message, and leaves settling it to whoever has it then. */
export class HandlerCaller implements MessageSink {
  readonly #handler: MessageHandler
  readonly #failed: (message: Message, error: Error) => void
  #isClosed = false

  constructor(handler: MessageHandler, failed: (message: Message, error: Error) => void) {
    this.#handler = handler
    this.#failed = failed
  }

  take(message: Message): void {
    if (this.#isClosed) {
      giveBack(message)
      return
    }
    try {
      const handler = this.#handler
      handler(message)
    } catch (error) {
      message.requeue()
      this.#failed(message, asError(error))
    }
  }

  close(): void {
    this.#isClosed = true
  }
}
