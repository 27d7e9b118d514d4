import assert from 'node:assert/strict'
import { exchangeRaw, request } from './support/http-client.js'
import { describeBothWays, TestTransport } from './support/start-transport.js'

const PING = 'GET /ping HTTP/1.1\r\nHost: test\r\n\r\n'
const KEEP_ALIVE = { headers: { Connection: 'keep-alive' } }
const pub = (body: string): string =>
  `POST /pub?topic=t HTTP/1.1\r\nHost: test\r\nContent-Length: ${body.length}\r\n\r\n${body}`

describeBothWays('connections', () => {
  let http: TestTransport

  beforeEach(async () => {
    http = await TestTransport.start()
  })

  afterEach(() => http.stop())

  it('stay open from one request to the next', async () => {
    const client = http.connect()
    for (let count = 1; count <= 3; count++) {
      client.send(PING)
      await client.until(new RegExp(`^(HTTP/1.1 200 OK.*?OK){${count}}$`, 's'))
    }
  })

  it('are closed after the answer when the client wants it so, or speaks HTTP/1.0', async () => {
    assert.match(await exchangeRaw(http.port, 'GET /ping HTTP/1.0\r\n\r\n'), /200 OK.*OK$/s)
    const answer = await exchangeRaw(http.port, 'GET /ping HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n')
    assert.match(answer, /200 OK.*OK$/s)
  })

  it('whose client has finished sending still get their answers', async () => {
    const client = http.connect()
    client.socket.end(`${pub('a')}${pub('b')}`)
    assert.match(await client.closed(), /^HTTP\/1.1 200 OK.*OKHTTP\/1.1 200 OK.*OK$/s)
    assert.deepEqual(http.broker.messagesOf('t'), ['a', 'b'])
  })

  it('whose client has finished sending too early are told so', async () => {
    const client = http.connect()
    client.socket.end(`${pub('a')}POST /pub?topic=t HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nbc`)
    assert.match(await client.closed(), /^HTTP\/1.1 200 OK.*OKHTTP\/1.1 500 .*"INTERNAL_ERROR"\}$/s)
    assert.deepEqual(http.broker.messagesOf('t'), ['a'])
  })

  it('are cut when an unwanted body does not end', async () => {
    const client = http.connect().send('POST /ping HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n')
    await client.until(/^HTTP\/1.1 405 .*"METHOD_NOT_ALLOWED"\}$/s)
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(1024 * 1024), Buffer.from('\r\n')])
    let sentCount = 0
    const sendMore = (): void => {
      while (client.socket.writable && client.socket.write(chunk)) sentCount++
    }
    client.socket.on('drain', sendMore)
    sendMore()
    await client.closed()
    assert.ok(sentCount < 100, `${sentCount} MiB`)
  })

  it('beyond the limit are closed at once, the others stay', async () => {
    const limited = await TestTransport.start({ connectionCountMax: 2 })
    try {
      const clients = [limited.connect(), limited.connect()]
      for (const client of clients) await client.send(PING).until(/OK$/)
      assert.equal(await limited.connect().send(PING).closed(), '')
      for (const client of clients) await client.send(PING).until(/OK.*OK$/s)
    } finally {
      await limited.stop()
    }
  })

  it('say how long they may be idle', async () => {
    const impatient = await TestTransport.start({ keepAliveTimeoutMs: 7000 })
    try {
      assert.equal((await request(impatient.port, 'GET', '/ping', KEEP_ALIVE)).headers['keep-alive'], 'timeout=7')
      assert.equal((await request(http.port, 'GET', '/ping', KEEP_ALIVE)).headers['keep-alive'], 'timeout=120')
    } finally {
      await impatient.stop()
    }
  })

  it('are refused with 408 when the head of a request does not come', async () => {
    const impatient = await TestTransport.start({ headersTimeoutMs: 20 })
    try {
      assert.match(await impatient.connect().send('GET /ping HT').closed(), /^HTTP\/1.1 408 Request Timeout\r\n/)
    } finally {
      await impatient.stop()
    }
  })

  it('are refused with 408 when a body does not come, and what it took is given back', async () => {
    const impatient = await TestTransport.start({ headersTimeoutMs: 0, requestTimeoutMs: 20 })
    try {
      const head = 'POST /pub?topic=t HTTP/1.1\r\nHost: test\r\nContent-Length: 200000\r\n\r\n'
      const answer = await impatient
        .connect()
        .send(`${head}${'x'.repeat(100_000)}`)
        .closed()
      assert.match(answer, /^HTTP\/1.1 408 .*Connection: close.*"REQUEST_TIMEOUT"\}$/s)
      assert.equal(impatient.broker.chargedBytes, 0)
    } finally {
      await impatient.stop()
    }
  })

  it('are not refused while it is storage that keeps them waiting', async () => {
    const impatient = await TestTransport.start({ headersTimeoutMs: 0, requestTimeoutMs: 20 })
    try {
      impatient.broker.pressure = 'paused'
      const patient = impatient.connect().send('POST /pub?topic=t HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n')
      // Another one, later and with nothing to excuse it, is refused: so the first one's time is over, too.
      while (impatient.broker.waitingForReliefCount === 0) await new Promise(setImmediate)
      await impatient.connect().send('GET /ping HT').closed()
      assert.equal(patient.received, '')
      impatient.broker.relieve()
      await patient.send('ok').until(/200 OK.*OK$/s)
    } finally {
      await impatient.stop()
    }
  })
})

describeBothWays('what is not HTTP', () => {
  let http: TestTransport

  beforeEach(async () => {
    http = await TestTransport.start()
  })

  afterEach(async () => {
    assert.equal((await http.get('/ping')).text, 'OK')
    await http.stop()
  })

  const malformed: readonly (readonly [what: string, text: string, status: number])[] = [
    ['garbage', 'garbage\r\n\r\n', 400],
    ['the V2 protocol', '  V2SUB topic channel\n', 400],
    ['bytes of every value', String.fromCharCode(...Array.from({ length: 256 }, (_, value) => value)), 400],
    ['a request without Host', 'GET /ping HTTP/1.1\r\n\r\n', 400],
    ['an unknown version', 'GET /ping HTTP/9.9\r\nHost: test\r\n\r\n', 400],
    ['an unknown method', 'BREW /ping HTTP/1.1\r\nHost: test\r\n\r\n', 400],
    ['a Content-Length that is no number', 'POST /pub HTTP/1.1\r\nHost: test\r\nContent-Length: x\r\n\r\n', 400],
    ['two Content-Lengths', 'POST /pub HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx', 400],
    [
      'a length beside a chunked body',
      'POST /pub HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a header without a name', 'GET /ping HTTP/1.1\r\n: x\r\n\r\n', 400],
    ['headers without end', `GET /ping HTTP/1.1\r\nHost: test\r\nX: ${'x'.repeat(70_000)}`, 431],
    ['an endless path', `GET /${'x'.repeat(70_000)}`, 431],
  ]
  for (const [what, text, status] of malformed) {
    it(`is refused with ${status} and closed: ${what}`, async () => {
      const answer = await exchangeRaw(http.port, text)
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `))
      assert.match(answer, /Connection: close\r\n/)
    })
  }

  it('is told that the Host header is missing', async () => {
    assert.match(await exchangeRaw(http.port, 'GET /ping HTTP/1.1\r\n\r\n'), /\r\n\r\n400 Bad Request: .*Host.*$/)
  })

  it('is closed when it is CONNECT, and ignored when it is an upgrade', async () => {
    assert.equal(await exchangeRaw(http.port, 'CONNECT test:1 HTTP/1.1\r\nHost: test\r\n\r\n'), '')
    const client = http.connect()
    client.send('GET /ping HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    await client.until(/200 OK.*OK$/s)
  })

  it('leaves the requests before it their answers', async () => {
    http.broker.heldPublishes = []
    const client = http.connect().send(`${pub('a')}${pub('b')}garbage\r\n\r\n`)
    while (http.broker.heldPublishes.length < 2) await new Promise(setImmediate)
    for (const settle of http.broker.heldPublishes) settle()
    assert.match(await client.closed(), /^HTTP\/1.1 200 OK.*OKHTTP\/1.1 200 OK.*OK$/s)
    http.broker.heldPublishes = null
  })

  it('in the middle of a body loses that body alone', async () => {
    const client = http.connect()
    client.send(`${pub('a')}POST /pub?topic=t HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n`)
    client.send('3\r\nabc\r\nnot a chunk\r\n')
    assert.match(await client.closed(), /^HTTP\/1.1 200 OK.*HTTP\/1.1 500 .*"INTERNAL_ERROR"\}$/s)
    assert.deepEqual(http.broker.messagesOf('t'), ['a'])
  })

  it('is forgotten when the client resets its connection', async () => {
    const client = http.connect().send(PING)
    await client.until(/OK$/)
    client.send('POST /pub?topic=t HTTP/1.1\r\n')
    client.socket.resetAndDestroy()
    await client.closed()
  })
})

describeBothWays('draining', () => {
  let http: TestTransport

  beforeEach(async () => {
    http = await TestTransport.start()
  })

  afterEach(() => http.stop())

  it('closes idle connections at once, also such as never asked anything', async () => {
    const used = http.connect().send(PING)
    await used.until(/OK$/)
    const silent = http.connect()
    const begun = http.connect().send('GET /pi')
    await used.send(PING).until(/OK.*OK$/s)
    await http.transport.drain(60_000)
    await Promise.all([used.closed(), silent.closed(), begun.closed()])
  })

  it('accepts nobody new', async () => {
    const { port } = http
    await http.transport.drain(60_000)
    assert.equal(await exchangeRaw(port, PING), '')
  })

  it('answers what is under way, says that it was the last, and then resolves', async () => {
    http.broker.heldPublishes = []
    const client = http.connect().send(`${pub('a')}${pub('b')}`)
    while (http.broker.heldPublishes.length < 2) await new Promise(setImmediate)
    let isDrained = false
    const drained = http.transport.drain(60_000).then(() => {
      isDrained = true
    })
    http.broker.heldPublishes[1]()
    await new Promise(setImmediate)
    assert.equal(isDrained, false)
    http.broker.heldPublishes[0]()
    const answers = await client.closed()
    await drained
    assert.equal(answers.match(/200 OK/g)?.length, 2)
  })

  it('does not wait for the rest of a body, but answers what was asked before it', async () => {
    http.broker.heldPublishes = []
    const head = 'POST /pub?topic=t HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\na'
    const alone = http.connect().send(head)
    const second = http.connect().send(pub('x') + head)
    while (http.broker.heldPublishes.length === 0) await new Promise(setImmediate)
    await http.get('/ping')
    const drained = http.transport.drain(60_000)
    assert.match(await alone.closed(), /^HTTP\/1.1 503 .*Connection: close.*"EXITING"\}$/s)
    http.broker.heldPublishes[0]()
    assert.match(await second.closed(), /^HTTP\/1.1 200 OK.*OKHTTP\/1.1 503 .*Connection: close.*"EXITING"\}$/s)
    await drained
    assert.deepEqual(http.broker.messagesOf('t'), ['x'])
    assert.equal(http.broker.chargedBytes, 0)
  })

  it('refuses what is asked later on a connection that waits for an answer', async () => {
    http.broker.heldPublishes = []
    const client = http.connect().send(pub('a'))
    while (http.broker.heldPublishes.length === 0) await new Promise(setImmediate)
    const [settle] = http.broker.heldPublishes
    const drained = http.transport.drain(60_000)
    http.broker.heldPublishes = null
    client.send(pub('b'))
    await new Promise(setImmediate)
    settle()
    assert.match(await client.closed(), /^HTTP\/1.1 200 OK.*OK(HTTP\/1.1 503 .*)?$/s)
    await drained
    assert.deepEqual(http.broker.messagesOf('t'), ['a'])
  })

  it('resolves when its time is over', async () => {
    http.broker.heldPublishes = []
    const client = http.connect().send(pub('a'))
    while (http.broker.heldPublishes.length === 0) await new Promise(setImmediate)
    const drained = http.transport.drain(5000)
    http.broker.clock.advance(999)
    assert.equal(http.broker.logger.lines.length, 0)
    http.broker.clock.advance(4001)
    await drained
    assert.deepEqual(
      http.broker.logger.lines.map(({ level, message, fields }) => [level, message, fields.connectionCount]),
      [
        ['info', 'HTTP: waiting for connections with unanswered requests', 1],
        ['info', 'HTTP: connections with unanswered requests are cut off', 1],
      ],
    )
    await http.transport.stop()
    await client.closed()
    http.broker.heldPublishes[0]()
  })
})

describeBothWays('stopping', () => {
  it('closes every connection whatever it is doing', async () => {
    const http = await TestTransport.start()
    http.broker.heldPublishes = []
    const clients = [http.connect(), http.connect().send('GET /p'), http.connect().send(pub('a'))]
    while (http.broker.heldPublishes.length === 0) await new Promise(setImmediate)
    await http.transport.stop()
    await Promise.all(clients.map((client) => client.closed()))
    assert.deepEqual(http.transport.addresses, [])
  })

  it('may be done twice, after a drain, and without a start', async () => {
    const http = await TestTransport.start()
    await http.transport.drain(1000)
    await Promise.all([http.transport.stop(), http.transport.stop()])
    await http.stop()
  })

  it('leaves nothing behind', async () => {
    const before = activeResources()
    const http = await TestTransport.start()
    await http.connect().send(PING).until(/OK$/)
    await http.stop()
    // A handle goes away in the turn after it was closed.
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
    assert.deepEqual(activeResources(), before)
  })
})

function activeResources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => name !== 'Immediate' && name !== 'Timeout')
    .sort()
}
