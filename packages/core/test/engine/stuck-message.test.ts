import assert from 'node:assert/strict'
import type { LogStore } from '../../src/index.js'
import { FakeClock, SimulatedStorage, seededRandom } from '../../src/testing/index.js'
import { settled, TestBroker, type TestConsumer } from './support.js'

const COUNT = 30_000
const PER_PUBLISH = 500

/** Message n; its body is the number. */
const bodies = (first: number): string[] => Array.from({ length: PER_PUBLISH }, (_, at) => String(first + at))

describe('a message that is never finished, while others pass', () => {
  let clock: FakeClock
  const newStorage = (seed: number, resident = false): SimulatedStorage =>
    new SimulatedStorage({ clock, random: seededRandom(seed), latencyMs: () => 1, resident })

  beforeEach(() => {
    clock = new FakeClock()
  })

  /** All but `stuck` are published, delivered and finished, and what follows from that has happened. */
  async function pass(broker: TestBroker, stuck: ReadonlySet<string>): Promise<TestConsumer> {
    const consumer = await broker.subscribe('t', 'c', { ready: 2500 })
    consumer.onDelivery = (delivery) => {
      if (!stuck.has(delivery.body)) consumer.finish(delivery)
    }
    for (let first = 0; first < COUNT; first += PER_PUBLISH) {
      broker.publish('t', ...bodies(first))
      await clock.advanceAsync(20)
    }
    await clock.advanceAsync(5000)
    assert.equal(consumer.deliveries.length, COUNT)
    return consumer
  }

  const storedCount = async (store: LogStore): Promise<number> => {
    const chunks = await settled(clock, store.read(0, Number.POSITIVE_INFINITY))
    return chunks.reduce((sum, { count }) => sum + count, 0)
  }

  it('keeps neither the memory nor the room of those in storage, and a crash brings back no other', async () => {
    const stuck = new Set(['0', '10000'])
    let storedMin = COUNT
    for (let seed = 0; seed < 8; seed++) {
      const broker = await TestBroker.open({ storage: newStorage(seed), clock })
      await pass(broker, stuck)
      const { log } = broker.engine.getTopic('t') ?? assert.fail()
      assert.ok(broker.engine.budget.usedBytes < 1024 * 1024, `${broker.engine.budget.usedBytes} bytes in memory`)
      storedMin = Math.min(storedMin, await storedCount(log.store))
      const next = await broker.restart()
      const again = await next.subscribe('t', 'c', { ready: 2500 })
      await clock.advanceAsync(1000)
      assert.deepEqual(new Set(again.bodies), stuck, `seed ${seed}`)
      assert.equal(next.engine.health, 'OK')
      again.finishAll()
      await clock.advanceAsync(2000)
      assert.equal(next.channelStats('t', 'c').depth, 0)
      await next.close()
    }
    assert.ok(storedMin < COUNT / 2, `never less than ${storedMin} records are left in storage`)
  })

  it('is not told to a store that is just being opened again, or of a topic that is just being deleted', async () => {
    let failing: readonly string[] = []
    const fault = (operation: string) => (failing.includes(operation) ? ('E_STORAGE_IO' as const) : null)
    const storage = new SimulatedStorage({ clock, random: seededRandom(1), latencyMs: () => 1, fault })
    const broker = await TestBroker.open({ storage, clock })
    const consumer = await broker.subscribe('t', 'c', { ready: 2500 })
    consumer.onDelivery = (delivery) => {
      if (delivery.body !== '0') consumer.finish(delivery)
    }
    for (let first = 0; first < 5000; first += PER_PUBLISH) broker.publish('t', ...bodies(first))
    await clock.advanceAsync(200)
    failing = ['append', 'openLog']
    broker.publish('t', 'refused')
    await clock.advanceAsync(3000)
    assert.match(broker.engine.health, /E_STORAGE_IO/)
    failing = []
    await clock.advanceAsync(10_000)
    assert.equal(broker.engine.health, 'OK')
    const { log } = broker.engine.getTopic('t') ?? assert.fail()
    assert.ok((await storedCount(log.store)) < 5000)
    const deleted = broker.engine.getTopic('t')?.delete()
    await clock.advanceAsync(3000)
    await deleted
  })

  it('does not keep the memory of a resident storage either', async () => {
    const broker = await TestBroker.open({ storage: newStorage(1, true), clock })
    const consumer = await pass(broker, new Set(['5']))
    assert.ok(broker.engine.budget.usedBytes < 1024 * 1024, `${broker.engine.budget.usedBytes} bytes in memory`)
    await clock.advanceAsync(60_000)
    assert.equal(consumer.last('5').attempts, 2)
    consumer.finish(consumer.last('5'))
    await clock.advanceAsync(2000)
    assert.deepEqual([broker.channelStats('t', 'c').depth, broker.engine.health], [0, 'OK'])
  })
})
