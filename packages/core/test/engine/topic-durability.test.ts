import assert from 'node:assert/strict'
import { TopicDurabilities } from '../../src/engine/topic-durabilities.js'
import type { BrokerOptions } from '../../src/index.js'
import { FakeClock, SimulatedStorage, seededRandom } from '../../src/testing/index.js'
import { TestBroker } from './support.js'

describe('the durability of a topic', () => {
  const durabilities = ['none', 'process', 'power'] as const

  it('is that of its name, else that of the longest beginning of it, else that of the node', () => {
    const byTopic = { 'a.*': 'none', 'a.b.*': 'power', 'a.b.c': 'none', 'a.b.c*': 'process', x: 'power' } as const
    const found = new TopicDurabilities({ durability: 'process', durabilityByTopic: byTopic }, { durabilities })
    const wanted = {
      'a.x': 'none',
      'a.b.x': 'power',
      'a.b.c': 'none',
      'a.b.cd': 'process',
      a: 'process',
      xy: 'process',
    }
    for (const [topic, durability] of Object.entries(wanted)) assert.equal(found.of(topic), durability, topic)
    assert.equal(found.of('x'), 'power')
  })

  it('is that of "*" where nothing else is said, and always the weakest for what is ephemeral', () => {
    const byTopic = { '*': 'power', a: 'process' } as const
    const found = new TopicDurabilities({ durability: 'process', durabilityByTopic: byTopic }, { durabilities })
    assert.deepEqual(
      ['a', 'b', 'b#ephemeral'].map((topic) => found.of(topic)),
      ['process', 'power', 'none'],
    )
  })

  describe('at a start', () => {
    let clock: FakeClock
    const open = (storage: SimulatedStorage, t: BrokerOptions['durability']): Promise<TestBroker> =>
      TestBroker.open({ storage, clock, options: { durability: 'process', durabilityByTopic: { t } } })
    const newStorage = (seed: number): SimulatedStorage =>
      new SimulatedStorage({ clock, random: seededRandom(seed), latencyMs: () => 1 })
    const entryOf = async (storage: SimulatedStorage): Promise<{ durability: string }> => {
      await storage.open()
      const reading = storage.readCatalogue('topic/')
      await clock.advanceAsync(10)
      return JSON.parse(Buffer.from((await reading).get('topic/t') as Uint8Array).toString())
    }

    beforeEach(() => {
      clock = new FakeClock()
    })

    it('is what the configuration says by then, and is kept so', async () => {
      let storage = newStorage(1)
      const before = await open(storage, 'power')
      await before.subscribe('t', 'c')
      await before.close()
      storage = storage.recover()
      await (await open(storage, 'none')).close()
      assert.equal((await entryOf(storage.recover())).durability, 'none')
    })

    it('from none to process: what is acknowledged from then on survives, and no id comes twice', async () => {
      let lost = 0
      for (let seed = 0; seed < 30; seed++) {
        const first = newStorage(seed)
        const before = await open(first, 'none')
        const old = await before.subscribe('t', 'c')
        for (const body of ['a', 'b', 'c']) {
          before.publish('t', body)
          await clock.advanceAsync(10)
        }
        const second = first.recover()
        const middle = await open(second, 'process')
        lost += 3 - Math.min(3, middle.engine.getTopic('t')?.log.store.next ?? 3)
        const tokens = ['d', 'e', 'f'].map((body) => middle.publish('t', body))
        await clock.advanceAsync(10)
        assert.ok(tokens.every((token) => middle.publisher.outcomes.get(token) === 'ok'))
        const after = await open(second.recover(), 'process')
        const consumer = await after.subscribe('t', 'c')
        await clock.advanceAsync(10)
        assert.deepEqual(
          consumer.bodies.filter((body) => 'def'.includes(body)),
          ['d', 'e', 'f'],
          `seed ${seed}`,
        )
        for (const { id, body } of consumer.deliveries) {
          const earlier = old.deliveries.find((each) => each.id === id)
          if (earlier !== undefined) assert.equal(body, earlier.body, `id ${id} came twice, seed ${seed}`)
        }
      }
      assert.ok(lost > 0, 'no crash lost anything: the test proves nothing')
    })
  })
})
