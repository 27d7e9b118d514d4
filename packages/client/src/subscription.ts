import type { Address } from './address.js'
import type { Clock } from './clock.js'
import { Connection, type ConnectionOwner } from './connection.js'
import type { ConsumerSettings } from './consumer-options.js'
import type { NsqError } from './errors.js'
import { Message, type MessageOwner, type RequeueOptions } from './message.js'
import type { ReadyTarget } from './ready-share.js'

/** What is not fatal: one message is not in flight any more. */
const NOT_FATAL = new Set(['E_FIN_FAILED', 'E_REQ_FAILED', 'E_TOUCH_FAILED'])
/** A handler that touches without end while the node reads nothing is not to fill the memory. */
const TOUCHES_PER_TURN_MAX = 10_000

export interface SubscriptionOwner {
  delivered(message: Message): void
  finished(): void
  /** @param isFailure - whether it is to be backed off from */
  requeued(isFailure: boolean): void
  settleFailed(address: string, error: NsqError): void
  /** Once, last. */
  lost(error: NsqError): void
}

/** A connection that is subscribed to the channel: what is in flight on it, and how much may be. */
export class Subscription implements ConnectionOwner, MessageOwner, ReadyTarget {
  readonly connection: Connection
  readonly #settings: ConsumerSettings
  readonly #clock: Clock
  readonly #owner: SubscriptionOwner
  #inFlightCount = 0
  #readyCount = 0
  #touchCount = 0
  #isClosing = false
  #isCloseAnswered = false
  openedMs = 0
  lastMessageMs = 0
  messageTimeoutMs = 0
  messageTimeoutMsMax = 0

  /** Begins to dial. */
  constructor(address: Address, settings: ConsumerSettings, clock: Clock, owner: SubscriptionOwner) {
    this.#settings = settings
    this.#clock = clock
    this.#owner = owner
    this.connection = new Connection(address, settings.connection, this, clock)
  }

  /** Resolves once it is subscribed. @throws NsqError */
  async open(): Promise<void> {
    const { topic, channel } = this.#settings
    await this.connection.open(Buffer.from(`SUB ${topic} ${channel}\n`))
    this.openedMs = this.#clock.nowMs()
    this.lastMessageMs = this.openedMs
    this.messageTimeoutMs = this.connection.info.messageTimeoutMs
    this.messageTimeoutMsMax = this.connection.info.messageTimeoutMsMax
  }

  get address(): string {
    return this.connection.address.text
  }

  get isOpen(): boolean {
    return this.connection.isOpen
  }

  get inFlightCount(): number {
    return this.#inFlightCount
  }

  get readyCountMax(): number {
    return this.connection.info.maxRdyCount
  }

  get readyCount(): number {
    return this.#readyCount
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  setReady(count: number): void {
    this.#readyCount = count
    if (!this.#isClosing && this.isOpen) this.connection.outgoing.text(Buffer.from(`RDY ${count}\n`))
  }

  onMessage(bytes: Buffer, at: number, end: number): void {
    const nowMs = this.connection.lastReadMs
    this.lastMessageMs = nowMs
    this.#inFlightCount++
    this.#owner.delivered(new Message(this, bytes, at, end, nowMs))
  }

  finish(bytes: Buffer, idAt: number): void {
    this.connection.outgoing.fin(bytes, idAt)
    this.#owner.finished()
    this.#settled()
  }

  requeue(id: string, attempts: number, { delayMs, backoff = true }: RequeueOptions): void {
    const { requeueDelayMs, requeueDelayMsMax } = this.#settings
    const wantedMs = delayMs ?? Math.min(requeueDelayMsMax, requeueDelayMs * attempts)
    this.connection.outgoing.text(Buffer.from(`REQ ${id} ${Math.max(0, Math.round(wantedMs))}\n`))
    this.#owner.requeued(backoff)
    this.#settled()
  }

  touch(id: string): boolean {
    if (this.#touchCount === 0) setImmediate(() => this.#forgetTouches())
    if (this.#touchCount >= TOUCHES_PER_TURN_MAX || this.connection.isClogged) return false
    this.#touchCount++
    this.connection.outgoing.text(Buffer.from(`TOUCH ${id}\n`))
    return true
  }

  forget(): void {
    this.#settled()
  }

  #forgetTouches(): void {
    this.#touchCount = 0
  }

  #settled(): void {
    this.#inFlightCount--
    if (this.#isClosing) this.#endWhenDrained()
  }

  onOk(): void {}

  onResponse(text: string): void {
    if (text !== 'CLOSE_WAIT') return
    this.#isCloseAnswered = true
    this.#endWhenDrained()
  }

  onError(error: NsqError): void {
    if (NOT_FATAL.has(error.code)) this.#owner.settleFailed(this.address, error)
    else this.connection.destroy(error)
  }

  onClose(error: NsqError): void {
    this.#inFlightCount = 0
    this.#readyCount = 0
    this.#owner.lost(error)
  }

  /** Says that nothing more is wanted, waits until what is in flight is settled, and closes. Idempotent. Resolves once it is closed. */
  close(): Promise<void> {
    if (!this.isOpen) return this.connection.end()
    if (!this.#isClosing) {
      this.#isClosing = true
      this.connection.outgoing.text(Buffer.from('CLS\n'))
    }
    return this.connection.whenClosed
  }

  #endWhenDrained(): void {
    if (this.#isCloseAnswered && this.#inFlightCount <= 0) void this.connection.end()
  }
}
