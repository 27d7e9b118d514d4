import assert from 'node:assert/strict'
import type { BrokerOptions, ClientStats, MessageSink, PublishWaiter, Storage, Subscription } from '../../src/index.js'
import { type BrokerError, type Engine, SettleResult } from '../../src/index.js'
import { FakeClock, SimulatedStorage, seededRandom, TestLogger, testEngine } from '../../src/testing/index.js'

/** One message as a consumer got it. */
export interface Delivery {
  readonly id: string
  readonly attempts: number
  readonly body: string
  readonly timestampNs: bigint
}

const NO_CLIENT = { stats: (): ClientStats => assert.fail('no client statistics in this test') }

/** A consumer that remembers what it gets. */
export class TestConsumer implements MessageSink {
  readonly deliveries: Delivery[] = []
  subscription!: Subscription
  writableBytes = 1024 * 1024
  disconnected = false
  /** Called at once for each delivery. */
  onDelivery: ((delivery: Delivery) => void) | null = null

  write(frames: Uint8Array, start: number, end: number, count: number): void {
    const bytes = Buffer.from(frames.buffer, frames.byteOffset, frames.byteLength)
    let at = start
    for (let i = 0; i < count; i++) {
      const size = bytes.readInt32BE(at)
      assert.equal(bytes.readInt32BE(at + 4), 2, 'frame type')
      const delivery = {
        id: bytes.toString('latin1', at + 18, at + 34),
        attempts: bytes.readUInt16BE(at + 16),
        body: bytes.toString('utf8', at + 34, at + 4 + size),
        timestampNs: bytes.readBigInt64BE(at + 8),
      }
      this.deliveries.push(delivery)
      this.onDelivery?.(delivery)
      at += 4 + size
    }
    assert.equal(at, end, 'a run ends with its last frame')
  }

  disconnect(): void {
    this.disconnected = true
  }

  get bodies(): string[] {
    return this.deliveries.map(({ body }) => body)
  }

  finish(delivery: Delivery): SettleResult {
    return this.subscription.finish(Buffer.from(delivery.id), 0)
  }

  finishAll(): void {
    for (const delivery of this.deliveries) this.finish(delivery)
  }

  requeue(delivery: Delivery, delayMs: number): SettleResult {
    return this.subscription.requeue(Buffer.from(delivery.id), 0, delayMs)
  }

  touch(delivery: Delivery): SettleResult {
    return this.subscription.touch(Buffer.from(delivery.id), 0)
  }

  /** The last delivery of the message with this body. */
  last(body: string): Delivery {
    const delivery = this.deliveries.findLast((each) => each.body === body)
    assert.ok(delivery, `no message ${body} was delivered`)
    return delivery
  }
}

/** Remembers what became of each publish. */
export class TestPublisher implements PublishWaiter {
  readonly outcomes = new Map<number, 'ok' | BrokerError>()
  /** Tokens in the order in which they were told. */
  readonly order: number[] = []

  published(token: number): void {
    this.order.push(token)
    this.outcomes.set(token, 'ok')
  }

  publishFailed(token: number, error: BrokerError): void {
    this.order.push(token)
    this.outcomes.set(token, error)
  }
}

/** Messages as they lie in PUB and MPUB: `int32 size | body`, one after the other. */
export function messages(bodies: readonly string[]): Buffer {
  return Buffer.concat(
    bodies.flatMap((body) => {
      const size = Buffer.alloc(4)
      size.writeInt32BE(Buffer.byteLength(body))
      return [size, Buffer.from(body)]
    }),
  )
}

export interface TestBrokerOptions {
  readonly storage?: Storage
  readonly clock?: FakeClock
  readonly options?: Partial<BrokerOptions>
  readonly discoveries?: ConstructorParameters<typeof Engine>[0]['discoveries']
  readonly random?: () => number
}

/** An engine on a fake clock and a simulated storage. */
export class TestBroker {
  readonly clock: FakeClock
  readonly storage: Storage
  readonly logger = new TestLogger()
  readonly engine: Engine
  readonly publisher = new TestPublisher()
  #token = 0

  private constructor(options: TestBrokerOptions) {
    this.clock = options.clock ?? new FakeClock()
    this.storage =
      options.storage ?? new SimulatedStorage({ clock: this.clock, random: seededRandom(1), latencyMs: () => 0 })
    const { discoveries = [], random = seededRandom(2) } = options
    const parts = { storage: this.storage, clock: this.clock, discoveries, random, logger: this.logger }
    this.engine = testEngine({ ...parts, options: options.options ?? {} })
  }

  static async open(options: TestBrokerOptions = {}): Promise<TestBroker> {
    const broker = new TestBroker(options)
    await settled(broker.clock, broker.engine.open())
    broker.engine.announce()
    return broker
  }

  /** Publishes bodies as one MPUB, without waiting. Returns the token. */
  publish(topic: string, ...bodies: string[]): number {
    const bytes = messages(bodies)
    const token = ++this.#token
    this.engine.openTopic(topic).publish(bytes, 0, bytes.length, bodies.length, this.publisher, token)
    bytes.fill(0xff) // the engine has its own copy
    return token
  }

  publishDeferred(topic: string, body: string, delayMs: number): number {
    const bytes = messages([body])
    const token = ++this.#token
    this.engine.openTopic(topic).publishDeferred(bytes, 0, bytes.length, delayMs, this.publisher, token)
    return token
  }

  async subscribe(
    topic: string,
    channel: string,
    options: { ready?: number; msgTimeoutMs?: number; sampleRate?: number; writableBytes?: number } = {},
  ): Promise<TestConsumer> {
    const consumer = new TestConsumer()
    if (options.writableBytes !== undefined) consumer.writableBytes = options.writableBytes
    const subscribing = this.engine.subscribe(topic, channel, {
      msgTimeoutMs: options.msgTimeoutMs ?? 60_000,
      sampleRate: options.sampleRate ?? 0,
      sink: consumer,
      client: NO_CLIENT,
    })
    consumer.subscription = await settled(this.clock, subscribing)
    consumer.subscription.setReady(options.ready ?? 100)
    return consumer
  }

  /** Lets everything happen that can happen without time passing. */
  settle(): Promise<void> {
    return this.clock.settle()
  }

  channelStats(topic: string, channel: string) {
    const stats = this.engine.stats({ topic, channel, includeClients: false }).topics[0]?.channels[0]
    assert.ok(stats, `no channel ${topic}/${channel}`)
    return stats
  }

  topicStats(topic: string) {
    const stats = this.engine.stats({ topic, includeClients: false }).topics[0]
    assert.ok(stats, `no topic ${topic}`)
    return stats
  }

  /** Dies, and comes back on what the storage kept. */
  async restart(): Promise<TestBroker> {
    assert.ok(this.storage instanceof SimulatedStorage)
    return await TestBroker.open({ storage: this.storage.recover(), clock: this.clock })
  }

  async close(): Promise<void> {
    await settled(this.clock, this.engine.close())
  }
}

/** Waits for a promise while the clock's turns go on. */
export async function settled<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  let done = false
  const mark = (): void => {
    done = true
  }
  promise.then(mark, mark)
  for (let i = 0; i < 1000 && !done; i++) await clock.advanceAsync(i < 100 ? 0 : 10)
  return await promise
}

export { SettleResult }
