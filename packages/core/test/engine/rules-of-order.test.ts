import assert from 'node:assert/strict'
import { BrokerError } from '../../src/index.js'
import { FakeClock, type SimulatedFault, SimulatedStorage, seededRandom } from '../../src/testing/index.js'
import { SettleResult, settled, TestBroker } from './support.js'

/** The rules of order of ARCHITECTURE.md, each by its number. */
describe('rules of order', () => {
  let clock: FakeClock
  let storage: SimulatedStorage
  let fault: SimulatedFault | null
  const failing = new Set<string>()

  const open = (): Promise<TestBroker> => TestBroker.open({ storage, clock })

  beforeEach(() => {
    clock = new FakeClock()
    fault = null
    failing.clear()
    storage = new SimulatedStorage({
      clock,
      random: seededRandom(7),
      latencyMs: () => 1,
      fault: (operation) => (failing.has(operation) ? fault : null),
    })
  })

  describe('1: catalogue entry, then first chunk, then OK, then release', () => {
    it('gives no OK and delivers nothing while the chunk is not safe', async () => {
      const broker = await open()
      const consumer = await broker.subscribe('t', 'c')
      storage.hold()
      const token = broker.publish('t', 'a')
      await clock.advanceAsync(100)
      assert.equal(broker.publisher.outcomes.get(token), undefined)
      assert.deepEqual(consumer.bodies, [])
      storage.release()
      await clock.advanceAsync(10)
      assert.equal(broker.publisher.outcomes.get(token), 'ok')
      assert.deepEqual(consumer.bodies, ['a'])
    })

    it('gives an ephemeral channel no record before it is safe, although the channel has room for more', async () => {
      const broker = await open()
      const consumer = await broker.subscribe('t', 'c#ephemeral')
      for (const body of ['a', 'b']) broker.publish('t', body)
      await clock.advanceAsync(10)
      consumer.subscription.setReady(0)
      for (const { id } of consumer.deliveries) consumer.subscription.requeue(Buffer.from(id), 0, 0)
      storage.hold()
      broker.publish('t', 'c')
      consumer.subscription.setReady(10)
      await clock.advanceAsync(10)
      assert.deepEqual(consumer.bodies, ['a', 'b', 'a', 'b'])
      storage.release()
      await clock.advanceAsync(10)
      assert.deepEqual(consumer.bodies, ['a', 'b', 'a', 'b', 'c'])
    })

    it('has the topic in the catalogue before any record of it can be found', async () => {
      for (let call = 1; call < 12; call++) {
        const disk = new SimulatedStorage({ clock, random: seededRandom(call), latencyMs: () => 1 })
        const broker = await TestBroker.open({ storage: disk, clock })
        disk.crashAtCall = disk.callCount + call
        const tokens: number[] = []
        try {
          for (const body of ['a', 'b', 'c']) {
            tokens.push(broker.publish('t', body))
            await clock.advanceAsync(2)
          }
        } catch (error) {
          assert.ok(error instanceof BrokerError) // it crashed while the topic was being created
        }
        await clock.advanceAsync(50)
        const accepted = tokens.filter((token) => broker.publisher.outcomes.get(token) === 'ok').length
        const next = await broker.restart()
        if (accepted > 0) assert.ok(next.topicStats('t').depth >= accepted, `crash at call ${call}`)
      }
    })

    it('makes a channel durable before the subscriber is told', async () => {
      const broker = await open()
      storage.hold()
      let told = false
      const subscribing = broker.subscribe('t', 'c').then(() => {
        told = true
      })
      await clock.advanceAsync(100)
      assert.equal(told, false)
      storage.release()
      await settled(clock, subscribing)
      const next = await broker.restart()
      assert.ok(next.engine.getTopic('t')?.getChannel('c'))
    })
  })

  describe('2: sequences are never reused', () => {
    it('does not take a new message for one that was finished and lost with the crash', async () => {
      let lost = 0
      for (let seed = 0; seed < 30; seed++) {
        const random = seededRandom(seed)
        storage = new SimulatedStorage({ clock, random, latencyMs: () => 1, durabilities: ['none', 'process'] })
        const options = { durability: 'none' as const }
        const broker = await TestBroker.open({ storage, clock, options })
        const consumer = await broker.subscribe('t', 'c')
        for (const body of ['a', 'b', 'c']) {
          broker.publish('t', body)
          await clock.advanceAsync(10)
        }
        consumer.finishAll()
        await clock.advanceAsync(100)
        const kept = storage.recover()
        const next = await TestBroker.open({ storage: kept, clock, options })
        const again = await next.subscribe('t', 'c')
        const tokens = ['d', 'e', 'f'].map((body) => next.publish('t', body))
        await clock.advanceAsync(100)
        assert.ok(tokens.every((token) => next.publisher.outcomes.get(token) === 'ok'))
        const fresh = again.bodies.filter((body) => 'def'.includes(body))
        assert.deepEqual(fresh, ['d', 'e', 'f'], `seed ${seed}`)
        const log = next.engine.getTopic('t')?.log
        if (log !== undefined && log.store.next < 3) lost++
        for (const { id, body } of again.deliveries) {
          const before = consumer.deliveries.find((each) => each.id === id)
          if (before !== undefined) assert.equal(before.body, body, `id ${id} came twice, seed ${seed}`)
        }
      }
      assert.ok(lost > 0, 'no crash lost what was finished: the test proves nothing')
    })
  })

  describe('3: appends commit in order, and none after one that failed', () => {
    it('refuses everything behind a failed append, delivers nothing of it when the store was full, and goes on', async () => {
      const broker = await open()
      const consumer = await broker.subscribe('t', 'c')
      fault = 'E_STORAGE_FULL'
      failing.add('append')
      const refused = [broker.publish('t', 'a'), broker.publish('t', 'b')]
      await clock.advanceAsync(5)
      for (const token of refused) assert.ok(broker.publisher.outcomes.get(token) instanceof BrokerError)
      assert.notEqual(broker.engine.health, 'OK')
      failing.clear()
      await clock.advanceAsync(1000)
      assert.equal(broker.engine.health, 'OK')
      const accepted = broker.publish('t', 'c')
      await clock.advanceAsync(10)
      assert.equal(broker.publisher.outcomes.get(accepted), 'ok')
      assert.deepEqual(consumer.bodies, ['c'])
    })

    it('delivers what a failed write left behind, at most once more, and loses nothing around it', async () => {
      const broker = await open()
      const consumer = await broker.subscribe('t', 'c')
      broker.publish('t', 'before')
      await clock.advanceAsync(10)
      fault = 'E_STORAGE_IO'
      failing.add('append')
      broker.publish('t', 'unknown')
      await clock.advanceAsync(5)
      failing.clear()
      await clock.advanceAsync(1000)
      broker.publish('t', 'after')
      await clock.advanceAsync(10)
      assert.deepEqual(
        consumer.bodies.filter((body) => body !== 'unknown'),
        ['before', 'after'],
      )
      assert.ok(consumer.bodies.filter((body) => body === 'unknown').length <= 1)
    })
  })

  describe('4: trims follow the cursor saves that allow them', () => {
    it('trims nothing that a crash could still need, and gives back what every channel has finished', async () => {
      const broker = await open()
      const fast = await broker.subscribe('t', 'fast', { ready: 2500 })
      const slow = await broker.subscribe('t', 'slow', { ready: 2500 })
      for (let i = 0; i < 50; i++) {
        broker.publish('t', ...Array.from({ length: 20 }, (_, j) => `${i}.${j}`))
        await clock.advanceAsync(10)
      }
      fast.finishAll()
      await clock.advanceAsync(3000)
      slow.deliveries.slice(0, 500).forEach((delivery) => void slow.finish(delivery))
      await clock.advanceAsync(3000)
      const next = await broker.restart()
      const again = await next.subscribe('t', 'slow', { ready: 2500 })
      await clock.advanceAsync(100)
      assert.equal(again.deliveries.length, 500)
      again.finishAll()
      await clock.advanceAsync(3000)
      const [log] = await settled(clock, next.storage.listLogs())
      await next.close()
      const closed = (next.storage as SimulatedStorage).recover()
      await closed.open()
      const store = await settled(clock, closed.openLog(log, { durability: 'process', epoch: 0 }))
      assert.equal(store.first, 1000)
    })
  })

  describe('6: cursors are saved within a bound', () => {
    it('delivers again at most 10,000 finished messages plus the ready count, also when saves stall', async () => {
      const broker = await open()
      const consumer = await broker.subscribe('t', 'c', { ready: 2500 })
      for (let i = 0; i < 30; i++) broker.publish('t', ...Array.from({ length: 1000 }, (_, j) => `${i}.${j}`))
      await clock.advanceAsync(20)
      storage.hold()
      let finished = 0
      for (let before = -1; before !== finished; ) {
        before = finished
        for (; finished < consumer.deliveries.length; finished++) consumer.finish(consumer.deliveries[finished])
        await clock.advanceAsync(60)
      }
      assert.ok(finished >= 10_000 && finished <= 12_500, `finished ${finished} unsaved`)
      const next = await broker.restart()
      const again = await next.subscribe('t', 'c', { ready: 2500 })
      await clock.advanceAsync(20)
      const repeated = again.deliveries.filter(({ body }) => consumer.bodies.includes(body)).length
      assert.ok(repeated <= 12_500)
      assert.ok(next.channelStats('t', 'c').depth + again.deliveries.length >= 30_000 - finished)
    })

    it('saves again what a failed save had, so that what was finished long ago does not come back', async () => {
      const broker = await open()
      const consumer = await broker.subscribe('t', 'c')
      broker.publish('t', 'stays', 'a', 'b')
      await clock.advanceAsync(10)
      fault = 'E_STORAGE_IO'
      failing.add('saveCursor')
      consumer.finish(consumer.last('a'))
      await clock.advanceAsync(200)
      failing.clear()
      await clock.advanceAsync(200)
      const next = await broker.restart()
      const again = await next.subscribe('t', 'c')
      await clock.advanceAsync(100)
      assert.deepEqual(again.bodies, ['stays', 'b'])
    })

    it('starts what was delivered and not finished with attempts of at least 2', async () => {
      const broker = await open()
      const consumer = await broker.subscribe('t', 'c')
      broker.publish('t', 'a', 'b', 'c')
      await clock.advanceAsync(10)
      assert.equal(consumer.finish(consumer.last('b')), SettleResult.ok)
      await clock.advanceAsync(100)
      const next = await broker.restart()
      const again = await next.subscribe('t', 'c')
      next.publish('t', 'd')
      await clock.advanceAsync(10)
      assert.deepEqual(
        again.deliveries.map(({ body, attempts }) => [body, attempts]),
        [
          ['a', 2],
          ['c', 2],
          ['d', 1],
        ],
      )
    })

    it('keeps attempts and due times of requeued messages', async () => {
      const broker = await open()
      const consumer = await broker.subscribe('t', 'c')
      broker.publish('t', 'a')
      await clock.advanceAsync(10)
      for (let i = 0; i < 3; i++) {
        consumer.requeue(consumer.last('a'), 0)
        await clock.advanceAsync(10)
      }
      consumer.requeue(consumer.last('a'), 60_000)
      await clock.advanceAsync(100)
      const next = await broker.restart()
      const again = await next.subscribe('t', 'c')
      await clock.advanceAsync(10)
      assert.deepEqual(again.bodies, [])
      assert.equal(next.channelStats('t', 'c').deferredCount, 1)
      await clock.advanceAsync(60_000)
      assert.equal(again.last('a').attempts, 5)
    })

    it('keeps the due times of deferred publishes', async () => {
      const broker = await open()
      await broker.subscribe('t', 'c')
      broker.publishDeferred('t', 'later', 60_000)
      await clock.advanceAsync(100)
      const next = await broker.restart()
      const consumer = await next.subscribe('t', 'c')
      await clock.advanceAsync(59_000)
      assert.deepEqual(consumer.bodies, [])
      await clock.advanceAsync(2000)
      assert.deepEqual(consumer.bodies, ['later'])
    })
  })

  describe('7: damage is named, never guessed around', () => {
    it('stops at a record that cannot be read, and says so in the health', async () => {
      const broker = await open()
      await broker.subscribe('t', 'c', { ready: 0 })
      for (const body of ['a', 'b', 'c']) {
        broker.publish('t', body)
        await clock.advanceAsync(10)
      }
      const [log] = await settled(clock, storage.listLogs())
      storage.corrupt(log, 1)
      const next = await broker.restart()
      const consumer = await next.subscribe('t', 'c')
      await clock.advanceAsync(5000)
      assert.ok(!consumer.bodies.includes('c'))
      assert.match(next.engine.health, /topic t: E_STORAGE_CORRUPT/)
    })
  })
})
