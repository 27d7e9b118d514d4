import type { Address } from './address.js'
import type { Surroundings, TimerHandle } from './clock.js'
import type { ConsumerSettings } from './consumer-options.js'
import { NsqError } from './errors.js'
import type { Message } from './message.js'
import { ReconnectDelay } from './reconnect-delay.js'
import { Subscription } from './subscription.js'

export interface ConsumerNodeOwner {
  connected(subscription: Subscription): void
  delivered(message: Message): void
  finished(): void
  requeued(isFailure: boolean): void
  settleFailed(address: string, error: NsqError): void
  /** It was connected, and is not any more. */
  disconnected(subscription: Subscription, error: NsqError): void
  connectFailed(address: string, error: NsqError, retryInMs: number): void
}

/** One node that the consumer wants to be connected to: connects, and connects again. */
export class ConsumerNode {
  readonly address: Address
  readonly #settings: ConsumerSettings
  readonly #surroundings: Surroundings
  readonly #owner: ConsumerNodeOwner
  readonly #delay: ReconnectDelay
  #subscription: Subscription | null = null
  #isConnected = false
  #timer: TimerHandle | null = null
  #isClosed = false

  constructor(address: Address, settings: ConsumerSettings, surroundings: Surroundings, owner: ConsumerNodeOwner) {
    this.address = address
    this.#settings = settings
    this.#surroundings = surroundings
    this.#owner = owner
    const { reconnectDelayMs, reconnectDelayMsMax } = settings.connection
    this.#delay = new ReconnectDelay(reconnectDelayMs, reconnectDelayMsMax, surroundings.random)
  }

  /** Null while it is not connected. */
  get subscription(): Subscription | null {
    return this.#isConnected ? this.#subscription : null
  }

  connect(): void {
    if (this.#isClosed || this.#subscription !== null) return
    const owner = this.#owner
    const subscription = new Subscription(this.address, this.#settings, this.#surroundings.clock, {
      delivered: (message) => owner.delivered(message),
      finished: () => owner.finished(),
      requeued: (isFailure) => owner.requeued(isFailure),
      settleFailed: (address, error) => owner.settleFailed(address, error),
      lost: (error) => this.#lost(subscription, error),
    })
    this.#subscription = subscription
    subscription.open().then(
      () => this.#connected(subscription),
      (error: NsqError) => this.#failed(error),
    )
  }

  #connected(subscription: Subscription): void {
    if (!subscription.isOpen) return
    this.#isConnected = true
    this.#owner.connected(subscription)
  }

  #failed(error: NsqError): void {
    this.#subscription = null
    if (this.#isClosed) return
    const retryInMs = this.#delay.nextMs()
    this.#connectIn(retryInMs)
    this.#owner.connectFailed(this.address.text, error, retryInMs)
  }

  #lost(subscription: Subscription, error: NsqError): void {
    this.#subscription = null
    const wasConnected = this.#isConnected
    this.#isConnected = false
    this.#delay.wasOpenFor(this.#surroundings.clock.nowMs() - subscription.openedMs)
    if (!this.#isClosed) this.#connectIn(this.#delay.nextMs())
    if (wasConnected) this.#owner.disconnected(subscription, error)
  }

  #connectIn(delayMs: number): void {
    this.#timer = this.#surroundings.clock.setTimer(delayMs, () => {
      this.#timer = null
      this.connect()
    })
  }

  /** Lets what is in flight settle, then closes, and does not connect again. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#subscription?.close()
  }

  /** Closes at once. */
  destroy(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#subscription?.connection.destroy(new NsqError('E_CLOSED', 'the consumer is closed'))
  }
}
