import {
  type Client,
  type MessageSink,
  SettleResult,
  type SubscribeOptions,
  type Subscription,
} from '../contracts/broker.js'
import type { Channel } from './channel.js'
import { InFlightRuns } from './in-flight-runs.js'

/** One client's subscription to a channel: its credit, and what it holds. The channel does the work. */
export class Consumer implements Subscription {
  readonly msgTimeoutMs: number
  readonly sampleRate: number
  readonly sink: MessageSink
  readonly client: Client
  readonly runs = new InFlightRuns()
  /** Index in the channel's owners; stays taken until nothing is in flight any more. */
  slot = -1
  ready = 0
  inFlight = 0
  messageCount = 0
  finishCount = 0
  requeueCount = 0
  closed = false
  /** Neighbours in the channel's ring of those that can take more; null when not in it. */
  ringNext: Consumer | null = null
  ringPrevious: Consumer | null = null
  readonly #channel: Channel

  constructor(channel: Channel, options: SubscribeOptions) {
    this.#channel = channel
    this.msgTimeoutMs = options.msgTimeoutMs
    this.sampleRate = options.sampleRate
    this.sink = options.sink
    this.client = options.client
  }

  get topic(): string {
    return this.#channel.topicName
  }

  get channel(): string {
    return this.#channel.name
  }

  /** How many more messages it may be given now. */
  get credit(): number {
    return this.closed ? 0 : this.ready - this.inFlight
  }

  setReady(count: number): void {
    if (this.closed) return
    this.ready = count
    this.#channel.creditChanged(this)
  }

  finish(id: Uint8Array, at: number): SettleResult {
    return this.closed ? SettleResult.notInFlight : this.#channel.finish(this, id, at)
  }

  requeue(id: Uint8Array, at: number, delayMs: number): SettleResult {
    return this.closed ? SettleResult.notInFlight : this.#channel.requeue(this, id, at, delayMs)
  }

  touch(id: Uint8Array, at: number): SettleResult {
    return this.closed ? SettleResult.notInFlight : this.#channel.touch(this, id, at)
  }

  resume(): void {
    this.#channel.creditChanged(this)
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.ready = 0
    this.#channel.removeConsumer(this)
  }
}
