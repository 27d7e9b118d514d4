import type { ChannelLedger } from './channel-ledger.js'
import type { Client, Life } from './life.js'
import { readBody } from './message-body.js'
import { V2Connection, type V2Receiver } from './v2-connection.js'

/** What a consumer does with what it gets. Shares are of 1; what is left is finished. */
export interface ConsumerPlan {
  readonly readyCount: number
  /** Finishes this long after the delivery; 0 is with the read that brought it. */
  readonly finishAfterMs?: number
  readonly requeuedNow?: number
  readonly requeuedLater?: number
  readonly requeueDelayMsMax?: number
  /** Kept until the broker dies. At most half of the ready count is kept. */
  readonly held?: number
}

/** Subscribes, lets the channel's ledger judge what comes, and finishes, requeues or keeps it. */
export class Consumer implements Client, V2Receiver {
  readonly closed: Promise<void>
  readonly #life: Life
  readonly #ledger: ChannelLedger
  readonly #plan: ConsumerPlan
  readonly #connection: V2Connection
  #commands = ''
  #heldCount = 0
  #isGone = false
  #mayEnd = false

  private constructor(life: Life, ledger: ChannelLedger, plan: ConsumerPlan, connection: V2Connection) {
    this.#life = life
    this.#ledger = ledger
    this.#plan = plan
    this.#connection = connection
    this.closed = connection.closed.then(() => this.#lost())
    connection.receive(this)
  }

  /** Returns when it is subscribed and has set its ready count; null when the broker is gone. */
  static async start(life: Life, ledger: ChannelLedger, plan: ConsumerPlan): Promise<Consumer | null> {
    try {
      const connection = await V2Connection.open(life.tcpPort, { client_id: 'consumer', output_buffer_timeout: 25 })
      const answer = await connection.ask(`SUB ${ledger.topic.name} ${ledger.name}\n`)
      if (answer !== 'OK') throw new Error(`SUB: ${answer}`)
      const consumer = new Consumer(life, ledger, plan, connection)
      life.add(consumer)
      ledger.readyCountSet(life, plan.readyCount)
      connection.write(`RDY ${plan.readyCount}\n`)
      return consumer
    } catch (error) {
      if (life.isOver) return null
      throw error
    }
  }

  /** The channel or topic is about to be deleted or emptied: the broker may end the connection or refuse a FIN. */
  mayEnd(): void {
    this.#mayEnd = true
  }

  beBusy(): void {}

  brokerDies(): void {
    this.#isGone = true
    this.#connection.destroy()
  }

  message(id: string, attempts: number, body: Buffer): void {
    const head = readBody(body)
    const { topic } = this.#ledger
    const where = `${topic.name}/${this.#ledger.name}`
    if (head === null) {
      this.#life.violations.add('a damaged body', `${where}: ${body.toString('hex', 0, 16)}… (${body.length} bytes)`)
      return
    }
    if (head.tag !== topic.tag) {
      const detail = `${where}: tag ${head.tag} instead of ${topic.tag}, message ${head.serial}`
      this.#life.violations.add('a message of a topic that was deleted', detail)
      return
    }
    this.#ledger.deliver(head.serial, attempts, this.#life, Date.now())
    this.#settle(id, head.serial, attempts)
  }

  readDone(): void {
    if (this.#commands === '' || this.#isGone) return
    this.#connection.write(this.#commands)
    this.#commands = ''
  }

  response(text: string): void {
    this.#life.violations.add('a strange answer', `consumer of ${this.#ledger.name}: ${text}`)
  }

  error(text: string): void {
    if (!this.#mayEnd) this.#life.violations.add('a settlement was refused', `${this.#ledger.name}: ${text}`)
  }

  #settle(id: string, serial: number, attempts: number): void {
    const { finishAfterMs = 0, requeuedNow = 0, requeuedLater = 0, requeueDelayMsMax = 1, held = 0 } = this.#plan
    const { random, isDraining } = this.#life
    const drawn = isDraining ? 1 : random.next()
    if (drawn < held && this.#heldCount < this.#plan.readyCount / 2) {
      this.#heldCount++
    } else if (drawn >= held && drawn < held + requeuedNow + requeuedLater && attempts < 5) {
      const delayMs = drawn < held + requeuedNow ? 0 : random.between(1, requeueDelayMsMax)
      this.#ledger.requeue(serial, delayMs, Date.now())
      this.#commands += `REQ ${id} ${delayMs}\n`
    } else if (finishAfterMs > 0 && !isDraining) {
      setTimeout(() => this.#finishLate(id, serial), finishAfterMs)
    } else {
      this.#finish(id, serial)
    }
  }

  #finish(id: string, serial: number): void {
    this.#ledger.finish(serial, this.#life)
    this.#commands += `FIN ${id}\n`
  }

  #finishLate(id: string, serial: number): void {
    if (this.#isGone) return
    this.#finish(id, serial)
    this.readDone()
  }

  #lost(): void {
    const isExpected = this.#isGone || this.#mayEnd
    this.#isGone = true
    if (!isExpected) this.#life.violations.add('a consumer lost its connection', this.#ledger.name)
  }
}
