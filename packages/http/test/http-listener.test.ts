import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { RefusalLog } from '@spillway/core'
import { FakeClock, TestLogger } from '@spillway/core/testing'
import {
  HttpError,
  type HttpExchange,
  HttpListener,
  type HttpNode,
  jsonList,
  parseParams,
  type Route,
  Router,
} from '../src/index.js'

const LIMITS = {
  connectionCountMax: 10,
  keepAliveTimeoutMs: 60_000,
  requestTimeoutMs: 60_000,
  headerSizeBytesMax: 4_096,
}

/** Ends the handler of `/slow`; null until that has begun. */
let release: (() => void) | null = null

/** A part of 1,000 bytes, and more of them than buffers take. */
const LONG_PART = 'x'.repeat(997)
const ENDLESS = 1_000_000
/** How many parts of `/parts` were asked for, and how often it has ended. */
let partCount = 0
let endedCount = 0

/** As many parts as the parameter says. */
function listOf({ rawQuery }: HttpExchange): Generator<string> {
  return jsonList(
    (function* () {
      for (partCount = 0; partCount < Number(parseParams(rawQuery).get('count')); partCount++) yield LONG_PART
    })(),
  )
}

const ROUTES: readonly Route<HttpExchange>[] = [
  { method: 'GET', path: '/ok', handle: (exchange) => exchange.sendOk() },
  { method: 'POST', path: '/empty', handle: (exchange) => exchange.sendEmpty() },
  {
    method: 'GET',
    path: '/echo',
    handle: (exchange) => exchange.sendText(parseParams(exchange.rawQuery).get('a') ?? ''),
  },
  { method: 'GET', path: '/below/*', handle: (exchange) => exchange.sendText(exchange.pathRest) },
  { method: 'GET', path: '/refused', handle: () => Promise.reject(new HttpError(403, 'NO')) },
  {
    method: 'GET',
    path: '/broken',
    handle: () => {
      throw new Error('a mistake')
    },
  },
  {
    method: 'GET',
    path: '/parts',
    handle: (exchange) =>
      exchange.sendJsonParts(listOf(exchange)).finally(() => {
        endedCount++
      }),
  },
  {
    method: 'GET',
    path: '/slow',
    async handle(exchange) {
      await new Promise<void>((resolve) => {
        release = resolve
      })
      exchange.sendOk()
    },
  },
]

describe('an HTTP listener', () => {
  const clock = new FakeClock()
  const logger = new TestLogger()
  let listener: HttpListener<HttpNode>
  let port = 0

  beforeEach(async () => {
    logger.lines.length = 0
    release = null
    partCount = 0
    endedCount = 0
    const node: HttpNode = { logger, refusals: new RefusalLog(clock, logger) }
    listener = new HttpListener(new Router(ROUTES), node, clock, LIMITS)
    port = (await listener.start('127.0.0.1:0', '.')).port
  })
  afterEach(() => listener.stop())

  async function ask(method: string, path: string): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, redirect: 'manual' })
    return `${answer.status} ${await answer.text()}`
  }

  /** Sends what the test says, and returns all that comes until the other end closes. */
  async function exchange(text: string): Promise<string> {
    const socket = connect(port, '127.0.0.1').setEncoding('latin1')
    let received = ''
    socket.on('data', (part) => {
      received += part
    })
    socket.write(text)
    await once(socket, 'close')
    return received
  }

  async function slowBegan(): Promise<void> {
    while (release === null) await nextTurn()
  }

  it('answers by path and method', async () => {
    assert.equal(await ask('GET', '/ok'), '200 OK')
    assert.equal(await ask('POST', '/empty'), '200 ')
    assert.equal(await ask('GET', '/below/it'), '200 it')
    assert.equal(await ask('GET', '/nowhere'), '404 {"message":"NOT_FOUND"}')
    assert.equal(await ask('DELETE', '/ok'), '405 {"message":"METHOD_NOT_ALLOWED"}')
    assert.match(await ask('GET', '/OK/'), /^301 <a href="\/ok">/)
  })

  it('reads parameters as Go does', async () => {
    assert.equal(await ask('GET', '/echo?a=%23x+y&a=z'), '200 #x y')
    assert.equal(await ask('GET', '/echo?a=1;b=2'), '400 {"message":"INVALID_REQUEST"}')
  })

  it('answers with what a handler throws, and logs what is a mistake', async () => {
    assert.equal(await ask('GET', '/refused'), '403 {"message":"NO"}')
    assert.deepEqual(logger.messages('warn'), ['client refused'])
    assert.equal(await ask('GET', '/broken'), '500 {"message":"INTERNAL_ERROR"}')
    assert.deepEqual(logger.messages('error'), ['HTTP GET /broken failed'])
  })

  it('refuses what is no request, and one without a host', async () => {
    assert.match(await exchange('garbage\r\n\r\n'), /^HTTP\/1\.1 400 Bad Request\r\n/)
    assert.match(await exchange('GET /ok HTTP/1.1\r\n\r\n'), /Host header is missing$/)
    const long = `GET /ok HTTP/1.1\r\nHost: a\r\nLong: ${'x'.repeat(5_000)}\r\n\r\n`
    assert.match(await exchange(long), /^HTTP\/1\.1 431 /)
  })

  it('says how long a short answer in parts is, and sends a long one whole', async () => {
    const short = await exchange('GET /parts?count=1 HTTP/1.0\r\nHost: a\r\n\r\n')
    assert.match(short, /\r\nContent-Length: 1001\r\n/)
    assert.ok(short.endsWith(`\r\n\r\n["${LONG_PART}"]`))
    assert.equal(await ask('GET', '/parts?count=5000'), `200 ${JSON.stringify(Array(5_000).fill(LONG_PART))}`)
  })

  it('makes of a long answer what the client takes, others have their turn meanwhile, and it ends with the client', async () => {
    const client = connect(port, '127.0.0.1').pause()
    client.write(`GET /parts?count=${ENDLESS} HTTP/1.1\r\nHost: a\r\n\r\n`)
    for (let seen = -1; partCount === 0 || partCount !== seen; ) {
      seen = partCount
      assert.equal(await ask('GET', '/ok'), '200 OK')
    }
    assert.ok(partCount < ENDLESS)
    client.destroy()
    while (endedCount === 0) await nextTurn()
    assert.ok(partCount < ENDLESS)
  })

  it('lets go of a client that takes nothing of its answer', async () => {
    const node: HttpNode = { logger, refusals: new RefusalLog(clock, logger) }
    const impatient = new HttpListener(new Router(ROUTES), node, clock, { ...LIMITS, requestTimeoutMs: 200 })
    const client = connect((await impatient.start('127.0.0.1:0', '.')).port, '127.0.0.1').pause()
    client.write(`GET /parts?count=${ENDLESS} HTTP/1.1\r\nHost: a\r\n\r\n`)
    while (endedCount === 0) await nextTurn()
    client.destroy()
    await impatient.stop()
  })

  it('answers at a stop what was asked, and then ends each connection', async () => {
    const idle = exchange('GET /ok HTTP/1.1\r\nHost: a\r\n\r\n')
    const fresh = connect(port, '127.0.0.1')
    await once(fresh, 'connect')
    const closed = once(fresh, 'close')
    fresh.resume()
    const slow = ask('GET', '/slow')
    await slowBegan()
    const stopped = listener.stop()
    await closed
    assert.match(await idle, /OK$/)
    release?.()
    assert.equal(await slow, '200 OK')
    await stopped
  })

  it('cuts off at a stop who is not answered within a second', async () => {
    const slow = ask('GET', '/slow').catch(() => 'cut off')
    await slowBegan()
    const stopped = listener.stop()
    clock.advance(1_000)
    await stopped
    assert.equal(await slow, 'cut off')
  })
})
