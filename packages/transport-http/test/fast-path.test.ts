import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BrokerError } from '@spillway/core'
import { seededRandom } from '@spillway/core/testing'
import type { HttpTransportOptions } from '../src/index.js'
import { parseAnswers } from './support/answers.js'
import { FakeBroker } from './support/fake-broker.js'
import type { RawClient } from './support/http-client.js'
import { MalformedRequests } from './support/malformed-requests.js'
import { TestTransport } from './support/start-transport.js'

/** Answers of the fast path have the date of the broker's clock, which stands still here; node:http takes today's. */
const FAST_DATE = new Date(new FakeBroker().clock.wallMs()).toUTCString()
const DATE = /^Date: (.*)\r$/gm

const HOST = 'Host: test\r\n'
const pub = (body: string, { query = 'topic=t', headers = HOST } = {}): string =>
  `POST /pub?${query} HTTP/1.1\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`

/** Of each answer: was it given on the fast path? */
function waysOf(text: string): boolean[] {
  return [...text.matchAll(DATE)].map(([, date]) => date === FAST_DATE)
}

const withoutDate = (text: string): string => text.replaceAll(DATE, 'Date: -\r')

describe('the fast path for plain publishes', () => {
  let http: TestTransport

  beforeEach(async () => {
    http = await TestTransport.start()
  })

  afterEach(() => http.stop())

  const answers = (count: number): RegExp => new RegExp(`^(HTTP/1.1 \\d.*?\\r\\n\\r\\n(OK|\\{.*?\\})){${count}}$`, 's')

  const plain: readonly (readonly [what: string, text: string])[] = [
    ['a plain publish', pub('hello')],
    [
      'what other clients say besides',
      pub('hello', { headers: `Accept: */*\r\n${HOST}Content-Type: x/y\r\nX-A:b\r\n` }),
    ],
    ['a connection that is to be kept', pub('hello', { headers: `${HOST}connection: Keep-Alive\r\n` })],
    ['an encoded topic', pub('hello', { query: 'x=1&topic=a%23ephemeral' })],
    ['a deferred message', pub('hello', { query: 'topic=t&defer=7' })],
    ['a body with line ends', pub('a\r\n\r\nPOST /pub')],
  ]
  for (const [what, text] of plain) {
    it(`takes ${what}, and answers as node:http does`, async () => {
      const client = http.connect().send(text)
      const fast = await client.until(answers(1))
      assert.deepEqual(waysOf(fast), [true])
      const slowHttp = await TestTransport.start({ fastPublish: false })
      try {
        const slow = await slowHttp.connect().send(text).until(answers(1))
        assert.deepEqual(waysOf(slow), [false])
        assert.equal(withoutDate(fast), withoutDate(slow))
        assert.deepEqual(contentOf(http.broker), contentOf(slowHttp.broker))
      } finally {
        await slowHttp.stop()
      }
    })
  }

  const others: readonly (readonly [what: string, text: string])[] = [
    ['another path', 'GET /ping HTTP/1.1\r\nHost: test\r\n\r\n'],
    ['another method', pub('x').replace('POST', 'PUT')],
    ['a path that is spelt in another way', pub('x').replace('/pub', '/p%75b')],
    ['no query', pub('x').replace('?topic=t', '')],
    ['HTTP/1.0', pub('x').replace('HTTP/1.1', 'HTTP/1.0')],
    ['a connection that is to be closed', pub('x', { headers: `${HOST}Connection: close\r\n` })],
    ['a chunked body', pub('', { headers: `${HOST}Transfer-Encoding: chunked\r\n` })],
    ['a client that waits to be told', pub('', { headers: `${HOST}Expect: 100-continue\r\n` })],
    ['an upgrade', pub('x', { headers: `${HOST}Upgrade: h2c\r\n` })],
    ['no Host', pub('x', { headers: '' })],
    ['two Hosts', pub('x', { headers: HOST + HOST })],
    ['two lengths', pub('x', { headers: `${HOST}Content-Length: 1\r\n` })],
    ['a length that is none', pub('x').replace('Length: 1', 'Length: +1')],
    ['no length', 'POST /pub?topic=t HTTP/1.1\r\nHost: test\r\n\r\n'],
    ['a folded header', pub('x', { headers: `${HOST}A: b\r\n c\r\n` })],
    ['a header with a space in its name', pub('x', { headers: `${HOST}A : b\r\n` })],
    ['a header with other bytes than ASCII', pub('x', { headers: `${HOST}A: \xff\r\n` })],
    ['lines that end with LF alone', pub('x').replaceAll('\r\n', '\n')],
    ['a line end before the request', `\r\n${pub('x')}`],
    ['an empty message', pub('')],
    ['a message that is too big', pub('').replace('Length: 0', 'Length: 1048577')],
    ['no topic', pub('x', { query: 'defer=1' })],
    ['a bad topic', pub('x', { query: 'topic=$' })],
    ['a bad defer', pub('x', { query: 'topic=t&defer=x' })],
    ['a query that cannot be read', pub('x', { query: 'topic=t;' })],
    ['two requests at once', pub('x') + pub('y')],
    ['a head that is too long', pub('x', { headers: `${HOST}A: ${'a'.repeat(2000)}\r\n` })],
  ]
  for (const [what, text] of others) {
    it(`leaves to node:http: ${what}`, async () => {
      const limits = { headerSizeBytesMax: 1024, requestTimeoutMs: 500, headersTimeoutMs: 500 }
      const both = await Promise.all([true, false].map((fastPublish) => everything({ ...limits, fastPublish }, text)))
      assert.deepEqual(both[0], both[1])
    })
  }

  it('does not begin where clients must authenticate, or must have TLS', async () => {
    const refusing = await TestTransport.start({ tlsRequired: true })
    try {
      assert.deepEqual(waysOf(await refusing.connect().send(pub('x')).until(/\}$/)), [false])
    } finally {
      await refusing.stop()
    }
  })

  it('goes on from one publish to the next', async () => {
    const client = http.connect()
    for (let count = 1; count <= 3; count++) await client.send(pub(`${count}`.repeat(count))).until(answers(count))
    assert.deepEqual(waysOf(client.received), [true, true, true])
    assert.deepEqual(http.broker.messagesOf('t'), ['1', '22', '333'])
  })

  it('ends with the first request that is another one, and the connection goes on', async () => {
    const client = http.connect()
    await client.send(pub('a')).until(answers(1))
    await client.send('POST /topic/pause?topic=nobody HTTP/1.1\r\nHost: test\r\n\r\n').until(answers(2))
    await client.send(pub('b')).until(answers(3))
    assert.deepEqual(waysOf(client.received), [true, false, false])
    assert.deepEqual(http.broker.messagesOf('t'), ['a', 'b'])
  })

  it('takes a body that comes after its head, but not one in many pieces', async () => {
    const text = pub('hello')
    const client = http.connect()
    await sendInParts(http, client, [text.slice(0, -5), text.slice(-5)])
    await client.until(answers(1))
    await sendInParts(http, client, [text.slice(0, -5), 'he', 'llo'])
    await client.until(answers(2))
    assert.deepEqual(waysOf(client.received), [true, false])
    assert.deepEqual(http.broker.messagesOf('t'), ['hello', 'hello'])
  })

  it('leaves a large message that does not come at once to node:http, which counts its memory', async () => {
    const text = pub('x'.repeat(20_000))
    const client = http.connect()
    await sendInParts(http, client, [text.slice(0, -5), text.slice(-5)])
    assert.deepEqual(waysOf(await client.until(answers(1))), [false])
    assert.ok(http.broker.chargedBytesMax > 0)
  })

  it('answers in order when the next request comes before the answer', async () => {
    http.broker.heldPublishes = []
    const client = http.connect().send(pub('a'))
    await held(1)
    client.send(pub('b', { query: 'topic=other' }))
    await http.get('/ping')
    assert.equal(http.broker.heldPublishes.length, 1)
    http.broker.heldPublishes[0]()
    await held(2)
    client.send('GET /ping HTTP/1.1\r\nHost: test\r\n\r\n')
    await http.get('/ping')
    http.broker.heldPublishes[1]()
    assert.deepEqual(waysOf(await client.until(answers(3))), [true, true, false])
  })

  const failures: readonly (readonly [error: BrokerError, code: string])[] = [
    [new BrokerError('E_EXITING', 'exiting'), 'EXITING'],
    [new BrokerError('E_PUB_FAILED', 'x', { cause: new BrokerError('E_STORAGE_FULL', 'disk') }), 'FULL'],
    [new BrokerError('E_PUB_FAILED', 'x', { cause: new BrokerError('E_STORAGE_IO', 'disk') }), 'PUB_FAILED'],
  ]
  for (const [error, code] of failures) {
    it(`says 503 ${code} as node:http does, and goes on`, async () => {
      http.broker.refusal = error
      const client = http.connect().send(pub('a'))
      const fast = await client.until(answers(1))
      http.broker.refusal = null
      assert.deepEqual(waysOf(await client.send(pub('b')).until(answers(2))), [true, true])
      const slowHttp = await TestTransport.start({ fastPublish: false })
      try {
        slowHttp.broker.refusal = error
        const slow = await slowHttp.connect().send(pub('a')).until(answers(1))
        assert.match(slow, new RegExp(`^HTTP/1.1 503 .*"${code}"`, 's'))
        assert.equal(withoutDate(fast.slice(0, slow.length)), withoutDate(slow))
      } finally {
        await slowHttp.stop()
      }
    })
  }

  it('answers a client that has finished sending, and closes', async () => {
    const client = http.connect()
    client.socket.end(pub('a'))
    assert.deepEqual(waysOf(await client.closed()), [true])
    const early = http.connect()
    early.socket.end(pub('abc').slice(0, -1))
    assert.match(await early.closed(), /^HTTP\/1.1 500 .*Connection: close.*"INTERNAL_ERROR"\}$/s)
    const silent = http.connect()
    silent.socket.end()
    assert.equal(await silent.closed(), '')
    assert.deepEqual(http.broker.messagesOf('t'), ['a'])
  })

  it('drops the answer to a client that has gone', async () => {
    http.broker.heldPublishes = []
    const client = http.connect().send(pub('a'))
    await held(1)
    client.socket.resetAndDestroy()
    await client.closed()
    await http.get('/ping')
    http.broker.heldPublishes[0]()
    assert.deepEqual(http.broker.messagesOf('t'), ['a'])
  })

  it('waits while storage is behind, and reads nothing more meanwhile', async () => {
    http.broker.pressure = 'paused'
    const client = http.connect().send(pub('late'))
    while (http.broker.waitingForReliefCount === 0) await new Promise(setImmediate)
    client.send(pub('later'))
    await http.get('/ping')
    // By the time it is told, it is over.
    http.broker.relieve('paused')
    assert.deepEqual([http.broker.waitingForReliefCount, client.received], [1, ''])
    http.broker.relieve()
    assert.deepEqual(waysOf(await client.until(answers(2))), [true, true])
    assert.deepEqual(http.broker.messagesOf('t'), ['late', 'later'])
  })

  it('reads nothing more from a client that does not take its answers', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fast-path-'))
    const path = join(folder, 'http.sock')
    const local = await TestTransport.start({ address: path })
    const socket = connect(path)
    try {
      const messages = (): number => local.broker.messagesOf('t').length
      let count = 0
      for (let idleTurns = 0; idleTurns < 200 && count < 5_000; idleTurns++) {
        if (messages() < count) {
          await new Promise(setImmediate)
        } else {
          socket.write(pub('x'))
          count++
          idleTurns = 0
        }
      }
      assert.ok(count < 5_000 && messages() < count, `${count} requests`)
      const all = new Promise<string>((resolve) => {
        let text = ''
        socket.setEncoding('latin1').on('data', (part: string) => {
          text += part
          if (text.split('\r\n\r\nOK').length > count) resolve(text)
        })
      })
      assert.ok(waysOf(await all).every((isFast) => isFast))
    } finally {
      socket.destroy()
      await local.stop()
      await rm(folder, { recursive: true })
    }
  })

  it('closes connections that are idle for too long, and leaves slow ones to node:http', async () => {
    const impatient = await TestTransport.start({ keepAliveTimeoutMs: 20, headersTimeoutMs: 20, requestTimeoutMs: 20 })
    try {
      assert.deepEqual(waysOf(await impatient.connect().send(pub('a')).closed()), [true])
      assert.match(await impatient.connect().closed(), /^HTTP\/1.1 408 /)
      const half = await impatient.connect().send(pub('abc').slice(0, -1)).closed()
      assert.match(half, /^HTTP\/1.1 408 .*"REQUEST_TIMEOUT"\}$/s)
    } finally {
      await impatient.stop()
    }
  })

  it('keeps idle connections for ever where that is asked for', async () => {
    const patient = await TestTransport.start({ keepAliveTimeoutMs: 0 })
    try {
      const client = patient.connect()
      assert.doesNotMatch(await client.send(pub('a')).until(answers(1)), /Keep-Alive:/)
      await client.send(pub('b')).until(answers(2))
    } finally {
      await patient.stop()
    }
  })

  it('says when draining that an answer is the last, and refuses what is not published yet', async () => {
    http.broker.heldPublishes = []
    const busy = http.connect().send(pub('a'))
    await held(1)
    const half = http.connect().send(pub('ab').slice(0, -1))
    const idle = http.connect()
    await http.get('/ping')
    const drained = http.transport.drain(60_000)
    assert.match(await half.closed(), /^HTTP\/1.1 503 .*Connection: close.*"EXITING"\}$/s)
    http.broker.heldPublishes[0]()
    const text = await busy.closed()
    assert.deepEqual(waysOf(text), [true])
    assert.match(text, /^HTTP\/1.1 200 OK\r\n.*Connection: close\r\n\r\nOK$/s)
    assert.equal(await idle.closed(), '')
    await drained
  })

  it('answers random requests in random pieces as node:http does', async function () {
    this.timeout(60_000)
    const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
    const random = seededRandom(seed)
    const requests = new MalformedRequests(random)
    for (let count = 0; count < 200; count++) {
      const begin = pub('x'.repeat(1 + Math.floor(random() * 40)), { query: `topic=t${count % 3}` })
      const text = begin + (random() < 0.5 ? begin : '') + requests.next().toString('latin1')
      const cut = Math.floor(random() * text.length)
      const parts = [
        text.slice(0, begin.length),
        text.slice(begin.length, cut),
        text.slice(Math.max(cut, begin.length)),
      ]
      const both = await Promise.all([true, false].map((fastPublish) => everything({ fastPublish }, ...parts)))
      const [fast, slow] = both.map(({ text, ...content }) => ({ answers: summaryOf(text), ...content }))
      assert.deepEqual(fast, slow, `FUZZ_SEED=${seed}: ${JSON.stringify(parts)}`)
    }
  })

  const held = async (count: number): Promise<void> => {
    while ((http.broker.heldPublishes?.length ?? 0) < count) await new Promise(setImmediate)
  }
})

/**
 * In short, since statistics and ports differ. Whether garbage behind an answered request is told off before the
 * connection is closed depends on when it is seen.
 */
function summaryOf(text: string): string[] {
  const answers = parseAnswers(text).map(({ status, body }) => (status === 200 ? '200' : `${status} ${body}`))
  return answers.at(-1) === '400 400 Bad Request' ? answers.slice(0, -1) : answers
}

/** Each part arrives by itself. */
async function sendInParts(http: TestTransport, client: RawClient, parts: readonly string[]): Promise<void> {
  client.socket.setNoDelay()
  for (const part of parts) {
    client.send(part)
    await http.get('/ping')
  }
}

/** Sends `parts`, each by itself, and the end; returns all that comes, but for dates, and what the broker has then. */
async function everything(options: Partial<HttpTransportOptions>, ...parts: readonly string[]) {
  const http = await TestTransport.start(options)
  try {
    const client = http.connect()
    await sendInParts(http, client, parts)
    client.socket.end()
    return { text: withoutDate(await client.closed()), ...contentOf(http.broker) }
  } finally {
    await http.stop()
  }
}

function contentOf({ topics, chargedBytes }: FakeBroker) {
  const messages = [...topics].map(([name, { messages, deferred }]) => ({ name, messages, deferred }))
  return { messages, chargedBytes }
}
