import assert from 'node:assert/strict'
import { FakeClock, SimulatedStorage, seededRandom } from '../../src/testing/index.js'
import { SettleResult, TestBroker } from './support.js'

const MIB = 1024 * 1024
const BUDGET_BYTES = 4 * MIB
/** The slab that is written to may go beyond the budget. */
const BOUND_BYTES = BUDGET_BYTES + MIB
const BODY_BYTES = 10_000

/** Message n of a topic; n tells itself apart. */
const body = (n: number): string => `${n} `.padEnd(BODY_BYTES, '.')
const numberOf = (text: string): number => Number.parseInt(text, 10)

describe('a full memory from which the oldest are dropped', () => {
  let broker: TestBroker
  let tokens: number[]

  const open = async (latencyMs = 0): Promise<void> => {
    const clock = new FakeClock()
    const storage = new SimulatedStorage({
      clock,
      random: seededRandom(1),
      latencyMs: () => latencyMs,
      whenFull: 'drop-oldest',
      resident: true,
    })
    broker = await TestBroker.open({ storage, clock, options: { memorySizeBytesMax: BUDGET_BYTES } })
    tokens = []
  }

  /** Publishes messages `first … end - 1`, a few in each turn. */
  const publish = async (topic: string, first: number, end: number, delayMs = 0): Promise<void> => {
    for (let n = first; n < end; n++) {
      tokens.push(delayMs > 0 ? broker.publishDeferred(topic, body(n), delayMs) : broker.publish(topic, body(n)))
      if (n % 10 === 9) await broker.clock.advanceAsync(1)
      assert.ok(
        broker.engine.budget.usedBytes <= BOUND_BYTES,
        `${broker.engine.budget.usedBytes} bytes at message ${n}`,
      )
    }
    await broker.clock.advanceAsync(10)
    assert.ok(tokens.every((token) => broker.publisher.outcomes.get(token) === 'ok'))
  }

  beforeEach(() => open())

  for (const latencyMs of [0, 3]) {
    it(`stays within the bound, keeps the newest, and counts the others (storage takes ${latencyMs} ms)`, async () => {
      await open(latencyMs)
      await broker.subscribe('t', 'c', { ready: 0 })
      await publish('t', 0, 2000)
      const { droppedCount } = broker.topicStats('t')
      const { depth } = broker.channelStats('t', 'c')
      assert.equal(droppedCount + depth, 2000)
      assert.ok(depth > 200 && depth < 450, `${depth} are left`)
      const consumer = await broker.subscribe('t', 'c', { ready: 2500 })
      await broker.clock.advanceAsync(100)
      assert.deepEqual(
        consumer.bodies.map(numberOf),
        Array.from({ length: depth }, (_, n) => droppedCount + n),
      )
      assert.equal(broker.engine.health, 'OK')
    })
  }

  it('drops what waits at a topic without a channel as well', async () => {
    await publish('t', 0, 1000)
    const { droppedCount, depth } = broker.topicStats('t')
    assert.ok(droppedCount > 500)
    assert.equal(droppedCount + depth, 1000)
    const consumer = await broker.subscribe('t', 'c', { ready: 2500 })
    await broker.clock.advanceAsync(100)
    assert.deepEqual(consumer.bodies.map(numberOf)[0], droppedCount)
    assert.equal(consumer.bodies.length, depth)
    assert.equal(broker.channelStats('t', 'c').messageCount, depth)
  })

  it('drops nothing that is in flight: it can be finished, or comes back', async () => {
    const consumer = await broker.subscribe('t', 'c', { ready: 3 })
    await publish('t', 0, 1000)
    assert.deepEqual(consumer.bodies.map(numberOf), [0, 1, 2])
    assert.equal(consumer.finish(consumer.deliveries[0]), SettleResult.ok)
    assert.equal(consumer.requeue(consumer.deliveries[1], 0), SettleResult.ok)
    consumer.subscription.setReady(2500)
    await broker.clock.advanceAsync(100)
    assert.ok(consumer.deliveries.some((delivery) => numberOf(delivery.body) === 1 && delivery.attempts === 2))
    const distinct = new Set(consumer.bodies).size
    assert.equal(distinct + broker.topicStats('t').droppedCount, 1000)
    consumer.finishAll()
    await broker.clock.advanceAsync(2000)
    const { depth, inFlightCount, deferredCount } = broker.channelStats('t', 'c')
    assert.deepEqual({ depth, inFlightCount, deferredCount }, { depth: 0, inFlightCount: 0, deferredCount: 0 })
  })

  it('drops what came back, or waits for its time, and does not give it out afterwards', async () => {
    const consumer = await broker.subscribe('t', 'c', { ready: 20 })
    await publish('t', 0, 20)
    for (const delivery of consumer.deliveries) consumer.requeue(delivery, numberOf(delivery.body) < 10 ? 0 : 5000)
    consumer.subscription.setReady(0)
    await publish('t', 20, 30, 5000)
    await publish('t', 30, 1000)
    const { droppedCount } = broker.topicStats('t')
    const { depth, inFlightCount, deferredCount } = broker.channelStats('t', 'c')
    assert.equal(droppedCount + depth + inFlightCount, 1000)
    assert.equal(deferredCount, 0)
    const seen = consumer.bodies.length
    consumer.subscription.setReady(2500)
    await broker.clock.advanceAsync(10_000)
    const late = consumer.bodies.slice(seen).map(numberOf)
    assert.equal(late.length, depth)
    assert.ok(late.every((n) => n >= droppedCount))
    const after = broker.channelStats('t', 'c')
    assert.deepEqual([after.depth, after.inFlightCount, after.deferredCount], [0, depth, 0])
    assert.equal(broker.engine.health, 'OK')
  })

  it('takes from the topic that is largest, and leaves the quiet ones alone', async () => {
    await publish('quiet', 0, 3)
    await publish('loud', 0, 1000)
    assert.deepEqual([broker.topicStats('quiet').depth, broker.topicStats('quiet').droppedCount], [3, 0])
    assert.ok(broker.topicStats('loud').droppedCount > 500)
  })

  it('counts a message once, however many channels lose it, and not at all when all have had it', async () => {
    const fast = await broker.subscribe('t', 'fast', { ready: 2500 })
    fast.onDelivery = (delivery) => fast.finish(delivery)
    await broker.subscribe('t', 'slow', { ready: 0 })
    await broker.subscribe('t', 'slower', { ready: 0 })
    await publish('t', 0, 1000)
    assert.equal(fast.bodies.length, 1000)
    const { droppedCount } = broker.topicStats('t')
    for (const channel of ['slow', 'slower']) assert.equal(broker.channelStats('t', channel).depth, 1000 - droppedCount)
  })

  it('loses nothing for a message that cannot fit anyway', async () => {
    await publish('t', 0, 100)
    const token = broker.publish('t', 'x'.repeat(BUDGET_BYTES))
    await broker.settle()
    const outcome = broker.publisher.outcomes.get(token)
    assert.ok(outcome !== 'ok' && outcome?.code === 'E_MEMORY_FULL')
    assert.deepEqual([broker.topicStats('t').depth, broker.topicStats('t').droppedCount], [100, 0])
  })

  it('makes room for a body that is being read', async () => {
    await publish('t', 0, 1000)
    assert.equal(broker.engine.pressure, 'open')
    broker.engine.chargeMemory(2 * MIB)
    assert.ok(broker.engine.budget.usedBytes <= BOUND_BYTES)
    assert.equal(broker.engine.pressure, 'open')
    broker.engine.chargeMemory(2 * MIB)
    assert.equal(broker.engine.pressure, 'full')
    broker.engine.chargeMemory(-4 * MIB)
    assert.equal(broker.engine.pressure, 'open')
  })

  it('an ephemeral channel gets all messages, though memory is always nearly full', async () => {
    await broker.subscribe('t', 'stuck', { ready: 0 })
    await publish('t', 0, 1000)
    const consumer = await broker.subscribe('t', 'c#ephemeral', { ready: 2500 })
    await publish('t', 1000, 1100)
    assert.equal(consumer.bodies.length, 100)
  })

  it('refuses when everything is in flight', async () => {
    const consumer = await broker.subscribe('t', 'c', { ready: 100_000 })
    for (let n = 0; n < 1000; n++) {
      broker.publish('t', body(n))
      if (n % 10 === 9) await broker.clock.advanceAsync(10)
    }
    const refused = [...broker.publisher.outcomes.values()].filter((outcome) => outcome !== 'ok').length
    assert.deepEqual([consumer.bodies.length + refused, broker.topicStats('t').droppedCount], [1000, 0])
    assert.ok(refused > 500)
    assert.ok(broker.engine.budget.usedBytes <= BOUND_BYTES)
    consumer.finishAll()
    await broker.clock.advanceAsync(2000)
    await publish('t', 1000, 1010)
  })

  it('says so once a second at most, with how many', async () => {
    await publish('t', 0, 1000)
    assert.deepEqual(broker.logger.messages('warn'), [])
    const first = broker.topicStats('t').droppedCount
    await broker.clock.advanceAsync(1000)
    assert.deepEqual(broker.logger.messages('warn'), [
      `memory is full: the oldest messages were dropped, ${first} of them`,
    ])
    await publish('t', 1000, 2000)
    const second = broker.topicStats('t').droppedCount - first
    await broker.close()
    assert.deepEqual(broker.logger.messages('warn').slice(1), [
      `memory is full: the oldest messages were dropped, ${second} of them`,
    ])
  })
})
