import { NsqError } from './errors.js'

/** Nodes have limits of their own, far below. */
const DELAY_MS_MAX = 2 ** 31 - 1

/** Where what a message holds lies, from where its data begins: timestamp, attempts, id, body. */
const ATTEMPTS_AT = 8
const ID_AT = 10
const BODY_AT = 26

/** How a message is to come again. */
export interface RequeueOptions {
  /** When; 0: at once. Default: `requeueDelayMs` times its attempts, at most `requeueDelayMsMax`. */
  readonly delayMs?: number
  /** Whether that counts as a failure that the consumer backs off from. Default true. */
  readonly backoff?: boolean
}

/** Whom a message came from, for what is done with it. */
export interface MessageOwner {
  /** Of the node. */
  readonly address: string
  /** Messages of a connection that is closed are nobody's. */
  readonly isOpen: boolean
  readonly messageTimeoutMs: number
  readonly messageTimeoutMsMax: number
  nowMs(): number
  finish(bytes: Buffer, idAt: number): void
  requeue(id: string, attempts: number, options: RequeueOptions): void
  /** Whether it was sent. */
  touch(id: string): boolean
  /** It is not in flight any more, and nothing was sent. */
  forget(): void
}

/**
 * A message that has been delivered.
 *
 * It lies in the buffer that it was read into, which is never written again: body and message may be kept for as long as
 * you like. A body that is kept keeps its neighbours' memory too, up to 64 kB: copy a small one that stays for long
 * (`Buffer.from(message.body)`).
 */
export class Message {
  readonly #owner: MessageOwner
  readonly #bytes: Buffer
  readonly #at: number
  readonly #end: number
  readonly #deliveredMs: number
  #touchedMs: number
  #isSettled = false
  #body: Buffer | null = null

  /** @internal */
  constructor(owner: MessageOwner, bytes: Buffer, at: number, end: number, deliveredMs: number) {
    this.#owner = owner
    this.#bytes = bytes
    this.#at = at
    this.#end = end
    this.#deliveredMs = deliveredMs
    this.#touchedMs = deliveredMs
  }

  /** The bytes that were published; not copied. */
  get body(): Buffer {
    this.#body ??= this.#bytes.subarray(this.#at + BODY_AT, this.#end)
    return this.#body
  }

  get bodySizeBytes(): number {
    return this.#end - this.#at - BODY_AT
  }

  /** Copies the body to `target[at]` and on, where there must be room for it. @returns where it ends there */
  copyBody(target: Uint8Array, at: number): number {
    return at + this.#bytes.copy(target, at, this.#at + BODY_AT, this.#end)
  }

  /** The body as UTF-8. */
  text(): string {
    return this.#bytes.toString('utf8', this.#at + BODY_AT, this.#end)
  }

  /** The body as JSON. @throws SyntaxError; in a handler that makes the message come again, up to `maxAttempts` */
  json<T = unknown>(): T {
    return JSON.parse(this.text()) as T
  }

  /** 16 characters; of one message on one node, the same with each attempt. */
  get id(): string {
    return this.#bytes.toString('latin1', this.#at + ID_AT, this.#at + BODY_AT)
  }

  /** How often it has been delivered on this channel: 1 for the first time. */
  get attempts(): number {
    return (this.#bytes[this.#at + ATTEMPTS_AT] << 8) | this.#bytes[this.#at + ATTEMPTS_AT + 1]
  }

  /** When it was published: nanoseconds since 1970 UTC, by the node's clock. */
  get timestampNs(): bigint {
    return this.#bytes.readBigInt64BE(this.#at)
  }

  /** Of the node that it came from. */
  get address(): string {
    return this.#owner.address
  }

  /** Neither finished nor requeued, the connection is open, and the node still waits for it as far as we know. */
  get isInFlight(): boolean {
    return !this.#isSettled && this.#owner.isOpen && this.timeLeftMs > 0
  }

  /** Until the node gives it to somebody, unless it is settled or touched before. 0 when that is over. */
  get timeLeftMs(): number {
    const { messageTimeoutMs, messageTimeoutMsMax } = this.#owner
    const touchedUntilMs = this.#touchedMs + messageTimeoutMs
    const atMostMs = this.#deliveredMs + Math.max(messageTimeoutMs, messageTimeoutMsMax)
    return Math.max(0, Math.min(touchedUntilMs, atMostMs) - this.#owner.nowMs())
  }

  /** Has been finished or requeued by us. */
  get isSettled(): boolean {
    return this.#isSettled
  }

  /**
   * It is done, and never comes again. The node does not answer; if the message has timed out there meanwhile, the
   * consumer emits `settleFailed`.
   * @returns whether that was sent: false when it is settled already or its connection is gone; then it comes again
   */
  finish(): boolean {
    if (!this.#settle()) return false
    this.#owner.finish(this.#bytes, this.#at + ID_AT)
    return true
  }

  /** It shall come again. @returns as {@link finish} @throws NsqError `E_INVALID_OPTION` */
  requeue(options: RequeueOptions = {}): boolean {
    const { delayMs = 0 } = options
    if (!(delayMs >= 0 && delayMs <= DELAY_MS_MAX)) {
      throw new NsqError('E_INVALID_OPTION', `delayMs must be a number from 0 to ${DELAY_MS_MAX}, not ${delayMs}`)
    }
    if (!this.#settle()) return false
    this.#owner.requeue(this.id, this.attempts, options)
    return true
  }

  /** The node waits for it another `messageTimeoutMs` from now. @returns whether that was sent */
  touch(): boolean {
    if (this.#isSettled || !this.#owner.isOpen || !this.#owner.touch(this.id)) return false
    this.#touchedMs = this.#owner.nowMs()
    return true
  }

  /**
   * For what waits here and nobody has begun with: when its time is over, or its connection, it comes again, and is done with here.
   * @returns whether that is so
   */
  forgetIfOver(): boolean {
    if (this.isInFlight) return false
    if (this.#settle()) this.#owner.forget()
    return true
  }

  #settle(): boolean {
    if (this.#isSettled || !this.#owner.isOpen) return false
    this.#isSettled = true
    return true
  }
}
