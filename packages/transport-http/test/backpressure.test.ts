import assert from 'node:assert/strict'
import { request } from './support/http-client.js'
import { describeBothWays, TestTransport } from './support/start-transport.js'

const post = (body: string): string =>
  `POST /pub?topic=t HTTP/1.1\r\nHost: test\r\nContent-Length: ${body.length}\r\n\r\n${body}`

describeBothWays('while storage is behind', () => {
  let http: TestTransport

  beforeEach(async () => {
    http = await TestTransport.start()
    http.broker.pressure = 'paused'
  })

  afterEach(() => http.stop())

  const waiting = async (count: number): Promise<void> => {
    while (http.broker.waitingForReliefCount < count) await new Promise(setImmediate)
  }

  it('a publish waits until storage has caught up, and is then answered', async () => {
    const client = http.connect().send(post('late'))
    await waiting(1)
    assert.deepEqual([client.received, http.broker.topics.size], ['', 0])
    http.broker.relieve()
    await client.until(/200 OK.*OK$/s)
    assert.deepEqual(http.broker.messagesOf('t'), ['late'])
  })

  it('nothing more is read from the connection of a publisher that waits', async () => {
    const client = http.connect().send(post('first'))
    await waiting(1)
    const filler = Buffer.alloc(1024 * 1024, post('x'.repeat(980)))
    while (client.socket.writableLength === 0) {
      client.send(filler)
      await new Promise(setImmediate)
    }
    // What was read together with the first request, and no more: a read takes 64 kB.
    assert.ok(http.broker.waitingForReliefCount <= 1 + 65_536 / 1000, String(http.broker.waitingForReliefCount))
    http.broker.relieve()
    await client.until(/200 OK/)
  })

  it('a client that waits to be told is not told to send its body', async () => {
    const client = http.connect()
    client.send('POST /pub?topic=t HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n')
    await waiting(1)
    assert.equal(client.received, '')
    http.broker.relieve()
    await client.until(/100 Continue/)
    client.send('x')
    await client.until(/200 OK/)
  })

  it('everything but publishing goes on', async () => {
    http.connect().send(post('late'))
    await waiting(1)
    assert.equal((await http.get('/ping')).text, 'OK')
    assert.equal((await http.post('/topic/create?topic=other')).status, 200)
    assert.equal((await http.get('/stats?format=json')).status, 200)
  })

  it('what is refused without its body is refused at once', async () => {
    assert.equal((await http.post('/mpub')).status, 400)
    const client = http.connect().send('POST /pub?topic=t HTTP/1.1\r\nHost: test\r\nContent-Length: 1048577\r\n\r\n')
    await client.until(/413/)
  })

  it('a publisher waits again when those before it have filled storage up', async () => {
    const client = http.connect().send(post('late'))
    await waiting(1)
    // By the time it is told, it is over.
    http.broker.relieve('paused')
    assert.equal(http.broker.waitingForReliefCount, 1)
    http.broker.relieve()
    await client.until(/200/)
  })

  it('a publisher that goes away meanwhile is forgotten', async () => {
    const sent = request(http.port, 'POST', '/pub?topic=t', { body: 'x' })
    await waiting(1)
    await http.transport.stop()
    await assert.rejects(sent)
    http.broker.relieve()
    assert.equal(http.broker.topics.size, 0)
  })
})
