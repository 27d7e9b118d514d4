import assert from 'node:assert/strict'
import { TestCluster } from '../support/test-cluster.js'

export interface ClusterConsumerOptions {
  /** `host:port` of nsqlookupd's HTTP API: all that the consumer is told. */
  readonly lookupdHttpAddress: string
  readonly topic: string
  readonly channel: string
  /** Called with each body, before the message is finished. */
  received(body: string): void
}

/** Ends a consumer. */
export type StopConsumer = () => Promise<void>

const TOPIC = 'spread'
const LIMIT_MS = 120_000
/** Killed, and started again on its ports and its data path. */
const KILLED = 0

/** What every consumer that asks nsqlookupd must be able to do with three of our brokers, called from inside a `describe`. */
export function testClusterConsumer(startConsumer: (options: ClusterConsumerOptions) => Promise<StopConsumer>): void {
  it('finds three brokers through nsqlookupd; when one is killed under load it goes on with the others, and misses nothing', async function () {
    this.timeout(LIMIT_MS)
    const cluster = await TestCluster.start(TOPIC, ['--msg-timeout=2s'])
    let stopConsumer: StopConsumer | undefined
    try {
      await cluster.createTopic()
      stopConsumer = await startConsumer({
        lookupdHttpAddress: cluster.lookupd.httpAddress,
        topic: TOPIC,
        channel: 'c',
        received: (body) => cluster.received(body),
      })
      cluster.publish()
      await Promise.all([0, 1, 2].map((broker) => cluster.untilReceivedMore(broker, 500)))

      await cluster.brokers[KILLED].kill()
      const acknowledgedByKilled = cluster.acknowledgedCount(KILLED)
      await Promise.all([1, 2].map((broker) => cluster.untilReceivedMore(broker, 1_000)))
      assert.equal(
        cluster.acknowledgedCount(KILLED),
        acknowledgedByKilled,
        'a broker that is down acknowledges nothing',
      )

      await cluster.brokers[KILLED].start()
      await cluster.untilReceivedMore(KILLED, 500)
      await cluster.stopPublishing()
      await cluster.untilNothingIsMissing()
    } finally {
      await stopConsumer?.()
      await cluster.discard()
    }
  })
}
