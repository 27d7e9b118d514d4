import assert from 'node:assert/strict'
import { Consumer, Producer } from '@spillway/client'
import { bodyOf, serialOf } from '../interop/message-plan.js'
import { eventually } from '../support/eventually.js'
import { IS_FOREIGN } from '../support/nsqd-command.js'
import { RestartableBroker } from '../support/restartable-broker.js'
import { within } from '../support/within.js'

const LIMIT_MS = 60_000
/** Of nsqd: everything goes to the disk. */
const DURABLE = ['--mem-queue-size=0', '--sync-every=1', '--msg-timeout=2s']
const RECONNECT = { reconnectDelayMs: 20, reconnectDelayMsMax: 200 }

describe('client: brokers that come and go', function () {
  this.timeout(90_000)
  let brokers: RestartableBroker[] = []
  let open: (Producer | Consumer)[] = []

  afterEach(async () => {
    await Promise.all(open.map((each) => each.close()))
    await Promise.all(brokers.map((broker) => broker.discard()))
    open = []
    brokers = []
  })

  async function startBrokers(count: number): Promise<string[]> {
    brokers = await Promise.all(Array.from({ length: count }, () => RestartableBroker.start(DURABLE)))
    return brokers.map(({ address }) => address)
  }

  // nsqd hands messages to waiting consumers past its disk, and loses those that are in flight.
  const itWhenKept = IS_FOREIGN ? it.skip : it

  itWhenKept(
    'loses nothing that was acknowledged when one of two brokers is killed under load and comes back',
    async () => {
      const count = 20_000
      const topic = 'restarts'
      const addresses = await startBrokers(2)
      const producers = [addresses, [...addresses].reverse()].map(
        (order) => new Producer({ addresses: order, retry: true, ...RECONNECT }),
      )
      const consumer = new Consumer({
        topic,
        channel: 'c',
        addresses,
        maxInFlight: 200,
        closeTimeoutMs: 1_000,
        ...RECONNECT,
      })
      open = [...producers, consumer]
      await consumer.connect()
      const deliveries = new Uint16Array(count)
      let seenCount = 0
      void consumer.run((message) => {
        const serial = serialOf(message.text())
        assert.equal(message.text(), bodyOf(serial))
        if (deliveries[serial]++ === 0) seenCount++
      })
      let acknowledgedCount = 0
      const publishers = producers.map(async (producer, index) => {
        for (let serial = index; serial < count; ) {
          const window: Promise<void>[] = []
          for (; window.length < 200 && serial < count; serial += producers.length) {
            window.push(producer.publish(topic, bodyOf(serial)))
          }
          await Promise.all(window)
          acknowledgedCount += window.length
        }
      })
      const half = (): true | undefined => (acknowledgedCount > count / 2 ? true : undefined)
      await eventually(() => (acknowledgedCount > count / 5 ? true : undefined), LIMIT_MS, 'a part published')
      await brokers[0].kill()
      await eventually(half, LIMIT_MS, 'half published')
      await brokers[0].start()
      await within(Promise.all(publishers), LIMIT_MS, 'everything published')
      assert.equal(acknowledgedCount, count)
      await eventually(() => (seenCount === count ? true : undefined), LIMIT_MS, 'everything delivered')
      assert.ok(producers.every(({ connectedTo }) => connectedTo !== null))
    },
  )

  it('says of each publish what is known of it when its broker is killed', async () => {
    const topic = 'fates'
    const [address] = await startBrokers(1)
    const producer = new Producer({ address, ...RECONNECT })
    open = [producer]
    await producer.ping()
    const published = Array.from({ length: 5_000 }, (_, serial) => producer.publish(topic, bodyOf(serial)))
    const settling = Promise.allSettled(published)
    await published[0]
    await brokers[0].kill()
    await brokers[0].start()
    const settled = await within(settling, LIMIT_MS, 'all settled')
    const consumer = new Consumer({ topic, channel: 'c', address, maxInFlight: 500, ...RECONNECT })
    open.push(consumer)
    await producer.publish(topic, 'the last one')
    const seen = new Set<number>()
    const isLast = new Promise<void>((resolve) => {
      void consumer.run((message) => {
        if (message.text() === 'the last one') resolve()
        else seen.add(serialOf(message.text()))
      })
    })
    await within(isLast, LIMIT_MS, 'the last message')
    for (const [serial, result] of settled.entries()) {
      if (result.status === 'fulfilled') assert.ok(seen.has(serial), `${serial} was acknowledged`)
      else assert.equal(result.reason.code, 'E_FATE_UNKNOWN')
    }
  })

  it('consumes from more brokers than it may have messages in flight', async () => {
    const topic = 'crowded'
    const addresses = await startBrokers(3)
    const turns = { rdyRedistributeIntervalMs: 50, lowRdyIdleTimeoutMs: 50, lowRdyTimeoutMs: 200 }
    const consumer = new Consumer({ topic, channel: 'c', addresses, maxInFlight: 1, ...turns })
    open = [consumer]
    const seen = new Set<string>()
    for (const address of addresses) {
      const producer = new Producer({ address })
      open.push(producer)
      await producer.publishMany(
        topic,
        Array.from({ length: 30 }, (_, serial) => `${address} ${serial}`),
      )
    }
    let runningCount = 0
    void consumer.run(async (message) => {
      assert.equal(++runningCount, 1)
      await new Promise((resolve) => setImmediate(resolve))
      seen.add(message.text())
      runningCount--
    })
    await eventually(() => (seen.size === 90 ? true : undefined), LIMIT_MS, 'the messages of all brokers')
  })
})
