import type { Client, Life } from './life.js'
import { bodySizeBytesOf, writeBody } from './message-body.js'
import type { TopicLedger } from './topic-ledger.js'
import { V2Connection, type V2Receiver } from './v2-connection.js'

/** PUB, MPUB or DPUB, how fast, and how many of them may wait for their answers. */
export interface ProducerPlan {
  readonly messagesPerSecond: number
  /** Messages in one command; more than 1 is MPUB. */
  readonly messagesPerCommand: number
  /** Commands under way at most: the rest waits, so that a slow broker is not buried. */
  readonly commandsMax: number
  /** With it, every message is a DPUB with a delay up to this. */
  readonly delayMsMax?: number
}

const TICK_MS = 4

interface Sent {
  readonly first: number
  readonly count: number
}

/** Publishes at a steady rate without waiting for answers, and tells the ledger which serials were answered with OK. */
export class Producer implements Client, V2Receiver {
  readonly closed: Promise<void>
  readonly #life: Life
  readonly #ledger: TopicLedger
  readonly #plan: ProducerPlan
  readonly #connection: V2Connection
  readonly #line: string
  readonly #timer: NodeJS.Timeout
  readonly #startedAtMs = performance.now()
  readonly #unanswered: Sent[] = []
  #sentCount = 0
  #isStopping = false
  #settled: (() => void) | null = null

  private constructor(life: Life, ledger: TopicLedger, plan: ProducerPlan, connection: V2Connection) {
    this.#life = life
    this.#ledger = ledger
    this.#plan = plan
    this.#connection = connection
    this.#line = `${plan.messagesPerCommand > 1 ? 'MPUB' : 'PUB'} ${ledger.name}\n`
    this.closed = connection.closed.then(() => this.#lost())
    connection.receive(this)
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  /** Returns at once with a producer that is at work; null when the broker is gone already. */
  static async start(life: Life, ledger: TopicLedger, plan: ProducerPlan): Promise<Producer | null> {
    try {
      const connection = await V2Connection.open(life.tcpPort, { client_id: 'producer' })
      const producer = new Producer(life, ledger, plan, connection)
      life.add(producer)
      return producer
    } catch (error) {
      if (life.isOver) return null
      throw error
    }
  }

  /** Sends nothing more; resolves when everything was answered, or when that cannot be any more. */
  async settle(): Promise<void> {
    this.#isStopping = true
    clearInterval(this.#timer)
    if (this.#unanswered.length === 0) return
    const settled = new Promise<void>((resolve) => {
      this.#settled = resolve
    })
    await Promise.race([settled, this.closed])
  }

  /** Settles, then closes the connection. */
  async stop(): Promise<void> {
    await this.settle()
    if (!this.#life.isOver) this.#connection.destroy()
  }

  beBusy(): void {
    if (this.#isStopping) return
    const commands: Buffer[] = []
    while (this.#unanswered.length < this.#plan.commandsMax) commands.push(this.#command())
    this.#connection.write(Buffer.concat(commands))
  }

  /** What was answered before the broker died is still read: it counts. */
  brokerDies(): void {
    this.#isStopping = true
    clearInterval(this.#timer)
  }

  response(text: string): void {
    const sent = this.#unanswered.shift()
    if (text !== 'OK' || sent === undefined) {
      this.#life.violations.add('a strange answer', `${this.#line.trim()}: ${text}`)
      return
    }
    this.#ledger.acknowledge(sent.first, sent.count)
    if (this.#unanswered.length === 0) this.#settled?.()
  }

  error(text: string): void {
    this.#life.violations.add('a publish was refused', `${this.#line.trim()}: ${text}`)
  }

  message(): void {
    throw new Error('a producer got a message')
  }

  readDone(): void {}

  #lost(): void {
    clearInterval(this.#timer)
    if (!this.#isStopping) this.#life.violations.add('a producer lost its connection', this.#line.trim())
  }

  #tick(): void {
    const { messagesPerSecond, messagesPerCommand, commandsMax } = this.#plan
    const dueCount = ((performance.now() - this.#startedAtMs) / 1000) * messagesPerSecond
    const commands: Buffer[] = []
    while (this.#sentCount + messagesPerCommand <= dueCount && this.#unanswered.length < commandsMax) {
      commands.push(this.#command())
      this.#sentCount += messagesPerCommand
    }
    // What could not be sent in time is not made up for: the rate is an upper limit.
    if (this.#unanswered.length >= commandsMax) this.#sentCount = Math.max(this.#sentCount, Math.floor(dueCount))
    if (commands.length > 0) this.#connection.write(Buffer.concat(commands))
  }

  #command(): Buffer {
    const { messagesPerCommand: count, delayMsMax } = this.#plan
    const { name, tag } = this.#ledger
    if (delayMsMax !== undefined) {
      const delayMs = this.#life.random.between(1, delayMsMax)
      const first = this.#remember(1, Date.now() + delayMs)
      return encode(`DPUB ${name} ${delayMs}\n`, tag, first, 1)
    }
    return encode(this.#line, tag, this.#remember(count, 0), count)
  }

  #remember(count: number, dueAtMs: number): number {
    const first = this.#ledger.send(count, dueAtMs)
    this.#unanswered.push({ first, count })
    return first
  }
}

/** PUB and DPUB carry a size and a body; MPUB a size, a count, and that for each of its messages. */
function encode(line: string, tag: number, first: number, count: number): Buffer {
  let messagesSizeBytes = 0
  for (let serial = first; serial < first + count; serial++) messagesSizeBytes += 4 + bodySizeBytesOf(tag, serial)
  const isMultiple = count > 1
  const command = Buffer.alloc(line.length + (isMultiple ? 8 : 0) + messagesSizeBytes)
  let at = command.write(line, 'latin1')
  if (isMultiple) {
    at = command.writeInt32BE(4 + messagesSizeBytes, at)
    at = command.writeInt32BE(count, at)
  }
  for (let serial = first; serial < first + count; serial++) {
    at = command.writeInt32BE(bodySizeBytesOf(tag, serial), at)
    at = writeBody(command, at, tag, serial)
  }
  return command
}
