import assert from 'node:assert/strict'
import { BrokerError } from '@spillway/core'
import { assertError, assertOk } from './support/assert-answer.js'
import { FakeBroker } from './support/fake-broker.js'
import { exchangeRaw } from './support/http-client.js'
import { describeBothWays, TestTransport } from './support/start-transport.js'

const HEAD = 'Host: test\r\nConnection: close\r\n'

describeBothWays('POST /pub', () => {
  let http: TestTransport

  beforeEach(async () => {
    http = await TestTransport.start()
  })

  afterEach(() => http.stop())

  it('publishes the body as one message and answers OK once it is safe', async () => {
    http.broker.heldPublishes = []
    const answer = http.post('/pub?topic=orders', 'hello')
    while (http.broker.heldPublishes.length === 0) await new Promise(setImmediate)
    assert.deepEqual(http.broker.messagesOf('orders'), [])
    http.broker.heldPublishes[0]()
    assertOk(await answer)
    assert.deepEqual(http.broker.messagesOf('orders'), ['hello'])
  })

  it('keeps every byte of a message of the largest size', async () => {
    const body = Buffer.alloc(1_048_576, 'Spillway\n\0ÿ', 'latin1')
    assertOk(await http.post('/pub?topic=big', body))
    assert.ok(http.broker.messagesOf('big')[0] === body.toString('latin1'))
  })

  it('takes a chunked body', async () => {
    const answer = await exchangeRaw(
      http.port,
      `POST /pub?topic=t HTTP/1.1\r\n${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`,
    )
    assert.match(answer, /^HTTP\/1.1 200 OK\r\n/)
    assert.deepEqual(http.broker.messagesOf('t'), ['abcde'])
  })

  it('takes the topic from the query alone, not from a form', async () => {
    assertError(await http.post('/pub', 'topic=t'), 400, 'MISSING_ARG_TOPIC')
  })

  it('takes the first of several topics', async () => {
    assertOk(await http.post('/pub?topic=first&topic=second', 'x'))
    assert.deepEqual([...http.broker.topics.keys()], ['first'])
  })

  it('decodes percent escapes in the topic', async () => {
    assertOk(await http.post('/pub?topic=foo%23ephemeral', 'x'))
    assert.deepEqual(http.broker.messagesOf('foo#ephemeral'), ['x'])
  })

  const refused: readonly (readonly [what: string, path: string, body: string, status: number, code: string])[] = [
    ['an empty body', '/pub?topic=t', '', 400, 'MSG_EMPTY'],
    ['an empty body, before it looks at the query', '/pub?topic=%zz', '', 400, 'MSG_EMPTY'],
    ['a missing topic', '/pub', 'x', 400, 'MISSING_ARG_TOPIC'],
    ['an empty topic', '/pub?topic=', 'x', 400, 'INVALID_TOPIC'],
    ['a topic that is no name', '/pub?topic=no%20name', 'x', 400, 'INVALID_TOPIC'],
    ['a topic that is not UTF-8', '/pub?topic=%ff', 'x', 400, 'INVALID_TOPIC'],
    ['a topic of 65 characters', `/pub?topic=${'t'.repeat(65)}`, 'x', 400, 'INVALID_TOPIC'],
    ['a semicolon in the query', '/pub?topic=t;defer=1', 'x', 400, 'INVALID_REQUEST'],
    ['a bad percent escape', '/pub?topic=t%2', 'x', 400, 'INVALID_REQUEST'],
    ['a defer that is no number', '/pub?topic=t&defer=soon', 'x', 400, 'INVALID_DEFER'],
    ['a defer with a fraction', '/pub?topic=t&defer=1.5', 'x', 400, 'INVALID_DEFER'],
    ['an empty defer', '/pub?topic=t&defer=', 'x', 400, 'INVALID_DEFER'],
    ['a negative defer', '/pub?topic=t&defer=-1', 'x', 400, 'INVALID_DEFER'],
    ['a defer above the limit', '/pub?topic=t&defer=3600001', 'x', 400, 'INVALID_DEFER'],
  ]
  for (const [what, path, body, status, code] of refused) {
    it(`refuses ${what}`, async () => {
      assertError(await http.post(path, body), status, code)
      assert.deepEqual(http.broker.messagesOf('t'), [])
    })
  }

  it('has created the topic before it finds the defer wrong', async () => {
    await http.post('/pub?topic=made&defer=x', 'x')
    assert.ok(http.broker.topics.has('made'))
  })

  it('defers a message by as many milliseconds as asked', async () => {
    assertOk(await http.post('/pub?topic=later&defer=3600000', 'x'))
    assertOk(await http.post('/pub?topic=later&defer=%2B7', 'y'))
    assert.deepEqual(http.broker.topics.get('later')?.deferred, [
      { body: 'x', delayMs: 3_600_000 },
      { body: 'y', delayMs: 7 },
    ])
  })

  it('publishes at once when deferred by nothing', async () => {
    assertOk(await http.post('/pub?topic=now&defer=0', 'x'))
    assert.deepEqual(http.broker.messagesOf('now'), ['x'])
  })

  it('refuses a body that announces to be too long before it comes', async () => {
    const client = http.connect().send('POST /pub?topic=t HTTP/1.1\r\nHost: test\r\nContent-Length: 1048577\r\n\r\n')
    assert.match(await client.until(/\}$/), /^HTTP\/1.1 413 Request Entity Too Large\r\n.*"message":"MSG_TOO_BIG"\}$/s)
    assert.equal(http.broker.topics.size, 0)
  })

  it('refuses a chunked body as soon as it is too long, and goes on with the connection', async () => {
    const client = http.connect()
    client.send('POST /pub?topic=t HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n')
    client.send(`100001\r\n${'x'.repeat(1_048_577)}\r\n`)
    assert.match(await client.until(/\}$/), /413 .*"message":"MSG_TOO_BIG"\}$/s)
    client.send(`3\r\nyyy\r\n0\r\n\r\nGET /ping HTTP/1.1\r\n${HEAD}\r\n`)
    assert.match(await client.closed(), /\}HTTP\/1.1 200 OK.*OK$/s)
    assert.deepEqual(http.broker.messagesOf('t'), [])
  })

  it('has the body sent only when it is wanted', async () => {
    const expecting = (length: number): string =>
      `POST /pub?topic=t HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`
    const refusedAnswer = await exchangeRaw(http.port, expecting(1_048_577))
    assert.match(refusedAnswer, /^HTTP\/1.1 413 .*Connection: close/s)
    const client = http.connect().send(expecting(1))
    await client.until(/^HTTP\/1.1 100 Continue\r\n\r\n$/)
    client.send('x')
    await client.until(/HTTP\/1.1 200 OK.*OK$/s)
    assert.deepEqual(http.broker.messagesOf('t'), ['x'])
  })

  const failures: readonly (readonly [reason: string, error: BrokerError, code: string])[] = [
    ['exits', new BrokerError('E_EXITING', 'exiting'), 'EXITING'],
    ['has no memory left', new BrokerError('E_MEMORY_FULL', 'budget used up'), 'MEMORY_FULL'],
    ['has a full disk', failedBy('E_STORAGE_FULL'), 'FULL'],
    ['cannot write', failedBy('E_STORAGE_IO'), 'PUB_FAILED'],
  ]
  for (const [reason, error, code] of failures) {
    it(`answers 503 ${code} when the broker ${reason}`, async () => {
      http.broker.refusal = error
      assertError(await http.post('/pub?topic=t', 'x'), 503, code)
      assert.deepEqual(http.broker.logger.messages('error'), [])
    })
  }

  it('answers 503 EXITING when topics are no longer created', async () => {
    http.broker.isExiting = true
    assertError(await http.post('/pub?topic=t', 'x'), 503, 'EXITING')
  })

  it('answers pipelined requests in their order, whatever is known first', async () => {
    http.broker.heldPublishes = []
    const client = http
      .connect()
      .send(
        `POST /pub?topic=t HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\na` +
          `GET /nowhere HTTP/1.1\r\nHost: test\r\n\r\n` +
          `POST /pub?topic=t HTTP/1.1\r\n${HEAD}Content-Length: 1\r\n\r\nb`,
      )
    while (http.broker.heldPublishes.length < 2) await new Promise(setImmediate)
    assert.equal(client.received, '')
    for (const settle of http.broker.heldPublishes) settle()
    const statuses = [...(await client.closed()).matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status)
    assert.deepEqual(statuses, ['200', '404', '200'])
  })

  it('forgets a message whose client goes away before it is complete', async () => {
    const client = http.connect()
    client.send(`POST /pub?topic=t HTTP/1.1\r\nHost: test\r\nContent-Length: 200000\r\n\r\n${'x'.repeat(150_000)}`)
    while (http.broker.chargedBytes === 0) await new Promise(setImmediate)
    client.destroy()
    while (http.broker.chargedBytes > 0) await new Promise(setImmediate)
    assert.equal(http.broker.topics.size, 0)
  })

  it('charges a large body to the memory budget while it is read, and a small one not at all', async () => {
    assertOk(await http.post('/pub?topic=t', 'x'.repeat(16_000)))
    assert.equal(http.broker.chargedBytesMax, 0)
    assertOk(await http.post('/pub?topic=t', 'x'.repeat(500_000)))
    assert.ok(http.broker.chargedBytesMax >= 500_000, String(http.broker.chargedBytesMax))
    assert.ok(http.broker.chargedBytesMax <= 500_004, String(http.broker.chargedBytesMax))
    assert.equal(http.broker.chargedBytes, 0)
  })

  it('refuses a large body early when memory is used up', async () => {
    http.broker.pressure = 'full'
    assertError(await http.post('/pub?topic=t', 'x'.repeat(500_000)), 503, 'MEMORY_FULL')
    assert.deepEqual([http.broker.topics.size, http.broker.chargedBytes], [0, 0])
  })
})

describeBothWays('POST /pub with small limits', () => {
  it('measures a message by max-msg-size, to the byte', async () => {
    const http = await TestTransport.start({}, new FakeBroker({ msgSizeBytesMax: 3 }))
    try {
      assertOk(await http.post('/pub?topic=t', 'abc'))
      assertError(await http.post('/pub?topic=t', 'abcd'), 413, 'MSG_TOO_BIG')
      assert.deepEqual(http.broker.messagesOf('t'), ['abc'])
    } finally {
      await http.stop()
    }
  })
})

function failedBy(code: 'E_STORAGE_FULL' | 'E_STORAGE_IO'): BrokerError {
  return new BrokerError('E_PUB_FAILED', 'not stored', { cause: new BrokerError(code, 'disk') })
}
