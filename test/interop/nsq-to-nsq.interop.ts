import assert from 'node:assert/strict'
import { OurPrograms } from '../support/our-programs.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import { settled } from './channel-waits.js'
import { NsqPrograms } from './nsq-programs.js'
import { publishAll } from './nsqjs-client.js'
import { assertEachOnce, linesOf } from './published-lines.js'

for (const isOurs of [false, true]) {
  describe(isOurs ? 'nsq_to_nsq, ours' : 'nsq_to_nsq', () => {
    const originals = new NsqPrograms('nsq_to_nsq')
    const programs = isOurs ? new OurPrograms() : originals
    let brokers: readonly RunningBroker[] = []

    before(async function () {
      await originals.prepare(this)
      brokers = await Promise.all([startBroker(), startBroker()])
    })
    afterEach(() => {
      originals.killForgotten()
      programs.killForgotten()
    })
    after(() => Promise.all(brokers.map((broker) => broker.stop())))

    it('moves each message of a topic to another broker, once', async () => {
      const [source, destination] = brokers
      const messageCount = 2_000
      await publishAll(source, 'moved', messageCount)
      const mover = programs.start('nsq_to_nsq', [
        `--nsqd-tcp-address=${source.tcpAddress}`,
        '--topic=moved',
        '--channel=move',
        `--destination-nsqd-tcp-address=${destination.tcpAddress}`,
        '--destination-topic=arrived',
      ])
      const tail = await originals.run('nsq_tail', [
        `--nsqd-tcp-address=${destination.tcpAddress}`,
        '--topic=arrived',
        '--channel=tail',
        `-n=${messageCount}`,
      ])
      assertEachOnce(linesOf(tail.stdout), messageCount)
      const stats = await settled(source, 'moved', 'move')
      assert.deepEqual(await mover.stop(), { code: 0, signal: null })
      assert.deepEqual([stats.requeue_count, stats.timeout_count], [0, 0])
      assert.equal((await destination.http.topicStats('arrived'))?.message_count, messageCount)
    })
  })
}
