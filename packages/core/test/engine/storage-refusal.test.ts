import assert from 'node:assert/strict'
import { BrokerError } from '../../src/index.js'
import { FakeClock, SimulatedStorage, seededRandom } from '../../src/testing/index.js'
import { SettleResult, TestBroker } from './support.js'

const REASON = 'data: only 100 MiB are free'

describe('while the storage refuses', () => {
  let storage: SimulatedStorage
  let broker: TestBroker

  beforeEach(async () => {
    const clock = new FakeClock()
    storage = new SimulatedStorage({ clock, random: seededRandom(1), latencyMs: () => 1 })
    broker = await TestBroker.open({ storage, clock })
  })

  it('every publish fails as full, with the reason, and nothing of it is ever delivered', async () => {
    const consumer = await broker.subscribe('t', 'c')
    storage.refusal = REASON
    const tokens = [broker.publish('t', 'a'), broker.publish('t', 'b', 'c'), broker.publishDeferred('t', 'd', 10)]
    tokens.push(broker.publish('another', 'e'), broker.publish('short#ephemeral', 'f'))
    await broker.clock.advanceAsync(100)
    for (const token of tokens) {
      const error = broker.publisher.outcomes.get(token)
      assert.ok(error instanceof BrokerError)
      assert.deepEqual([error.code, error.detail], ['E_PUB_FAILED', REASON])
      assert.equal((error.cause as BrokerError).code, 'E_STORAGE_FULL')
    }
    storage.refusal = null
    await broker.clock.advanceAsync(100)
    assert.deepEqual(consumer.bodies, [])
  })

  it('the node says so, and does not want large bodies', () => {
    assert.deepEqual([broker.engine.health, broker.engine.pressure], ['OK', 'open'])
    storage.refusal = REASON
    assert.deepEqual([broker.engine.health, broker.engine.pressure], [`storage: ${REASON}`, 'full'])
  })

  it('what was accepted before is delivered and finished, and a restart does not bring it back', async () => {
    const consumer = await broker.subscribe('t', 'c', { ready: 1 })
    const accepted = broker.publish('t', 'a', 'b')
    storage.refusal = REASON // before the append has resolved
    await broker.clock.advanceAsync(10)
    assert.equal(broker.publisher.outcomes.get(accepted), 'ok')
    for (const body of ['a', 'b']) {
      assert.equal(consumer.finish(consumer.last(body)), SettleResult.ok)
      await broker.clock.advanceAsync(100)
    }
    const next = await broker.restart()
    assert.deepEqual((await next.subscribe('t', 'c')).bodies, [])
    assert.equal(next.channelStats('t', 'c').depth, 0)
  })

  it('publishers go on as soon as it ends', async () => {
    const consumer = await broker.subscribe('t', 'c')
    storage.refusal = REASON
    const refused = broker.publish('t', 'refused')
    storage.refusal = null
    const taken = broker.publish('t', 'taken')
    await broker.clock.advanceAsync(100)
    assert.deepEqual(broker.publisher.order, [refused, taken])
    assert.equal(broker.publisher.outcomes.get(taken), 'ok')
    assert.deepEqual(consumer.bodies, ['taken'])
    assert.equal(broker.engine.health, 'OK')
  })
})
