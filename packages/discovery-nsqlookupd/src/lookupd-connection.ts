import { connect, type LookupFunction, type Socket } from 'node:net'
import type { Clock, TimerHandle } from '@spillway/core'
import { AnswerReader } from './answer-reader.js'

const MAGIC = '  V1'

export interface LookupdConnectionOptions {
  readonly host: string
  readonly port: number
  readonly connectTimeoutMs: number
  /** How long each answer may take, since the one before it or since there was anything to answer. */
  readonly answerTimeoutMs: number
  readonly clock: Clock
  readonly lookup: LookupFunction
  connected(): void
  answered(text: string): void
  /** Once, whatever happened: the connection is of no use any more. Not after {@link LookupdConnection.close}. */
  lost(reason: string): void
}

/**
 * One connection to an nsqlookupd, which answers every command in order. It ends with the first thing that is wrong:
 * silence, an answer that nobody asked for, a length that cannot be.
 */
export class LookupdConnection {
  readonly #options: LookupdConnectionOptions
  readonly #socket: Socket
  readonly #closed: Promise<void>
  readonly #reader = new AnswerReader()
  #timer: TimerHandle
  #unansweredCount = 0
  #hasEnded = false

  constructor(options: LookupdConnectionOptions) {
    this.#options = options
    const { host, port, connectTimeoutMs, clock, lookup } = options
    // Without a host it is this machine.
    this.#socket = connect({ host: host === '' ? '127.0.0.1' : host, port, lookup, noDelay: true })
    this.#closed = new Promise((resolve) => this.#socket.once('close', () => resolve()))
    this.#timer = clock.setTimer(connectTimeoutMs, () => this.fail(`no connection within ${connectTimeoutMs} ms`))
    this.#socket
      .once('connect', () => this.#connected())
      .on('data', (bytes: Buffer) => this.#received(bytes))
      .on('error', (error) => this.fail(reasonOf(error)))
      .once('close', () => this.fail('it closed the connection'))
  }

  get unansweredCount(): number {
    return this.#unansweredCount
  }

  /** Sends commands, which will get `count` answers. Nothing once the connection has ended. */
  send(commands: string | Buffer, count: number): void {
    if (this.#hasEnded || count === 0) return
    this.#socket.write(commands)
    if (this.#unansweredCount === 0) this.#expectAnswer()
    this.#unansweredCount += count
  }

  /** Ends it because of what is wrong. */
  fail(reason: string): void {
    if (this.#hasEnded) return
    this.#end()
    this.#options.lost(reason)
  }

  /** Resolves when nothing of it is left. Idempotent. */
  close(): Promise<void> {
    if (!this.#hasEnded) this.#end()
    return this.#closed
  }

  #end(): void {
    this.#hasEnded = true
    this.#timer.cancel()
    this.#socket.destroy()
  }

  #connected(): void {
    this.#timer.cancel()
    if (this.#hasEnded) return
    this.#socket.write(MAGIC)
    this.#options.connected()
  }

  #expectAnswer(): void {
    const { answerTimeoutMs, clock } = this.#options
    this.#timer.cancel()
    this.#timer = clock.setTimer(answerTimeoutMs, () => this.fail(`no answer within ${answerTimeoutMs} ms`))
  }

  #received(bytes: Buffer): void {
    let answers: string[]
    try {
      answers = this.#reader.read(bytes)
    } catch (error) {
      this.fail((error as Error).message)
      return
    }
    for (const answer of answers) {
      if (this.#hasEnded) return
      if (this.#unansweredCount === 0) {
        this.fail('it answered what it was not asked')
        return
      }
      this.#unansweredCount--
      this.#timer.cancel()
      if (this.#unansweredCount > 0) this.#expectAnswer()
      this.#options.answered(answer)
    }
  }
}

/** Where every address of a host failed, the first one's error says it. */
function reasonOf(error: Error): string {
  const first = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : undefined
  return (first ?? error).message
}
