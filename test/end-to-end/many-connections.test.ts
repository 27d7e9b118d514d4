import assert from 'node:assert/strict'
import { eventually } from '../support/eventually.js'
import { RawClient } from '../support/raw-client.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'

const CONNECTIONS = 1_000
const CHANNELS = 10
const MESSAGES = 100
const LIMIT_MS = 20_000

describe('a thousand connections', () => {
  let broker: RunningBroker

  before(async () => {
    broker = await startBroker()
  })
  after(async () => {
    await broker.stop()
  })

  it('share ten channels, each of which gets every message once', async function () {
    this.timeout(2 * LIMIT_MS)
    const clients = await Promise.all(Array.from({ length: CONNECTIONS }, (_, index) => subscribe(index % CHANNELS)))
    const producer = await RawClient.connect(broker.tcp)
    for (let serial = 0; serial < MESSAGES; serial++) assert.equal(await producer.ask('PUB many', `${serial}`), 'OK')

    const stats = await eventually(
      async () => {
        const topic = await broker.http.topicStats('many')
        return topic?.channels.every(({ depth, in_flight_count }) => depth + in_flight_count === 0) ? topic : undefined
      },
      LIMIT_MS,
      'everything finished',
    )
    assert.equal(stats.channels.length, CHANNELS)
    for (const channel of stats.channels) {
      assert.equal(channel.client_count, CONNECTIONS / CHANNELS)
      assert.equal(channel.message_count, MESSAGES)
      const received = clients.filter(({ name }) => name === channel.channel_name).flatMap(({ bodies }) => bodies)
      assert.deepEqual(
        received.map(Number).sort((a, b) => a - b),
        Array.from({ length: MESSAGES }, (_, i) => i),
      )
    }

    for (const { client } of clients) client.close()
    await eventually(
      async () => {
        const topic = await broker.http.topicStats('many')
        return topic?.channels.every(({ client_count }) => client_count === 0) ? true : undefined
      },
      LIMIT_MS,
      'no client left',
    )
    producer.close()
  })

  /** A client that finishes and notes whatever it is sent. */
  async function subscribe(channel: number): Promise<{ client: RawClient; name: string; bodies: string[] }> {
    const name = `channel-${channel}`
    const client = await RawClient.connect(broker.tcp)
    assert.equal(await client.ask(`SUB many ${name}`), 'OK')
    client.send('RDY 1')
    const bodies: string[] = []
    void (async () => {
      for (;;) {
        const message = await client.message(2 * LIMIT_MS)
        bodies.push(message.body.toString())
        client.send(`FIN ${message.id}`)
      }
    })().catch(() => undefined) // ends with the connection
    return { client, name, bodies }
  }
})
