import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { BrokerError } from '../../src/index.js'
import { FakeClock, SimulatedStorage, seededRandom } from '../../src/testing/index.js'
import { ModelChannel } from './model.js'
import { type Delivery, SettleResult, settled, TestBroker, type TestConsumer } from './support.js'

const MSG_TIMEOUT_MS = 2000
const CHANNELS = ['a', 'b'] as const

type Op =
  | { op: 'publish'; count: number }
  | { op: 'defer'; delayMs: number }
  | { op: 'subscribe'; channel: number; ready: number }
  | { op: 'ready'; consumer: number; ready: number }
  | { op: 'finish'; consumer: number; message: number }
  | { op: 'touch'; consumer: number; message: number }
  | { op: 'requeue'; consumer: number; message: number; delayMs: number }
  | { op: 'leave'; consumer: number }
  | { op: 'advance'; ms: number }
  | { op: 'pauseTopic' | 'emptyTopic' | 'deleteTopic'; on: boolean }
  | { op: 'pauseChannel' | 'emptyChannel' | 'deleteChannel'; channel: number; on: boolean }
  | { op: 'faults'; share: number }
  | { op: 'crash' }

const small = fc.nat({ max: 7 })
const ops = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ op: fc.constant('publish' as const), count: fc.integer({ min: 1, max: 30 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ op: fc.constant('defer' as const), delayMs: fc.integer({ min: 1, max: 5000 }) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        op: fc.constant('subscribe' as const),
        channel: fc.nat({ max: 1 }),
        ready: fc.nat({ max: 20 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ op: fc.constant('ready' as const), consumer: small, ready: fc.nat({ max: 20 }) }),
    },
    {
      weight: 12,
      arbitrary: fc.record({
        op: fc.constantFrom('finish' as const, 'touch' as const),
        consumer: small,
        message: fc.nat({ max: 50 }),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        op: fc.constant('requeue' as const),
        consumer: small,
        message: fc.nat({ max: 50 }),
        delayMs: fc.constantFrom(0, 0, 10, 3000),
      }),
    },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('leave' as const), consumer: small }) },
    {
      weight: 8,
      arbitrary: fc.record({ op: fc.constant('advance' as const), ms: fc.constantFrom(0, 1, 5, 60, 500, 2000, 4000) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ op: fc.constantFrom('pauseTopic' as const, 'emptyTopic' as const), on: fc.boolean() }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        op: fc.constantFrom('pauseChannel' as const, 'emptyChannel' as const),
        channel: fc.nat({ max: 1 }),
        on: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        op: fc.constant('deleteChannel' as const),
        channel: fc.nat({ max: 1 }),
        on: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('deleteTopic' as const), on: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('faults' as const), share: fc.constantFrom(0, 0, 0.1, 0.5) }) },
    { weight: 3, arbitrary: fc.record({ op: fc.constant('crash' as const) }) },
  ),
  { minLength: 10, maxLength: 80, size: 'max' },
) as fc.Arbitrary<Op[]>

interface Attached {
  readonly number: number
  readonly channel: string
  readonly sink: TestConsumer
}

interface Published {
  readonly token: number
  readonly bodies: readonly string[]
  readonly dueMs: number
}

/** The broker and the model, side by side. */
export class Comparison {
  readonly clock = new FakeClock()
  broker!: TestBroker
  storage: SimulatedStorage
  faultShare = 0
  readonly model = new Map<string, ModelChannel>()
  /** Acknowledged while the topic had no channel: the first one gets them. */
  backlog = new Map<string, number>()
  /** While the topic is paused: acknowledged, not released. Empty topic forgets them. */
  paused = new Map<string, number>()
  topicPaused = false
  consumers: Attached[] = []
  pending: Published[] = []
  #serial = 0

  constructor(seed: number) {
    const random = seededRandom(seed)
    this.storage = new SimulatedStorage({
      clock: this.clock,
      random,
      latencyMs: () => Math.floor(random() * 4),
      fault: (operation) => {
        if (operation !== 'append' && operation !== 'saveCursor' && operation !== 'trim') return null
        return random() < this.faultShare ? (random() < 0.5 ? 'E_STORAGE_FULL' : 'E_STORAGE_IO') : null
      },
    })
  }

  async open(): Promise<void> {
    this.broker = await TestBroker.open({ storage: this.storage, clock: this.clock })
  }

  wait<T>(promise: Promise<T> | undefined): Promise<T> {
    return settled(this.clock, promise as Promise<T>)
  }

  publish(count: number, delayMs: number): void {
    const bodies = Array.from({ length: count }, () => `m${++this.#serial}`)
    const dueMs = delayMs > 0 ? this.clock.wallMs() + delayMs : 0
    const token =
      delayMs > 0 ? this.broker.publishDeferred('t', bodies[0], delayMs) : this.broker.publish('t', ...bodies)
    this.pending.push({ token, bodies, dueMs })
    for (const channel of this.model.values()) for (const body of bodies) channel.mayHave(body, dueMs)
  }

  /** Takes note of what the publishers were told, and checks the counters. */
  observe(): void {
    for (const publish of this.pending) {
      const outcome = this.broker.publisher.outcomes.get(publish.token)
      if (outcome === undefined) continue
      if (outcome === 'ok') this.#acknowledged(publish)
      else this.#refused(publish, outcome)
    }
    this.pending = this.pending.filter(({ token }) => !this.broker.publisher.outcomes.has(token))
    this.#checkCounts()
  }

  #acknowledged({ bodies, dueMs }: Published): void {
    for (const body of bodies) {
      if (this.topicPaused) this.paused.set(body, dueMs)
      else if (this.model.size === 0) this.backlog.set(body, dueMs)
      for (const channel of this.model.values()) if (!this.topicPaused) channel.owe(body, dueMs)
    }
  }

  #refused({ bodies, dueMs }: Published, error: BrokerError): void {
    // of what failed with an unknown outcome, all may come back, also to a channel that is made later
    if (!error.detail.includes('E_STORAGE_IO')) return
    for (const body of bodies) this.unknown.set(body, dueMs)
  }
  readonly unknown = new Map<string, number>()

  #checkCounts(): void {
    const topic = this.broker.engine.getTopic('t')
    if (topic === undefined) return
    for (const channel of topic.channels.values()) {
      const { depth, inFlightCount, deferredCount } = channel
      assert.deepEqual({ depth, inFlightCount, deferredCount }, channel.recount(), `counters of ${channel.name}`)
    }
    for (const consumer of this.consumers) {
      assert.ok(consumer.sink.subscription.inFlight >= 0)
    }
  }

  async subscribe(name: string, ready: number): Promise<void> {
    const sink = await this.broker.subscribe('t', name, { ready: 0, msgTimeoutMs: MSG_TIMEOUT_MS })
    this.observe()
    if (!this.model.has(name)) {
      const channel = new ModelChannel()
      const first = this.model.size === 0
      this.model.set(name, channel)
      for (const [body, dueMs] of this.unknown) channel.mayHave(body, dueMs)
      for (const { bodies, dueMs } of this.pending) for (const body of bodies) channel.mayHave(body, dueMs)
      // what came while the channel was being made may be the channel's or not
      if (first) {
        for (const [body, dueMs] of this.backlog) {
          if (this.topicPaused) this.paused.set(body, dueMs)
          else channel.owe(body, dueMs)
        }
        this.backlog.clear()
      }
    }
    const number = ++this.#attached
    this.consumers.push({ number, channel: name, sink })
    const channel = this.model.get(name) as ModelChannel
    sink.onDelivery = (delivery) => {
      const nowMs = this.clock.monotonicMs()
      channel.delivered(delivery, number, nowMs, this.clock.wallMs() + 0.001, MSG_TIMEOUT_MS)
    }
    sink.subscription.setReady(ready)
  }
  #attached = 0

  leave(consumer: Attached | undefined): void {
    consumer?.sink.subscription.close()
    this.consumers = this.consumers.filter((each) => each !== consumer)
  }

  async crash(): Promise<void> {
    this.observe()
    for (const { bodies, dueMs } of this.pending) for (const body of bodies) this.unknown.set(body, dueMs)
    this.pending = []
    for (const consumer of this.consumers) consumer.sink.onDelivery = null // the dead engine still hears the clock
    this.consumers = []
    for (const channel of this.model.values()) channel.crashed()
    this.storage.checkHandedOver()
    this.storage = this.storage.recover()
    this.faultShare = 0
    await this.open()
  }

  /** In the end every channel must give out all that it owes, and then be empty. */
  async drain(): Promise<void> {
    this.faultShare = 0
    this.storage.release()
    await this.clock.advanceAsync(20_000)
    this.resumeTopic()
    await this.wait(this.broker.engine.openTopic('t').unpause())
    for (const consumer of this.consumers) consumer.sink.subscription.setReady(0)
    for (const name of this.model.keys()) {
      await this.wait(this.broker.engine.getTopic('t')?.getChannel(name)?.unpause())
      await this.subscribe(name, 2500)
    }
    for (let round = 0; round < 12; round++) {
      await this.clock.advanceAsync(1000)
      this.observe()
      for (const consumer of this.consumers) {
        const channel = this.model.get(consumer.channel) as ModelChannel
        for (const delivery of consumer.sink.deliveries) this.#finish(channel, consumer, delivery)
      }
    }
    for (const [name, channel] of this.model) {
      assert.deepEqual(channel.owed, [], `acknowledged and never delivered on ${name}`)
      const { depth, inFlightCount, deferredCount } = this.broker.channelStats('t', name)
      assert.deepEqual({ depth, inFlightCount, deferredCount }, { depth: 0, inFlightCount: 0, deferredCount: 0 })
    }
    this.storage.checkHandedOver()
  }

  resumeTopic(): void {
    this.topicPaused = false
    for (const channel of this.model.values()) for (const [body, dueMs] of this.paused) channel.owe(body, dueMs)
    if (this.model.size === 0) for (const [body, dueMs] of this.paused) this.backlog.set(body, dueMs)
    this.paused.clear()
  }

  #finish(channel: ModelChannel, consumer: Attached, delivery: Delivery): void {
    const result = consumer.sink.finish(delivery)
    channel.finished(delivery.body, consumer.number, result === SettleResult.ok, this.clock.monotonicMs())
  }

  settle(op: Extract<Op, { message: number }>): void {
    const consumer = this.consumers[op.consumer % Math.max(1, this.consumers.length)]
    const delivery = consumer?.sink.deliveries[op.message % Math.max(1, consumer.sink.deliveries.length)]
    const channel = consumer && this.model.get(consumer.channel)
    if (delivery === undefined || channel === undefined || consumer.sink.disconnected) return
    const nowMs = this.clock.monotonicMs()
    if (op.op === 'finish') {
      this.#finish(channel, consumer, delivery)
    } else if (op.op === 'touch') {
      const result = consumer.sink.touch(delivery)
      channel.touched(delivery.body, consumer.number, result === SettleResult.ok, nowMs, MSG_TIMEOUT_MS)
    } else {
      const result = consumer.sink.requeue(delivery, op.delayMs)
      channel.requeued(delivery.body, consumer.number, result === SettleResult.ok, nowMs, op.delayMs)
    }
  }

  async operate(op: Op): Promise<void> {
    const topic = this.broker.engine.getTopic('t')
    switch (op.op) {
      case 'pauseTopic':
        if (topic === undefined) return
        if (op.on) {
          await this.quiesce()
          this.topicPaused = true
          await this.wait(topic.pause())
        } else {
          this.resumeTopic()
          await this.wait(topic.unpause())
        }
        return
      case 'emptyTopic':
        if (topic === undefined) return
        await this.quiesce()
        await this.wait(topic.empty())
        for (const body of [...this.paused.keys(), ...this.backlog.keys()]) this.#forget(body)
        this.paused.clear()
        this.backlog.clear()
        return
      case 'deleteTopic':
        if (topic === undefined) return
        await this.quiesce()
        await this.wait(topic.delete())
        this.model.clear()
        this.backlog.clear()
        this.paused.clear()
        this.unknown.clear()
        this.topicPaused = false
        return
    }
    const channelName = CHANNELS[(op as { channel: number }).channel]
    const channel = topic?.getChannel(channelName)
    if (channel === undefined) return
    if (op.op === 'pauseChannel') {
      await this.wait((op as { on: boolean }).on ? channel.pause() : channel.unpause())
    } else {
      await this.quiesce()
      if (op.op === 'emptyChannel') {
        await this.wait(channel.empty())
        this.observe()
        this.model
          .get(channelName)
          ?.emptied(new Set(this.topicPaused ? [...this.paused.keys(), ...this.unknown.keys()] : []))
      } else {
        await this.wait(channel.delete())
        this.model.delete(channelName)
      }
    }
  }

  /** Message that was emptied at the topic: comes nowhere any more. */
  #forget(body: string): void {
    for (const channel of this.model.values()) {
      const message = channel.messages.get(body)
      if (message?.state === 'maybe') channel.messages.delete(body)
    }
  }

  /** Lets publishes under way be answered, so that the model knows what the operation finds. */
  async quiesce(): Promise<void> {
    this.faultShare = 0
    for (let i = 0; i < 1000 && (this.pending.length > 0 || this.broker.engine.health !== 'OK'); i++) {
      await this.clock.advanceAsync(10)
      this.observe()
    }
  }
}

export async function run(seed: number, operations: readonly Op[]): Promise<void> {
  const side = new Comparison(seed)
  await side.open()
  for (const op of operations) {
    side.observe()
    const consumer = side.consumers[('consumer' in op ? op.consumer : 0) % Math.max(1, side.consumers.length)]
    if (op.op === 'publish') side.publish(op.count, 0)
    else if (op.op === 'defer') side.publish(1, op.delayMs)
    else if (op.op === 'advance') await side.clock.advanceAsync(op.ms)
    else if (op.op === 'faults') side.faultShare = op.share
    else if (op.op === 'crash') await side.crash()
    else if (op.op === 'subscribe') {
      await side.quiesce()
      await side.subscribe(CHANNELS[op.channel], op.ready)
    } else if (op.op === 'finish' || op.op === 'touch' || op.op === 'requeue') side.settle(op)
    else if (op.op === 'ready') consumer?.sink.subscription.setReady(op.ready)
    else if (op.op === 'leave') side.leave(consumer)
    else await side.operate(op)
    side.consumers = side.consumers.filter(({ sink }) => !sink.disconnected)
  }
  side.observe()
  await side.drain()
}

describe('the engine against a simple model', function () {
  this.timeout(120_000)

  it('loses nothing acknowledged, has no message with two owners, and counts right, whatever happens in whatever order', async () => {
    await fc.assert(fc.asyncProperty(fc.nat(), ops, run), {
      numRuns: Number(process.env.SPILLWAY_TEST_RUNS ?? 400),
      ...(process.env.SPILLWAY_TEST_SEED ? { seed: Number(process.env.SPILLWAY_TEST_SEED) } : {}),
    })
  })
})
