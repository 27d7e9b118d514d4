import assert from 'node:assert/strict'
import { type OldMessage, readCatalogue, TopicWriter } from '@spillway/core'
import { FakeClock, SimulatedStorage, seededRandom } from '@spillway/core/testing'
import { wantedRecords } from '../src/doctor/wanted-records.js'

describe('what a channel has not finished', () => {
  it('leaves out the records of the other channels of a topic that was taken over', async () => {
    const clock = new FakeClock()
    const storage = new SimulatedStorage({ clock, random: seededRandom(1), latencyMs: () => 0 })
    const settled = async <T>(promise: Promise<T>): Promise<T> => {
      await clock.settle()
      return promise
    }
    await settled(storage.open())
    const writer = await settled(TopicWriter.create(storage, 't', { durability: 'process', paused: false }))
    await settled(writer.writeChannel('a', false, messages(10)))
    await settled(writer.writeChannel('b', false, messages(10_000)))
    await settled(Promise.resolve(storage.writeCatalogue(await settled(writer.finish(messages(5))))))
    const topic = (await settled(readCatalogue(storage))).get('t')
    assert.ok(topic)
    const log = await settled(storage.openLog(topic.entry.log, { durability: 'process', epoch: 0 }))
    const wanted = new Map<string, unknown>()
    for (const [name, entry] of topic.channels) {
      const cursor = await settled(log.loadCursor(entry.id))
      wanted.set(name, wantedRecords({ entry, cursor, logFirst: 0, end: 10_015, voids: [] }))
    }
    assert.deepEqual(wanted.get('a'), [
      { first: 0, end: 10 },
      { first: 10_010, end: 10_015 },
    ])
    assert.deepEqual(wanted.get('b'), [{ first: 10, end: 10_015 }])
  })
})

async function* messages(count: number): AsyncGenerator<readonly OldMessage[]> {
  const message = { timestampHigh: 1, timestampLow: 2, attempts: 0, bytes: Buffer.from('x'), start: 0, end: 1 }
  yield Array.from({ length: count }, () => message)
}
