import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type Message, Reader } from 'nsqjs'
import { CertificateFiles } from '../support/certificate-files.js'
import { deferred } from '../support/deferred.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import { within } from '../support/within.js'
import { AuthServer, GOOD_SECRET } from './auth-server.js'
import { allReady, drained, settled } from './channel-waits.js'
import { testClusterConsumer } from './cluster-suite.js'
import { DeliveryLedger } from './delivery-ledger.js'
import { fateOf, plannedCounts, REQUEUE_DELAY_MS } from './message-plan.js'
import { closeForgottenReaders, closeReader, openReader, optionsFor, publishAll } from './nsqjs-client.js'
import { assertNegotiated, CHANGED_STREAMS, PLAIN, type Way } from './ways.js'

const ROUND_TRIP_MESSAGES = 100_000
const CHANGED_STREAM_MESSAGES = 10_000
const ROUND_TRIP_LIMIT_MS = 110_000
/** For what must come soon, on a machine that has much else to do. */
const LIMIT_MS = 50_000
const MSG_TIMEOUT_MS = 3_000

describe('nsqjs', () => {
  let broker: RunningBroker
  const certificates = new CertificateFiles()

  before(async () => {
    broker = await startBroker({ flags: await certificates.flags() })
  })
  after(async () => {
    closeForgottenReaders()
    await broker.stop()
    await certificates.remove()
  })

  it('receives what curl published', async () => {
    assert.deepEqual(await broker.http.post('/pub?topic=hello', 'hello'), { status: 200, text: 'OK' })
    const { promise, resolve } = deferred<Message>()
    const reader = await openReader(broker, 'hello', 'nsqjs', {}, (opening) => opening.once('message', resolve))
    const message = await within(promise, LIMIT_MS, 'the message')
    assert.equal(message.body.toString(), 'hello')
    assert.equal(message.attempts, 1)
    message.finish()
    await settled(broker, 'hello', 'nsqjs')
    await closeReader(reader)
  })

  testClusterConsumer(async ({ lookupdHttpAddress, topic, channel, received }) => {
    const reader = new Reader(topic, channel, {
      lookupdHTTPAddresses: [lookupdHttpAddress],
      lookupdPollInterval: 1,
      maxInFlight: 100,
    })
    reader.on('error', () => {}) // connections to a broker that is down
    reader.on('message', (message: Message) => {
      received(message.body.toString())
      message.finish()
    })
    reader.connect()
    return async () => reader.close()
  })

  it('brings 100,000 messages round, through requeues and timeouts, each exactly as planned', async function () {
    this.timeout(ROUND_TRIP_LIMIT_MS + 10_000)
    await roundTrip(broker, 'round-trip', PLAIN, ROUND_TRIP_MESSAGES)
  })

  for (const way of CHANGED_STREAMS) {
    it(`brings 10,000 messages round over ${way.name}`, async function () {
      this.timeout(ROUND_TRIP_LIMIT_MS + 10_000)
      await roundTrip(broker, `over-${way.name.replaceAll(' ', '-')}`, way, CHANGED_STREAM_MESSAGES)
    })
  }

  it('brings 10,000 messages round where everybody must authenticate', async function () {
    this.timeout(ROUND_TRIP_LIMIT_MS + 10_000)
    const authServer = await AuthServer.start()
    const closed = await startBroker({ flags: [`--auth-http-address=${authServer.address}`] })
    await roundTrip(closed, 'open-plain', { ...PLAIN, secret: GOOD_SECRET }, CHANGED_STREAM_MESSAGES)
    await closed.stop()
    await authServer.stop()
  })

  it('shares a channel between its readers, and gives every channel everything', async () => {
    const messageCount = 3_000
    const shared = new DeliveryLedger(messageCount)
    const copy = new DeliveryLedger(messageCount)
    const { promise, resolve, reject } = deferred<void>()
    const receivedCounts = [0, 0, 0, 0]
    const open = (channel: string, ledger: DeliveryLedger, index: number) =>
      openReader(broker, 'sharing', channel, { maxInFlight: 20 }, (reader) => {
        reader.on('error', reject)
        reader.on('message', (message: Message) => {
          try {
            ledger.finish(ledger.deliver(message.body, message.attempts))
          } catch (error) {
            reject(error)
          }
          receivedCounts[index]++
          message.finish()
          if (shared.isComplete && copy.isComplete) resolve()
        })
      })
    const readers = await Promise.all([
      open('shared', shared, 0),
      open('shared', shared, 1),
      open('shared', shared, 2),
      open('copy', copy, 3),
    ])
    await allReady(broker, 'sharing', 'shared', 3)
    await allReady(broker, 'sharing', 'copy', 1)

    await publishAll(broker, 'sharing', messageCount)
    await within(promise, LIMIT_MS, 'every message on both channels')
    await settled(broker, 'sharing', 'shared')
    await settled(broker, 'sharing', 'copy')

    assert.equal(receivedCounts[3], messageCount)
    assert.equal(receivedCounts[0] + receivedCounts[1] + receivedCounts[2], messageCount)
    assert.ok(Math.min(...receivedCounts) > 0, `every reader gets some: ${receivedCounts}`)
    await Promise.all(readers.map(closeReader))
  })

  it('stops in the middle, and another reader gets exactly the rest', async () => {
    const messageCount = 5_000
    const ledger = new DeliveryLedger(messageCount)
    const { promise: failed, reject } = deferred<never>()
    const finishAll = (from: Reader, whenFinished: () => void) => {
      from.on('error', reject)
      from.on('message', (message: Message) => {
        try {
          ledger.finish(ledger.deliver(message.body, message.attempts))
        } catch (error) {
          reject(error)
        }
        message.finish()
        whenFinished()
      })
    }

    const early = deferred<void>()
    const first = await openReader(broker, 'handover', 'nsqjs', { maxInFlight: 100 }, (reader) =>
      finishAll(reader, () => {
        if (ledger.finishedCount === 1_000) {
          reader.pause()
          early.resolve()
        }
      }),
    )
    await publishAll(broker, 'handover', messageCount)
    await Promise.race([failed, within(early.promise, LIMIT_MS, '1,000 messages')])
    await drained(broker, 'handover', 'nsqjs')
    await closeReader(first)
    assert.ok(ledger.finishedCount < messageCount, 'the first reader leaves something')

    const complete = deferred<void>()
    const second = await openReader(broker, 'handover', 'nsqjs', { maxInFlight: 100 }, (reader) =>
      finishAll(reader, () => {
        if (ledger.isComplete) complete.resolve()
      }),
    )
    await Promise.race([failed, within(complete.promise, LIMIT_MS, 'the rest')])
    await settled(broker, 'handover', 'nsqjs')
    await closeReader(second)
  })

  it('sees the connection end when the broker stops', async () => {
    const stopping = await startBroker()
    const reader = await openReader(stopping, 'stopping', 'nsqjs', {}, () => undefined)
    const isClosed = once(reader, 'nsqd_closed')
    assert.deepEqual(await stopping.stop(), { code: 0, signal: null })
    await within(isClosed, LIMIT_MS, 'the end of the connection')
    reader.close()
  })
})

/** Publishes and consumes at once, and holds what came of it against the plan and the broker's own counters. */
async function roundTrip(broker: RunningBroker, topic: string, way: Way, messageCount: number): Promise<void> {
  const negotiated = assertNegotiated(broker, topic, 'nsqjs', way)
  const [{ reader, staleFinishes }] = await Promise.all([
    publishAndConsume(broker, topic, way, messageCount),
    negotiated,
  ])
  const { requeued, timedOut } = plannedCounts(messageCount)
  const stats = await settled(broker, topic, 'nsqjs')
  // Not before: what nsqjs has not compressed yet when it is closed, the last FINs among it, is never sent.
  await closeReader(reader)
  assert.equal(stats.message_count, messageCount)
  assert.equal(stats.requeue_count, requeued)
  assert.equal(stats.timeout_count, timedOut)
  assert.equal(staleFinishes.length, timedOut)
  for (const text of staleFinishes) assert.match(text, /E_FIN_FAILED FIN [0-9a-f]{16} failed ID not in flight$/)
}

/** Resolves with the reader, still open, and the texts of the errors that the late finishes earned. */
async function publishAndConsume(
  broker: RunningBroker,
  topic: string,
  way: Way,
  messageCount: number,
): Promise<{ reader: Reader; staleFinishes: string[] }> {
  const ledger = new DeliveryLedger(messageCount)
  const letGo = new Map<number, Message>()
  const errors: string[] = []
  const { timedOut } = plannedCounts(messageCount)
  const { promise, resolve, reject } = deferred<void>()

  const onMessage = (message: Message) => {
    const serial = ledger.deliver(message.body, message.attempts)
    const fate = message.attempts === 1 ? fateOf(serial) : 'finish'
    if (fate === 'requeueNow') return message.requeue(0, false)
    if (fate === 'requeueLater') return message.requeue(REQUEUE_DELAY_MS, false)
    if (fate === 'letTimeOut') return letGo.set(serial, message)
    ledger.finish(serial)
    message.finish()
    // The first delivery is no longer ours; finishing it now must fail and must not cost us the connection.
    letGo.get(serial)?.finish()
  }
  const reader = await openReader(
    broker,
    topic,
    'nsqjs',
    { maxInFlight: 500, messageTimeout: MSG_TIMEOUT_MS, ...optionsFor(way) },
    (opening) => {
      opening.on('error', (error: Error) => {
        errors.push(error.message)
        if (ledger.isComplete && errors.length === timedOut) resolve()
      })
      opening.on('message', (message: Message) => {
        try {
          onMessage(message)
          if (ledger.isComplete && errors.length === timedOut) resolve()
        } catch (error) {
          reject(error)
        }
      })
    },
  )
  const published = publishAll(broker, topic, messageCount, way)
  await within(Promise.all([promise, published]), ROUND_TRIP_LIMIT_MS, `${messageCount} messages finished`)
  return { reader, staleFinishes: errors }
}
