import assert from 'node:assert/strict'
import { decodeHead, type OldMessage, readCatalogue, TopicWriter } from '../../src/index.js'
import { FakeClock, SimulatedStorage, seededRandom } from '../../src/testing/index.js'
import { settled, TestBroker } from './support.js'

const TOPIC_OWN = 3

describe('a topic that another broker has left', () => {
  let clock: FakeClock
  let storage: SimulatedStorage

  beforeEach(async () => {
    clock = new FakeClock()
    storage = new SimulatedStorage({ clock, random: seededRandom(1), latencyMs: () => 0 })
    await settled(clock, storage.open())
  })

  /** `counts[i]` messages for channel `i`, and a few for the topic itself. */
  async function write(counts: readonly number[], attemptsOf: (index: number) => number = () => 0): Promise<void> {
    const writer = await settled(clock, TopicWriter.create(storage, 't', { durability: 'process', paused: false }))
    for (const [channel, count] of counts.entries()) {
      const messages = messagesOf(`${channel}`, count, attemptsOf)
      await settled(clock, writer.writeChannel(`${channel}`, false, messages))
    }
    const writes = await settled(clock, writer.finish(messagesOf('own', TOPIC_OWN)))
    await settled(clock, Promise.resolve(storage.writeCatalogue(writes)))
  }

  async function* messagesOf(
    name: string,
    count: number,
    attemptsOf: (index: number) => number = () => 0,
  ): AsyncGenerator<readonly OldMessage[]> {
    for (let at = 0; at < count; at += 1000) {
      yield Array.from({ length: Math.min(1000, count - at) }, (_, index) => {
        const bytes = Buffer.from(`${name}-${at + index}`)
        return {
          timestampHigh: 1,
          timestampLow: 2,
          attempts: attemptsOf(at + index),
          bytes,
          start: 0,
          end: bytes.length,
        }
      })
    }
  }

  async function loadCursors() {
    const topic = (await settled(clock, readCatalogue(storage))).get('t')
    assert.ok(topic)
    const log = await settled(clock, storage.openLog(topic.entry.log, { durability: 'process', epoch: 0 }))
    const cursors = []
    for (const { id } of topic.channels.values()) {
      const saved = await settled(clock, log.loadCursor(id))
      assert.ok(saved)
      cursors.push({ head: decodeHead(id, saved.head), pageCount: saved.pages.size })
    }
    await settled(clock, log.close())
    return cursors
  }

  async function restart(): Promise<TestBroker> {
    storage = storage.recover()
    return TestBroker.open({ storage, clock })
  }

  it('costs a channel nothing for the records of the others, however many there are', async () => {
    await write([10, 20_000, 5, 0])
    assert.deepEqual(await loadCursors(), [
      { head: { floor: 0, deliveredUpTo: 0, finishedRun: { first: 10, end: 20_015 } }, pageCount: 0 },
      { head: { floor: 10, deliveredUpTo: 10, finishedRun: { first: 20_010, end: 20_015 } }, pageCount: 0 },
      { head: { floor: 20_010, deliveredUpTo: 20_010, finishedRun: null }, pageCount: 0 },
      { head: { floor: 20_015, deliveredUpTo: 20_015, finishedRun: null }, pageCount: 0 },
    ])
  })

  it('keeps a page only where something was delivered before', async () => {
    await write([9_000, 9_000], (index) => (index === 5_000 ? 7 : 0))
    assert.deepEqual(
      (await loadCursors()).map(({ pageCount }) => pageCount),
      [1, 1],
    )
  })

  it('gives each channel its own, finished in whatever order and however often the broker dies meanwhile', async function () {
    this.timeout(60_000)
    const random = seededRandom(20_261_128)
    const counts = [3_000, 0, 9_000, 1, 4_096, 2_000]
    await write(counts, (index) => (index % 1_500 === 1 ? 2 : 0))
    const left = counts.map((count, channel) => [
      ...Array.from({ length: count }, (_, index) => `${channel}-${index}`),
      ...Array.from({ length: TOPIC_OWN }, (_, index) => `own-${index}`),
    ])
    const missing = left.map((bodies) => new Set(bodies))
    for (let life = 0; life < 4; life++) {
      const broker = await restart()
      for (const [channel, bodies] of missing.entries()) {
        const { depth } = broker.channelStats('t', `${channel}`)
        assert.equal(depth, bodies.size, `channel ${channel} in life ${life}`)
      }
      for (const [channel, bodies] of missing.entries()) {
        const consumer = await broker.subscribe('t', `${channel}`, { ready: 2_500, writableBytes: 1e9 })
        await broker.settle()
        const share = life === 3 ? 1 : 0.5
        for (let at = 0; at < consumer.deliveries.length; at++) {
          const delivery = consumer.deliveries[at]
          if (random() >= share) continue
          assert.ok(bodies.delete(delivery.body), `${delivery.body} in channel ${channel} of life ${life}`)
          consumer.finish(delivery)
          if (at % 500 === 499) await broker.settle()
        }
        await clock.advanceAsync(1_000)
        if (life < 3) continue
        for (let at = consumer.deliveries.length; at > 0 && bodies.size > 0; at = consumer.deliveries.length) {
          for (const delivery of consumer.deliveries.splice(0)) {
            if (bodies.delete(delivery.body)) consumer.finish(delivery)
          }
          await clock.advanceAsync(100)
        }
        assert.equal(bodies.size, 0, `channel ${channel} at the end`)
      }
      await clock.advanceAsync(5_000)
    }
    const broker = await restart()
    for (const channel of missing.keys()) assert.equal(broker.channelStats('t', `${channel}`).depth, 0)
  })
})
