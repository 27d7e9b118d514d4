import { Consumer } from '@spillway/client'
import { testClusterConsumer } from '../interop/cluster-suite.js'

describe('client: a cluster', () => {
  testClusterConsumer(async ({ lookupdHttpAddress, topic, channel, received }) => {
    const consumer = new Consumer({
      topic,
      channel,
      lookupdAddress: lookupdHttpAddress,
      lookupdPollIntervalMs: 500,
      maxInFlight: 100,
      maxAttempts: 0,
      closeTimeoutMs: 1_000,
      reconnectDelayMs: 20,
      reconnectDelayMsMax: 200,
    })
    await consumer.connect()
    void consumer.run((message) => received(message.text()))
    return () => consumer.close()
  })
})
