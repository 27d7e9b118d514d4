import assert from 'node:assert/strict'
import { eventually } from '../support/eventually.js'
import { RawClient } from '../support/raw-client.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'

const STALLED_CLIENTS = 20
const STALLED_READY_COUNT = 100
const MESSAGES = 5_000
const BODY_BYTES = 10_000
const MESSAGES_PER_MPUB = 100
const LIMIT_MS = 20_000

describe('consumers that stop reading', () => {
  let broker: RunningBroker

  before(async () => {
    broker = await startBroker()
  })
  after(async () => {
    await broker.stop()
  })

  it('keep nothing from the others beyond their ready counts, and what they kept comes back', async function () {
    this.timeout(2 * LIMIT_MS)
    const stalled: RawClient[] = []
    for (let i = 0; i < STALLED_CLIENTS; i++) {
      const client = await RawClient.connect(broker.tcp)
      await client.ask('IDENTIFY', JSON.stringify({ msg_timeout: 2_000 }))
      assert.equal(await client.ask('SUB slow channel'), 'OK')
      client.socket.pause()
      client.send(`RDY ${STALLED_READY_COUNT}`)
      stalled.push(client)
    }
    const reading = await RawClient.connect(broker.tcp)
    assert.equal(await reading.ask('SUB slow channel'), 'OK')
    reading.send('RDY 200')

    const seen = new Set<number>()
    const keptMax = STALLED_CLIENTS * STALLED_READY_COUNT
    const takeUntil = async (count: number) => {
      while (seen.size < count) {
        const message = await reading.message(LIMIT_MS)
        const serial = message.body.readUInt32BE(0)
        assert.equal(message.body.length, BODY_BYTES)
        assert.ok(!seen.has(serial), `message ${serial} came twice`)
        seen.add(serial)
        reading.send(`FIN ${message.id}`)
      }
    }
    await Promise.all([publishAll(), takeUntil(MESSAGES - keptMax)])

    // From here on only what the others were sent and never took is missing. It comes back when its time is up.
    for (const client of stalled) client.close()
    await takeUntil(MESSAGES)
    const stats = await eventually(
      async () => {
        const channel = await broker.http.channelStats('slow', 'channel')
        return channel?.in_flight_count === 0 && channel.client_count === 1 ? channel : undefined
      },
      LIMIT_MS,
      'nothing in flight',
    )
    assert.equal(stats.depth, 0)
    assert.equal(stats.message_count, MESSAGES)
    assert.ok(stats.timeout_count > 0, 'they did keep something')
    reading.close()
  })

  async function publishAll(): Promise<void> {
    const producer = await RawClient.connect(broker.tcp)
    for (let first = 0; first < MESSAGES; first += MESSAGES_PER_MPUB) {
      const batch = Buffer.alloc(4 + MESSAGES_PER_MPUB * (4 + BODY_BYTES))
      let offset = batch.writeInt32BE(MESSAGES_PER_MPUB, 0)
      for (let serial = first; serial < first + MESSAGES_PER_MPUB; serial++) {
        batch.writeInt32BE(BODY_BYTES, offset)
        batch.writeUInt32BE(serial, offset + 4)
        offset += 4 + BODY_BYTES
      }
      assert.equal(await producer.ask('MPUB slow', batch), 'OK')
    }
    producer.close()
  }
})
