import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { RawClient } from '../support/raw-client.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'

describe('a broker on Unix sockets', () => {
  let broker: RunningBroker

  before(async function () {
    if (process.platform === 'win32') this.skip()
    broker = await startBroker({ unixSockets: true })
  })
  after(async () => {
    await broker?.stop()
  })

  it('takes a message over HTTP and hands it out over V2', async () => {
    assert.deepEqual(await broker.http.post('/pub?topic=unix', 'hello'), { status: 200, text: 'OK' })
    const consumer = await RawClient.connect(broker.tcp)
    assert.equal(await consumer.ask('SUB unix channel'), 'OK')
    consumer.send('RDY 1')
    const message = await consumer.message()
    assert.equal(message.body.toString(), 'hello')
    consumer.send(`FIN ${message.id}`)

    const [client] = (await broker.http.channelStats('unix', 'channel'))?.clients ?? []
    assert.equal(client?.remote_address, '@')
    consumer.close()
  })

  it('says that it has no ports', async () => {
    const { tcp_port, http_port } = JSON.parse((await broker.http.get('/info')).text)
    assert.deepEqual({ tcp_port, http_port }, { tcp_port: -1, http_port: -1 })
  })

  it('removes the socket files when it stops', async () => {
    const sockets = async () => (await readdir(broker.directory)).filter((name) => name.endsWith('.sock')).sort()
    assert.deepEqual(await sockets(), ['http.sock', 'tcp.sock'])
    assert.deepEqual(await broker.program.stop(), { code: 0, signal: null })
    assert.deepEqual(await sockets(), [])
  })
})
