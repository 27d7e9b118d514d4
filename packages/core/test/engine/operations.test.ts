import assert from 'node:assert/strict'
import { BrokerError, type ClientStats } from '../../src/index.js'
import { SettleResult, settled, TestBroker } from './support.js'

describe('statistics', () => {
  it('of a topic have the producers of the node, of one that is not there none', async () => {
    const broker = await TestBroker.open()
    broker.engine.addClient({ stats: () => ({ publishCounts: new Map([['gone', 1]]) }) as unknown as ClientStats })
    broker.engine.openTopic('t')
    const producerCount = (topic: string): number =>
      broker.engine.stats({ topic, includeClients: true }).producers.length
    assert.equal(producerCount('t'), 1)
    assert.equal(producerCount('gone'), 0)
  })
})

describe('operations', () => {
  let broker: TestBroker
  const wait = <T>(promise: Promise<T> | undefined): Promise<T> => settled(broker.clock, promise as Promise<T>)
  beforeEach(async () => {
    broker = await TestBroker.open()
  })

  describe('pause', () => {
    it('of a topic keeps what is published at the topic until it goes on', async () => {
      const consumer = await broker.subscribe('t', 'c')
      await wait(broker.engine.getTopic('t')?.pause())
      broker.publish('t', 'a')
      await broker.settle()
      assert.deepEqual(consumer.bodies, [])
      assert.equal(broker.topicStats('t').depth, 1)
      assert.equal(broker.channelStats('t', 'c').depth, 0)
      await wait(broker.engine.getTopic('t')?.unpause())
      await broker.settle()
      assert.deepEqual(consumer.bodies, ['a'])
      assert.equal(broker.topicStats('t').depth, 0)
    })

    it('of a topic gives a channel that is created meanwhile what waits', async () => {
      await broker.subscribe('t', 'old')
      await wait(broker.engine.getTopic('t')?.pause())
      broker.publish('t', 'a', 'b', 'c')
      await broker.settle()
      const late = await broker.subscribe('t', 'late')
      await wait(broker.engine.getTopic('t')?.unpause())
      await broker.settle()
      assert.deepEqual(late.bodies, ['a', 'b', 'c'])
    })

    it('of a channel holds its messages back, but lets those in flight be finished', async () => {
      const consumer = await broker.subscribe('t', 'c', { ready: 1 })
      const other = await broker.subscribe('t', 'other')
      broker.publish('t', 'a', 'b')
      await broker.settle()
      const channel = broker.engine.getTopic('t')?.getChannel('c')
      await wait(channel?.pause())
      assert.equal(consumer.finish(consumer.last('a')), SettleResult.ok)
      await broker.settle()
      assert.deepEqual(consumer.bodies, ['a'])
      assert.deepEqual(other.bodies, ['a', 'b'])
      await wait(channel?.unpause())
      await broker.settle()
      assert.deepEqual(consumer.bodies, ['a', 'b'])
    })

    it('of topics and channels outlasts a crash', async () => {
      await broker.subscribe('t', 'c')
      await wait(broker.engine.getTopic('t')?.pause())
      await wait(broker.engine.getTopic('t')?.getChannel('c')?.pause())
      broker.publish('t', 'a')
      await broker.settle()
      broker = await broker.restart()
      assert.equal(broker.topicStats('t').paused, true)
      assert.equal(broker.topicStats('t').depth, 1)
      assert.equal(broker.channelStats('t', 'c').paused, true)
    })
  })

  describe('empty', () => {
    it('of a topic forgets what waits at the topic, and leaves channels what they have', async () => {
      const consumer = await broker.subscribe('t', 'c', { ready: 0 })
      broker.publish('t', 'kept')
      await broker.settle()
      await wait(broker.engine.getTopic('t')?.pause())
      broker.publish('t', 'gone', 'gone too')
      await broker.settle()
      await wait(broker.engine.getTopic('t')?.empty())
      assert.equal(broker.topicStats('t').depth, 0)
      await wait(broker.engine.getTopic('t')?.unpause())
      consumer.subscription.setReady(10)
      broker.publish('t', 'next')
      await broker.settle()
      assert.deepEqual(consumer.bodies, ['kept', 'next'])
      assert.equal(broker.channelStats('t', 'c').messageCount, 2)
    })

    it('of a topic outlasts a crash', async () => {
      await broker.subscribe('t', 'c', { ready: 0 })
      await wait(broker.engine.getTopic('t')?.pause())
      broker.publish('t', 'gone', 'gone too')
      await broker.settle()
      await wait(broker.engine.getTopic('t')?.empty())
      broker = await broker.restart()
      await wait(broker.engine.getTopic('t')?.unpause())
      broker.publish('t', 'next')
      const consumer = await broker.subscribe('t', 'c')
      await broker.settle()
      assert.deepEqual(consumer.bodies, ['next'])
      assert.equal(broker.channelStats('t', 'c').depth, 0)
    })

    it('of a channel forgets what waits, is in flight or deferred', async () => {
      const consumer = await broker.subscribe('t', 'c', { ready: 2 })
      broker.publish('t', 'a', 'b', 'c', 'd')
      broker.publishDeferred('t', 'later', 1000)
      await broker.settle()
      consumer.requeue(consumer.last('b'), 1000)
      await wait(broker.engine.getTopic('t')?.getChannel('c')?.empty())
      const { depth, inFlightCount, deferredCount } = broker.channelStats('t', 'c')
      assert.deepEqual({ depth, inFlightCount, deferredCount }, { depth: 0, inFlightCount: 0, deferredCount: 0 })
      assert.equal(consumer.subscription.inFlight, 0)
      assert.equal(consumer.finish(consumer.last('a')), SettleResult.notInFlight)
      const seen = consumer.deliveries.length
      broker.publish('t', 'next')
      await broker.clock.advanceAsync(120_000)
      assert.deepEqual(consumer.bodies.slice(seen)[0], 'next')
      assert.ok(!consumer.bodies.slice(seen).some((body) => body !== 'next'))
    })
  })

  describe('delete', () => {
    it('of a channel disconnects its consumers and forgets its messages', async () => {
      const consumer = await broker.subscribe('t', 'c', { ready: 0 })
      const other = await broker.subscribe('t', 'other', { ready: 0 })
      broker.publish('t', 'a')
      await broker.settle()
      await wait(broker.engine.getTopic('t')?.getChannel('c')?.delete())
      assert.equal(consumer.disconnected, true)
      assert.equal(other.disconnected, false)
      const again = await broker.subscribe('t', 'c')
      broker.publish('t', 'b')
      await broker.settle()
      assert.deepEqual(again.bodies, ['b'])
    })

    it('of the last channel makes messages wait at the topic again, for the next first channel', async () => {
      await broker.subscribe('t', 'c')
      await wait(broker.engine.getTopic('t')?.getChannel('c')?.delete())
      broker.publish('t', 'a')
      await broker.settle()
      assert.equal(broker.topicStats('t').depth, 1)
      broker = await broker.restart()
      const next = await broker.subscribe('t', 'next')
      await broker.settle()
      assert.deepEqual(next.bodies, ['a'])
    })

    it('of a topic fails the publishes under way, disconnects consumers, and a topic of that name begins anew', async () => {
      const consumer = await broker.subscribe('t', 'c')
      broker.publish('t', 'old')
      await broker.settle()
      const token = broker.publish('t', 'under way')
      const deleting = broker.engine.getTopic('t')?.delete()
      await wait(deleting)
      await broker.settle()
      const outcome = broker.publisher.outcomes.get(token)
      assert.ok(outcome instanceof BrokerError && outcome.detail === 'exiting')
      assert.equal(consumer.disconnected, true)
      assert.equal(broker.engine.getTopic('t'), undefined)
      broker.publish('t', 'new')
      const next = await broker.subscribe('t', 'c')
      await broker.settle()
      assert.deepEqual(next.bodies, ['new'])
      assert.notEqual(next.last('new').id, consumer.last('old').id)
    })

    it('of a topic outlasts a crash', async () => {
      await broker.subscribe('t', 'c')
      broker.publish('t', 'a')
      await broker.settle()
      await wait(broker.engine.getTopic('t')?.delete())
      broker = await broker.restart()
      assert.equal(broker.engine.getTopic('t'), undefined)
      assert.deepEqual(await broker.storage.listLogs(), [])
    })
  })

  describe('ephemeral', () => {
    it('channels go with their last consumer', async () => {
      const consumer = await broker.subscribe('t', 'c#ephemeral')
      consumer.subscription.close()
      await broker.settle()
      assert.equal(broker.engine.getTopic('t')?.getChannel('c#ephemeral'), undefined)
    })

    it('channels keep their oldest messages and drop the newest beyond their bound', async () => {
      broker = await TestBroker.open({ options: { memQueueSize: 10 } })
      const consumer = await broker.subscribe('t', 'c#ephemeral', { ready: 0 })
      const bodies = Array.from({ length: 25 }, (_, i) => `${i}`)
      const token = broker.publish('t', ...bodies)
      await broker.settle()
      assert.equal(broker.publisher.outcomes.get(token), 'ok')
      assert.equal(broker.channelStats('t', 'c#ephemeral').depth, 10)
      assert.equal(broker.channelStats('t', 'c#ephemeral').messageCount, 25)
      consumer.subscription.setReady(100)
      await broker.settle()
      assert.deepEqual(consumer.bodies, bodies.slice(0, 10))
    })

    it('topics go with their last channel', async () => {
      const consumer = await broker.subscribe('t#ephemeral', 'c#ephemeral')
      broker.publish('t#ephemeral', 'a')
      await broker.settle()
      assert.deepEqual(consumer.bodies, ['a'])
      consumer.subscription.close()
      await broker.settle()
      assert.equal(broker.engine.getTopic('t#ephemeral'), undefined)
    })

    it('topics without a channel accept and drop what goes beyond their bound', async () => {
      broker = await TestBroker.open({ options: { memQueueSize: 3 } })
      const tokens = ['a', 'b', 'c', 'd', 'e'].map((body) => broker.publish('t#ephemeral', body))
      await broker.settle()
      assert.ok(tokens.every((token) => broker.publisher.outcomes.get(token) === 'ok'))
      const consumer = await broker.subscribe('t#ephemeral', 'c')
      await broker.settle()
      assert.deepEqual(consumer.bodies, ['a', 'b', 'c'])
    })

    it('topics and channels are gone after a crash, and leave nothing in storage', async () => {
      await broker.subscribe('t#ephemeral', 'c')
      await broker.subscribe('kept', 'c#ephemeral')
      broker.publish('t#ephemeral', 'a')
      broker.publish('kept', 'b')
      await broker.settle()
      broker = await broker.restart()
      assert.equal(broker.engine.getTopic('t#ephemeral'), undefined)
      assert.equal(broker.engine.getTopic('kept')?.getChannel('c#ephemeral'), undefined)
      assert.equal((await broker.storage.listLogs()).length, 1)
    })
  })

  describe('limits', () => {
    it('refuses a consumer too many with the text that clients know', async () => {
      broker = await TestBroker.open({ options: { channelConsumersMax: 1 } })
      await broker.subscribe('t', 'c')
      await assert.rejects(broker.subscribe('t', 'c'), {
        code: 'E_SUB_FAILED',
        detail: 'consumers for t:c exceeds limit of 1',
      })
    })

    it('refuses names that are not valid', async () => {
      assert.throws(() => broker.engine.openTopic('no spaces'), { code: 'E_BAD_TOPIC' })
      await assert.rejects(broker.subscribe('t', 'no spaces'), { code: 'E_SUB_FAILED' })
    })
  })

  describe('discovery', () => {
    const answering = (channelsOf: (topic: string) => Promise<string[]>) => {
      const announced: string[] = []
      return {
        announced,
        settings: [],
        start() {},
        topicCreated: (topic: string) => announced.push(`+${topic}`),
        topicDeleted: (topic: string) => announced.push(`-${topic}`),
        channelCreated: (topic: string, channel: string) => announced.push(`+${topic}/${channel}`),
        channelDeleted: (topic: string, channel: string) => announced.push(`-${topic}/${channel}`),
        channelsOf,
        stop: async () => {},
      }
    }

    it('gives the first message of a new topic to all the channels that it has elsewhere', async () => {
      const discovery = answering(async () => ['one', 'two', 'three#ephemeral'])
      broker = await TestBroker.open({ discoveries: [discovery] })
      broker.publish('t', 'a')
      await broker.settle()
      assert.equal(broker.channelStats('t', 'one').depth, 1)
      assert.equal(broker.channelStats('t', 'two').depth, 1)
      assert.equal(broker.engine.getTopic('t')?.getChannel('three#ephemeral'), undefined)
      assert.deepEqual(discovery.announced, ['+t', '+t/one', '+t/two'])
    })

    it('never makes the publisher wait, and delivers after a bound when nobody answers', async () => {
      broker = await TestBroker.open({ discoveries: [answering(() => new Promise(() => {}))] })
      const token = broker.publish('t', 'a')
      const consumer = await broker.subscribe('t', 'c')
      await broker.settle()
      assert.equal(broker.publisher.outcomes.get(token), 'ok')
      assert.deepEqual(consumer.bodies, [])
      await broker.clock.advanceAsync(1000)
      assert.deepEqual(consumer.bodies, ['a'])
    })

    it('makes the channels of a late answer, for what is published from then on', async () => {
      let answer: (channels: string[]) => void = () => {}
      broker = await TestBroker.open({ discoveries: [answering(() => new Promise((resolve) => (answer = resolve)))] })
      await broker.subscribe('t', 'c')
      broker.publish('t', 'a')
      await broker.settle()
      await broker.clock.advanceAsync(1000)
      answer(['late'])
      await broker.settle()
      broker.publish('t', 'b')
      await broker.settle()
      assert.equal(broker.channelStats('t', 'late').depth, 1)
    })

    it('does not give the channels of a topic that was deleted meanwhile to a new one of its name, nor says a word', async () => {
      const answers: ((channels: string[]) => void)[] = []
      const discovery = answering(() => new Promise((resolve) => answers.push(resolve)))
      broker = await TestBroker.open({ discoveries: [discovery] })
      broker.publish('t', 'a')
      await broker.settle()
      await broker.engine.getTopic('t')?.delete()
      broker.publish('t', 'b')
      answers[0]?.(['old'])
      await broker.settle()
      assert.deepEqual(discovery.announced, ['+t', '-t', '+t'])
      answers[1]?.(['new'])
      await broker.settle()
      assert.deepEqual(discovery.announced, ['+t', '-t', '+t', '+t/new'])
      assert.equal(broker.channelStats('t', 'new').depth, 1)
      assert.deepEqual(broker.logger.messages('warn'), [])
    })
  })
})
