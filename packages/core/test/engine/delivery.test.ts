import assert from 'node:assert/strict'
import { SettleResult, TestBroker } from './support.js'

describe('delivery', () => {
  let broker: TestBroker
  beforeEach(async () => {
    broker = await TestBroker.open()
  })

  it('gives a consumer what is published, in order, with attempts 1 and the time of the publish', async () => {
    const consumer = await broker.subscribe('t', 'c')
    broker.publish('t', 'a')
    broker.publish('t', 'b', 'c')
    await broker.settle()
    assert.deepEqual(consumer.bodies, ['a', 'b', 'c'])
    assert.deepEqual(
      consumer.deliveries.map(({ attempts }) => attempts),
      [1, 1, 1],
    )
    const ageMs = broker.clock.wallMs() - Number(consumer.deliveries[0].timestampNs) / 1e6
    assert.ok(Math.abs(ageMs) < 1, `timestamp is off by ${ageMs} ms`)
  })

  it('gives every channel its own copy, with the same id', async () => {
    const one = await broker.subscribe('t', 'one')
    const two = await broker.subscribe('t', 'two')
    broker.publish('t', 'a')
    await broker.settle()
    assert.deepEqual(one.deliveries, two.deliveries)
  })

  it('gives the first channel what was published before it, a later one only what comes after', async () => {
    broker.publish('t', 'early')
    await broker.settle()
    assert.equal(broker.topicStats('t').depth, 1)
    const first = await broker.subscribe('t', 'first')
    await broker.settle()
    const second = await broker.subscribe('t', 'second')
    broker.publish('t', 'late')
    await broker.settle()
    assert.deepEqual(first.bodies, ['early', 'late'])
    assert.deepEqual(second.bodies, ['late'])
  })

  it('has no more in flight than the ready count, and goes on with each finish', async () => {
    const consumer = await broker.subscribe('t', 'c', { ready: 2 })
    broker.publish('t', 'a', 'b', 'c')
    await broker.settle()
    assert.deepEqual(consumer.bodies, ['a', 'b'])
    assert.equal(consumer.finish(consumer.last('a')), SettleResult.ok)
    await broker.settle()
    assert.deepEqual(consumer.bodies, ['a', 'b', 'c'])
    const stats = broker.channelStats('t', 'c')
    assert.equal(stats.inFlightCount, 2)
    assert.equal(stats.depth, 0)
  })

  it('stops at ready 0 and below what is in flight, and goes on when it rises', async () => {
    const consumer = await broker.subscribe('t', 'c', { ready: 0 })
    broker.publish('t', 'a', 'b', 'c')
    await broker.settle()
    assert.deepEqual(consumer.bodies, [])
    consumer.subscription.setReady(2)
    await broker.settle()
    consumer.subscription.setReady(1)
    consumer.finish(consumer.last('a'))
    await broker.settle()
    assert.deepEqual(consumer.bodies, ['a', 'b'])
    consumer.subscription.setReady(2)
    await broker.settle()
    assert.deepEqual(consumer.bodies, ['a', 'b', 'c'])
  })

  it('shares what waits among the consumers of a channel', async () => {
    const consumers = [await broker.subscribe('t', 'c'), await broker.subscribe('t', 'c')]
    broker.publish('t', ...Array.from({ length: 10 }, (_, i) => `${i}`))
    await broker.settle()
    assert.deepEqual(
      consumers.map(({ bodies }) => bodies.length),
      [5, 5],
    )
  })

  it('delivers again, with attempts 2, a message that is not finished within msgTimeoutMs', async () => {
    const consumer = await broker.subscribe('t', 'c', { msgTimeoutMs: 60_000 })
    broker.publish('t', 'x')
    await broker.settle()
    await broker.clock.advanceAsync(59_999)
    assert.equal(consumer.deliveries.length, 1)
    await broker.clock.advanceAsync(1)
    assert.deepEqual(
      consumer.deliveries.map(({ attempts }) => attempts),
      [1, 2],
    )
    assert.equal(broker.channelStats('t', 'c').timeoutCount, 1)
    assert.equal(broker.channelStats('t', 'c').requeueCount, 0)
  })

  it('answers a late finish with "not in flight", and with "not owner" once another consumer has it', async () => {
    const slow = await broker.subscribe('t', 'c', { ready: 1, msgTimeoutMs: 1000 })
    broker.publish('t', 'x')
    await broker.settle()
    slow.subscription.setReady(0)
    await broker.clock.advanceAsync(1000)
    assert.equal(slow.finish(slow.last('x')), SettleResult.notInFlight)
    const other = await broker.subscribe('t', 'c', { ready: 1 })
    await broker.settle()
    assert.equal(slow.finish(slow.last('x')), SettleResult.notOwner)
    assert.equal(other.finish(other.last('x')), SettleResult.ok)
  })

  it('keeps a touched message in flight, up to the longest message timeout from its delivery', async () => {
    const capped = await TestBroker.open({ options: { msgTimeoutMsMax: 5000 } })
    const consumer = await capped.subscribe('t', 'c', { msgTimeoutMs: 2000 })
    capped.publish('t', 'x')
    await capped.settle()
    for (let second = 1; second < 5; second++) {
      await capped.clock.advanceAsync(1000)
      assert.equal(consumer.touch(consumer.last('x')), SettleResult.ok)
    }
    assert.equal(consumer.deliveries.length, 1)
    await capped.clock.advanceAsync(1000)
    assert.equal(consumer.deliveries.length, 2)
  })

  it('puts a requeued message back at once, or after its delay', async () => {
    const consumer = await broker.subscribe('t', 'c')
    broker.publish('t', 'now', 'later')
    await broker.settle()
    consumer.requeue(consumer.last('now'), 0)
    consumer.requeue(consumer.last('later'), 500)
    await broker.settle()
    assert.deepEqual(consumer.bodies, ['now', 'later', 'now'])
    assert.equal(broker.channelStats('t', 'c').deferredCount, 1)
    await broker.clock.advanceAsync(500)
    assert.deepEqual(consumer.bodies, ['now', 'later', 'now', 'later'])
    assert.equal(consumer.last('later').attempts, 2)
    assert.equal(broker.channelStats('t', 'c').requeueCount, 2)
  })

  it('does not let a message that always fails starve the others at ready 1', async () => {
    const consumer = await broker.subscribe('t', 'c', { ready: 1 })
    broker.publish('t', 'poison', ...Array.from({ length: 20 }, (_, i) => `${i}`))
    for (let i = 0; i < 41; i++) {
      await broker.settle()
      const last = consumer.deliveries[consumer.deliveries.length - 1]
      if (last.body === 'poison') consumer.requeue(last, 0)
      else consumer.finish(last)
    }
    assert.equal(new Set(consumer.bodies).size, 21)
  })

  it('leaves what a gone consumer held in flight until its deadline, then gives it to another', async () => {
    const gone = await broker.subscribe('t', 'c', { msgTimeoutMs: 1000 })
    broker.publish('t', 'x')
    await broker.settle()
    gone.subscription.close()
    const other = await broker.subscribe('t', 'c')
    await broker.settle()
    assert.deepEqual(other.bodies, [])
    assert.equal(broker.channelStats('t', 'c').inFlightCount, 1)
    await broker.clock.advanceAsync(1000)
    assert.equal(other.last('x').attempts, 2)
  })

  it('does not let a newcomer finish what its predecessor held', async () => {
    const gone = await broker.subscribe('t', 'c', { msgTimeoutMs: 1000 })
    broker.publish('t', 'x')
    await broker.settle()
    gone.subscription.close()
    const newcomer = await broker.subscribe('t', 'c', { ready: 0 })
    assert.equal(newcomer.finish(gone.last('x')), SettleResult.notOwner)
  })

  it('holds deferred publishes back for their delay, counted as deferred', async () => {
    const consumer = await broker.subscribe('t', 'c')
    broker.publishDeferred('t', 'later', 300)
    broker.publish('t', 'now')
    await broker.settle()
    assert.deepEqual(consumer.bodies, ['now'])
    const { deferredCount, depth, messageCount } = broker.channelStats('t', 'c')
    assert.deepEqual({ deferredCount, depth, messageCount }, { deferredCount: 1, depth: 0, messageCount: 2 })
    await broker.clock.advanceAsync(300)
    assert.deepEqual(consumer.bodies, ['now', 'later'])
    assert.equal(consumer.last('later').attempts, 1)
  })

  it('counts due times by the wall clock, also when it jumps', async () => {
    const consumer = await broker.subscribe('t', 'c')
    broker.publishDeferred('t', 'later', 3_600_000)
    await broker.settle()
    broker.clock.setWallMs(broker.clock.wallMs() + 3_600_000)
    await broker.clock.advanceAsync(1000)
    assert.deepEqual(consumer.bodies, ['later'])
  })

  it('gives a consumer nothing while its output is full, and goes on when it resumes', async () => {
    const consumer = await broker.subscribe('t', 'c', { writableBytes: 0 })
    broker.publish('t', 'a')
    await broker.settle()
    assert.deepEqual(consumer.bodies, [])
    consumer.writableBytes = 1
    consumer.subscription.resume()
    await broker.settle()
    assert.deepEqual(consumer.bodies, ['a'])
  })

  it('gives a run no more bytes than the consumer takes, but one record whatever its size', async () => {
    const consumer = await broker.subscribe('t', 'c', { writableBytes: 100 })
    broker.publish('t', 'x'.repeat(1000), 'y'.repeat(10), 'z'.repeat(10), 'w'.repeat(100))
    await broker.settle()
    assert.equal(consumer.deliveries.length, 4)
  })

  it('samples for a consumer that asked, and finishes what it leaves out', async () => {
    const consumer = await broker.subscribe('t', 'c', { sampleRate: 42, ready: 2500 })
    broker.publish('t', ...Array.from({ length: 2000 }, (_, i) => `${i}`))
    await broker.settle()
    const share = consumer.deliveries.length / 2000
    assert.ok(share > 0.38 && share < 0.48, `delivered ${share}`)
    assert.equal(broker.channelStats('t', 'c').depth, 0)
  })

  it('refuses publishes when the memory budget is used up, and delivers nothing of them', async () => {
    const small = await TestBroker.open({ options: { memorySizeBytesMax: 64 * 1024 } })
    const tokens = Array.from({ length: 40 }, () => small.publish('t', 'x'.repeat(4000)))
    await small.settle()
    const outcomes = tokens.map((token) => small.publisher.outcomes.get(token))
    const accepted = outcomes.filter((outcome) => outcome === 'ok').length
    assert.ok(accepted > 0 && accepted < 40)
    const consumer = await small.subscribe('t', 'c')
    await small.settle()
    assert.equal(consumer.deliveries.length, accepted)
  })

  it('publishes a very large batch over several turns, whole and in order', async () => {
    const consumer = await broker.subscribe('t', 'c', { ready: 2500 })
    const bodies = Array.from({ length: 100_000 }, (_, i) => `${i}`)
    const large = broker.publish('t', ...bodies)
    const after = broker.publish('t', 'after')
    for (let i = 0; i < 200; i++) {
      await broker.settle()
      consumer.finishAll()
      if (consumer.deliveries.length > 100_000) break
    }
    assert.equal(consumer.deliveries.length, 100_001)
    assert.deepEqual(consumer.bodies, [...bodies, 'after'])
    assert.deepEqual(broker.publisher.order, [large, after])
  })
})
