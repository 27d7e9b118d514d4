import assert from 'node:assert/strict'
import {
  FakeClock,
  type SimulatedFault,
  type SimulatedOperation,
  SimulatedStorage,
  seededRandom,
} from '../../src/testing/index.js'
import { settled, TestBroker } from './support.js'

/** Operations that cross each other, a crash or a slow storage: each of these was once a lost message, a stall or a leak. */
describe('crossings', () => {
  let clock: FakeClock
  let latencyMs: (operation: SimulatedOperation) => number
  let fault: (operation: SimulatedOperation) => SimulatedFault | null
  let broker: TestBroker

  const open = async (options: Parameters<typeof TestBroker.open>[0] = {}): Promise<void> => {
    const storage = new SimulatedStorage({
      clock,
      random: seededRandom(7),
      latencyMs: (operation) => latencyMs(operation),
      fault: (operation) => fault(operation),
    })
    broker = await TestBroker.open({ storage, clock, ...options })
  }
  const topic = () => {
    const found = broker.engine.getTopic('t')
    assert.ok(found)
    return found
  }
  const restart = async (): Promise<void> => {
    broker = await broker.restart()
  }

  beforeEach(async () => {
    clock = new FakeClock()
    latencyMs = () => 1
    fault = () => null
    await open()
  })

  it('a topic that is deleted while it is being created does not take its successor with it', async () => {
    latencyMs = () => 5
    broker.publish('t', 'old')
    const deleting = topic().delete()
    const token = broker.publish('t', 'new')
    await settled(clock, deleting)
    await clock.advanceAsync(200)
    assert.equal(broker.publisher.outcomes.get(token), 'ok')
    await restart()
    assert.equal(broker.topicStats('t').depth, 1)
  })

  it('what waits at a topic whose last channel was ephemeral outlasts a crash', async () => {
    await broker.subscribe('t', 'a')
    const ephemeral = await broker.subscribe('t', 'e#ephemeral')
    await settled(clock, topic().getChannel('a')?.delete() as Promise<void>)
    ephemeral.subscription.close()
    await clock.advanceAsync(100)
    broker.publish('t', 'm1', 'm2')
    await clock.advanceAsync(2000)
    await restart()
    const next = await broker.subscribe('t', 'next')
    await clock.advanceAsync(100)
    assert.deepEqual(next.bodies, ['m1', 'm2'])
  })

  it('what an ephemeral channel alone has finished does not come back, nor stall the next channel', async () => {
    const ephemeral = await broker.subscribe('t', 'e#ephemeral')
    broker.publish('t', 'a', 'b')
    await clock.advanceAsync(10)
    ephemeral.finishAll()
    await clock.advanceAsync(5000)
    await restart()
    assert.equal(broker.topicStats('t').depth, 0)
    const next = await broker.subscribe('t', 'next')
    broker.publish('t', 'fresh')
    await clock.advanceAsync(100)
    assert.deepEqual(next.bodies, ['fresh'])
  })

  it('a crash while a topic is being emptied leaves a topic that goes on', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = seededRandom(seed)
      const storage = new SimulatedStorage({ clock, random, latencyMs: () => Math.floor(random() * 20) })
      broker = await TestBroker.open({ storage, clock })
      broker.publish('t', 'a', 'b')
      await clock.advanceAsync(100)
      void topic().empty()
      await clock.advanceAsync(seed)
      await restart()
      const consumer = await broker.subscribe('t', 'c')
      broker.publish('t', 'fresh')
      await clock.advanceAsync(2000)
      assert.ok(consumer.bodies.includes('fresh'), `seed ${seed}`)
      assert.equal(broker.engine.health, 'OK')
    }
  })

  it('a channel that is emptied while it waits for a read goes on', async () => {
    latencyMs = (operation) => (operation === 'read' ? 500 : 1)
    await broker.subscribe('t', 'c', { ready: 0 })
    broker.publish('t', 'a', 'b')
    await clock.advanceAsync(1000)
    await restart()
    const consumer = await broker.subscribe('t', 'c')
    await clock.advanceAsync(5)
    await settled(clock, topic().getChannel('c')?.empty() as Promise<void>)
    await clock.advanceAsync(3000)
    broker.publish('t', 'later')
    await clock.advanceAsync(100)
    assert.deepEqual(consumer.bodies, ['later'])
    assert.equal(broker.engine.health, 'OK')
  })

  it('emptying a channel gets past damage', async () => {
    await broker.subscribe('t', 'c', { ready: 0 })
    broker.publish('t', 'a', 'b')
    await clock.advanceAsync(1000)
    await restart()
    const [log] = await settled(clock, broker.storage.listLogs())
    ;(broker.storage as SimulatedStorage).corrupt(log, 0)
    const consumer = await broker.subscribe('t', 'c')
    await clock.advanceAsync(100)
    assert.match(broker.engine.health, /E_STORAGE_CORRUPT/)
    await settled(clock, topic().getChannel('c')?.empty() as Promise<void>)
    broker.publish('t', 'later')
    await clock.advanceAsync(100)
    assert.deepEqual(consumer.bodies, ['later'])
    assert.equal(broker.engine.health, 'OK')
  })

  it('a topic that is deleted while it is read gives all memory back, and leaves no timer', async () => {
    latencyMs = (operation) => (operation === 'read' ? 50 : 1)
    await broker.subscribe('t', 'c', { ready: 0 })
    broker.publish('t', 'x'.repeat(100_000))
    broker.publishDeferred('t', 'later', 3_600_000)
    await clock.advanceAsync(1000)
    await restart()
    await broker.subscribe('t', 'c')
    await clock.advanceAsync(5)
    await settled(clock, topic().delete())
    await clock.advanceAsync(5000)
    assert.equal(broker.engine.budget.usedBytes, 0)
  })

  it('reading a backlog stays within the memory budget, though another channel is stuck', async () => {
    await open({ options: { memorySizeBytesMax: 4 * 1024 * 1024 } })
    await broker.subscribe('t', 'stuck', { ready: 0 })
    const fast = await broker.subscribe('t', 'fast', { ready: 0 })
    for (let i = 0; i < 100; i++) {
      broker.publish('t', 'x'.repeat(100_000))
      await clock.advanceAsync(5)
    }
    let usedBytesMax = 0
    fast.onDelivery = (delivery) => {
      usedBytesMax = Math.max(usedBytesMax, broker.engine.budget.usedBytes)
      queueMicrotask(() => fast.finish(delivery))
    }
    fast.subscription.setReady(10)
    await clock.advanceAsync(5000)
    assert.equal(fast.deliveries.length, 100)
    assert.ok(usedBytesMax < 5.5 * 1024 * 1024, `${usedBytesMax} bytes`)
  })

  it('an ephemeral channel reads all that it holds, though memory was short and the others are far ahead', async () => {
    await open({ options: { memorySizeBytesMax: 4 * 1024 * 1024, memQueueSize: 10 } })
    const ephemeral = await broker.subscribe('t', 'e#ephemeral', { ready: 0 })
    const durable = await broker.subscribe('t', 'durable', { ready: 100 })
    durable.onDelivery = (delivery) => queueMicrotask(() => durable.finish(delivery))
    for (let i = 0; i < 100; i++) {
      broker.publish('t', `${i}.${'x'.repeat(100_000)}`)
      await clock.advanceAsync(50)
    }
    await clock.advanceAsync(5000)
    assert.equal(durable.deliveries.length, 100)
    ephemeral.subscription.setReady(100)
    await clock.advanceAsync(5000)
    assert.deepEqual(
      ephemeral.bodies.map((body) => Number.parseInt(body, 10)),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    )
  })

  it('a channel whose topic was deleted while it was created does not haunt the next topic of that name', async () => {
    broker.publish('t', 'a')
    await clock.advanceAsync(10)
    latencyMs = () => 5
    const creating = topic().openChannel('ghost')
    creating.catch(() => {})
    const deleting = topic().delete()
    await settled(clock, deleting)
    await assert.rejects(creating, { code: 'E_EXITING' })
    broker.publish('t', 'b')
    await clock.advanceAsync(100)
    await restart()
    assert.equal(topic().getChannel('ghost'), undefined)
  })

  it('a handle of a deleted topic or channel refuses everything', async () => {
    await broker.subscribe('t', 'c')
    const gone = topic()
    const channel = gone.getChannel('c')
    await settled(clock, gone.delete())
    for (const refused of [gone.pause(), gone.unpause(), gone.empty(), gone.openChannel('d'), channel?.pause()]) {
      await assert.rejects(refused as Promise<unknown>, { code: 'E_EXITING' })
    }
    await restart()
    assert.equal(broker.engine.getTopic('t'), undefined)
  })

  it('the due time of a refused message does not stick to the next one', async () => {
    const consumer = await broker.subscribe('t', 'c')
    await settled(clock, topic().pause())
    broker.publish('t', 'first')
    await clock.advanceAsync(10)
    fault = (operation) => (operation === 'append' ? 'E_STORAGE_FULL' : null)
    broker.publishDeferred('t', 'refused', 3_600_000)
    await clock.advanceAsync(10)
    fault = () => null
    await clock.advanceAsync(1000)
    broker.publish('t', 'plain')
    await clock.advanceAsync(10)
    await settled(clock, topic().unpause())
    await clock.advanceAsync(10)
    assert.deepEqual(consumer.bodies, ['first', 'plain'])
  })

  it('a lease that cannot be had fails nothing, and is asked for again', async () => {
    broker.publish('t', 'a')
    await clock.advanceAsync(10)
    let asked = 0
    fault = (operation) => {
      if (operation !== 'takeLeases') return null
      asked++
      return 'E_STORAGE_FULL'
    }
    Object.defineProperty(topic().log, 'needsLease', { get: () => true })
    const tokens = [broker.publish('t', 'b'), broker.publish('t', 'c')]
    await clock.advanceAsync(10)
    assert.ok(tokens.every((token) => broker.publisher.outcomes.get(token) === 'ok'))
    assert.equal(asked, 2)
  })

  it('what was finished last is trimmed too, and a trim that failed is made again', async () => {
    let failing = true
    fault = (operation) => (failing && operation === 'trim' ? 'E_STORAGE_IO' : null)
    const consumer = await broker.subscribe('t', 'c')
    broker.publish('t', 'a', 'b')
    await clock.advanceAsync(1000)
    const [a, b] = consumer.deliveries
    consumer.finish(a)
    await clock.advanceAsync(500)
    consumer.finish(b)
    await clock.advanceAsync(3000)
    assert.ok(topic().log.first < topic().log.next)
    failing = false
    await clock.advanceAsync(5000)
    assert.equal(topic().log.first, topic().log.next)
  })

  it('ids go on over the end of a lease', async () => {
    const consumer = await broker.subscribe('t', 'c')
    broker.publish('t', 'a')
    await clock.advanceAsync(100)
    const [log] = await settled(clock, broker.storage.listLogs())
    const channel = topic().getChannel('c')
    assert.ok(channel)
    consumer.finishAll()
    await clock.advanceAsync(100)
    // as if 2^32 - 2 messages had gone through: the log continues there
    const next = 2 ** 32 - 2
    await broker.close()
    const storage = (broker.storage as SimulatedStorage).recover()
    await storage.open()
    const store = await settled(clock, storage.openLog(log, { durability: 'process', epoch: 0 }))
    await settled(clock, store.trim(next))
    await settled(clock, store.close())
    await settled(clock, storage.close())
    broker = await TestBroker.open({ storage: storage.recover(), clock })
    const again = await broker.subscribe('t', 'c')
    broker.publish('t', 'y')
    await clock.advanceAsync(100)
    broker.publish('t', 'z', '0', '1')
    await clock.advanceAsync(100)
    assert.deepEqual(again.bodies, ['y', 'z', '0', '1'])
    assert.equal(new Set(again.deliveries.map(({ id }) => id)).size, 4)
    assert.ok(again.last('z').id.endsWith('ffffffff') && again.last('0').id.endsWith('00000000'))
    again.finishAll()
    assert.equal(broker.channelStats('t', 'c').inFlightCount, 0)
  })
})
