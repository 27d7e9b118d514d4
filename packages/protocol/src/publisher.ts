import { type Broker, BrokerError, isValidName, type PublishWaiter, type Topic } from '@spillway/core'
import type { CommandLine } from './command-line.js'
import { toByteString } from './frames.js'
import { goQuote } from './go-quote.js'
import type { ReplyQueue } from './reply-queue.js'

export type PublishCommand = 'PUB' | 'MPUB' | 'DPUB'

/** The tags of reply slots. */
const COMMANDS: readonly PublishCommand[] = ['PUB', 'MPUB', 'DPUB']
/** Never part of a command line's argument, and so no topic. */
const NO_TOPIC = Buffer.from(' ')

/** Hands a connection's messages to topics. The token of a publish is the place of its reply. */
export class Publisher {
  /** Messages published on this connection, by topic. */
  readonly counts = new Map<string, number>()
  /** What the line of a publishing command said, until its body is there. */
  topic = ''
  delayMs = 0

  readonly #broker: Broker
  readonly #replies: ReplyQueue
  readonly #waiter: PublishWaiter
  /** The topic that was named last: a producer names the same one again and again. */
  #nameBytes: Uint8Array = NO_TOPIC
  #name = ''

  constructor(broker: Broker, replies: ReplyQueue, waiter: PublishWaiter) {
    this.#broker = broker
    this.#replies = replies
    this.#waiter = waiter
  }

  /**
   * The line's first argument, a topic.
   * @param errorPrefix - the command, as the error names it
   * @throws BrokerError `E_BAD_TOPIC`
   */
  topicArg(errorPrefix: string, line: CommandLine): string {
    if (line.argEquals(0, this.#nameBytes)) return this.#name
    const name = line.arg(0)
    if (!isValidName(name)) {
      throw new BrokerError('E_BAD_TOPIC', `${errorPrefix} topic name ${goQuote(name)} is not valid`)
    }
    this.#nameBytes = Buffer.from(name, 'latin1')
    this.#name = name
    return name
  }

  /** {@link topic}, which comes to be. Asked for each time: a handle of a deleted topic would refuse for ever. @throws BrokerError the command's `E_…_FAILED` */
  openTopic(command: PublishCommand): Topic {
    try {
      return this.#broker.openTopic(this.topic)
    } catch (error) {
      if (error instanceof BrokerError) throw publishError(command, error)
      throw error
    }
  }

  /** Publishes `count` messages, `bytes[start, end)`, to {@link topic}. */
  publish(command: 'PUB' | 'MPUB', bytes: Buffer, start: number, end: number, count: number): void {
    const topic = this.openTopic(command)
    topic.publish(bytes, start, end, count, this.#waiter, this.#reserve(command, count))
  }

  /** Publishes one message, `bytes[start, end)`, to {@link topic}, {@link delayMs} from now. */
  publishDeferred(bytes: Buffer, start: number, end: number): void {
    const topic = this.openTopic('DPUB')
    topic.publishDeferred(bytes, start, end, this.delayMs, this.#waiter, this.#reserve('DPUB', 1))
  }

  /** What to tell the client of the publish with `token`, which failed. */
  failureOf(token: number, error: BrokerError): BrokerError {
    return publishError(COMMANDS[this.#replies.tagOf(token)], error)
  }

  #reserve(command: PublishCommand, count: number): number {
    this.counts.set(this.topic, (this.counts.get(this.topic) ?? 0) + count)
    return this.#replies.reserve(COMMANDS.indexOf(command))
  }
}

/** The failure of a command that publishes, for whatever reason the engine gives. */
export function publishError(command: PublishCommand, cause: BrokerError): BrokerError {
  return new BrokerError(`E_${command}_FAILED`, `${command} failed ${toByteString(cause.detail)}`, { cause })
}
