import assert from 'node:assert/strict'
import type { NetConnectOpts } from 'node:net'
import { eventually } from '../support/eventually.js'
import { IS_FOREIGN } from '../support/nsqd-command.js'
import { RawClient } from '../support/raw-client.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import { within } from '../support/within.js'

const LIMIT_MS = 30_000
const STALLED_MESSAGES = 200
const STALLED_BODY_BYTES = 100_000

describe('a broker that is told to stop', () => {
  let broker: RunningBroker

  beforeEach(async () => {
    broker = await startBroker()
  })
  afterEach(async () => {
    await broker.stop()
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`exits 0 at ${signal}; clients see the end of the connection and no error, also with messages in flight`, async () => {
      const consumer = await RawClient.connect(broker.tcp)
      assert.equal(await consumer.ask('SUB stopping channel'), 'OK')
      consumer.send('RDY 10')
      const producer = await RawClient.connect(broker.tcp)
      assert.equal(await producer.ask('PUB stopping', 'held'), 'OK')
      assert.equal((await consumer.message()).body.toString(), 'held')

      assert.deepEqual(await broker.program.stop(signal), { code: 0, signal: null })
      for (const client of [consumer, producer]) {
        await within(client.closed, LIMIT_MS, 'the end of the connection')
        await assert.rejects(client.frame(), /the connection was closed/)
      }
    })
  }

  it('leaves its addresses to the next one at once, though it had connections', async () => {
    const client = await RawClient.connect(broker.tcp)
    assert.equal(await client.ask('PUB again', 'one'), 'OK')
    assert.deepEqual(await broker.program.stop(), { code: 0, signal: null })
    const next = await startBroker({ ports: [broker.tcpPort, broker.httpPort] })
    const nextClient = await RawClient.connect(broker.tcp)
    assert.equal(await nextClient.ask('PUB again', 'two'), 'OK')
    nextClient.close()
    assert.deepEqual(await next.stop(), { code: 0, signal: null })
  })

  it('ends at once at a second signal, though a consumer does not take what it was sent', async function () {
    // nsqd itself waits for nobody, so that there is nothing to cut short.
    if (IS_FOREIGN) this.skip()
    const consumer = await RawClient.connect(broker.tcp)
    assert.equal(await consumer.ask('SUB stalled channel'), 'OK')
    consumer.socket.pause()
    consumer.send('RDY 2500')
    const producer = await RawClient.connect(broker.tcp)
    const body = Buffer.alloc(STALLED_BODY_BYTES, 'x')
    for (let i = 0; i < STALLED_MESSAGES; i++) assert.equal(await producer.ask('PUB stalled', body), 'OK')

    broker.program.signal('SIGTERM')
    await eventually(() => refuses(broker.tcp), LIMIT_MS, 'a closed listener')
    assert.equal(broker.program.exit, undefined, 'it still waits for the consumer')
    // Had it waited for its drain timeout, it would have ended with 0.
    assert.deepEqual(await broker.program.stop('SIGTERM'), { code: 128 + 15, signal: null })
    consumer.close()
  })
})

/** True when nobody accepts connections there, undefined when somebody does. */
async function refuses(where: NetConnectOpts): Promise<true | undefined> {
  try {
    const client = await RawClient.connect(where)
    client.close()
    return undefined
  } catch {
    return true
  }
}
