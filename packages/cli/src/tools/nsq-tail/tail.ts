import type { Writable } from 'node:stream'
import type { Consumer, Message } from '@spillway/client'
import { FatalError } from '../common/fatal-error.js'
import { messageLines } from '../common/message-lines.js'

export interface TailOptions {
  readonly stdout: Writable
  /** Messages after which it has ended; 0: it never does. */
  readonly limit: number
  /** Before each message. */
  readonly prefix: string
}

/**
 * Prints the messages of one topic: what comes in a turn of the event loop in one write, and finishes them once that write was
 * taken. A reader who is slow so holds up what comes, by `max-in-flight`.
 */
export class Tail {
  readonly consumer: Consumer
  readonly #options: TailOptions
  readonly #ended: { resolve(): void; reject(error: Error): void; promise: Promise<void> }
  #waiting: Message[] = []
  #takenCount = 0
  shownCount = 0

  constructor(consumer: Consumer, options: TailOptions) {
    this.consumer = consumer
    this.#options = options
    this.#ended = deferred()
  }

  /** @returns what resolves once `limit` messages were printed @throws FatalError when printing fails, unless nobody reads any more */
  start(): Promise<void> {
    void this.consumer.run((message) => this.#take(message), { autoSettle: false })
    return this.#ended.promise
  }

  #take(message: Message): void {
    const { limit } = this.#options
    if (limit > 0 && this.#takenCount >= limit) {
      giveBack(message)
      return
    }
    this.#takenCount++
    if (this.#takenCount === limit) this.consumer.pause()
    if (this.#waiting.length === 0) setImmediate(() => this.#print())
    this.#waiting.push(message)
  }

  #print(): void {
    const messages = this.#waiting
    this.#waiting = []
    const { stdout, limit, prefix } = this.#options
    stdout.write(messageLines(messages, prefix), (error) => {
      if (error) {
        for (const message of messages) giveBack(message)
        this.#failed(error)
        return
      }
      for (const message of messages) message.finish()
      this.shownCount += messages.length
      if (this.shownCount === limit) this.#ended.resolve()
    })
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') this.#ended.resolve()
    else this.#ended.reject(new FatalError(`cannot write to standard output: ${error.message}`))
  }
}

/** As if it had not come. */
function giveBack(message: Message): void {
  message.requeue({ delayMs: 0, backoff: false })
}

function deferred() {
  let resolve = (): void => {}
  let reject = (_: Error): void => {}
  const promise = new Promise<void>((settle, fail) => {
    resolve = settle
    reject = fail
  })
  return { promise, resolve, reject }
}
