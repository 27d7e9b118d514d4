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
  /** So many wait here at most while a write is under way. */
  readonly maxInFlight: number
}

/** What printing needs of a consumer. */
export type TailConsumer = Pick<Consumer, 'run' | 'pause' | 'resume'>

/**
 * Prints the messages of one topic: what comes while a write is under way in the next one, and finishes them once their write
 * was taken. A reader who is slow so holds up what comes, by `max-in-flight`: when more would wait, what
 * its node does not wait for any more is let go, and comes again.
 */
export class Tail {
  readonly #consumer: TailConsumer
  readonly #options: TailOptions
  readonly #ended: { resolve(): void; reject(error: Error): void; promise: Promise<void> }
  #waiting: Message[] = []
  #isWriting = false
  #takenCount = 0
  shownCount = 0

  constructor(consumer: TailConsumer, options: TailOptions) {
    this.#consumer = consumer
    this.#options = options
    this.#ended = deferred()
  }

  /** @returns what resolves once `limit` messages were printed @throws FatalError when printing fails, unless nobody reads any more */
  start(): Promise<void> {
    void this.#consumer.run((message) => this.#take(message), { autoSettle: false })
    return this.#ended.promise
  }

  #take(message: Message): void {
    const { limit, maxInFlight } = this.#options
    if (this.#waiting.length >= maxInFlight) this.#forgetOld()
    if (limit > 0 && this.#takenCount >= limit) {
      giveBack(message)
      return
    }
    this.#takenCount++
    if (this.#takenCount === limit) this.#consumer.pause()
    this.#waiting.push(message)
    this.#wake()
  }

  #wake(): void {
    if (this.#isWriting) return
    this.#isWriting = true
    // What else this turn of the event loop brings is written with it.
    setImmediate(() => this.#print())
  }

  #forgetOld(): void {
    const { limit } = this.#options
    const isFull = limit > 0 && this.#takenCount === limit
    this.#waiting = this.#waiting.filter((message) => {
      const isOver = message.forgetIfOver()
      if (isOver) this.#takenCount--
      return !isOver
    })
    if (isFull && this.#takenCount < limit) this.#consumer.resume()
  }

  #print(): void {
    const messages = this.#waiting
    this.#waiting = []
    const { stdout, limit, prefix } = this.#options
    stdout.write(messageLines(messages, prefix), (error) => {
      if (error) {
        for (const message of [...messages, ...this.#waiting]) giveBack(message)
        this.#waiting = []
        this.#failed(error)
        return
      }
      this.#isWriting = false
      for (const message of messages) message.finish()
      this.shownCount += messages.length
      if (this.shownCount === limit) this.#ended.resolve()
      if (this.#waiting.length > 0) this.#wake()
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
