import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { RefusalLog } from '@spillway/core'
import { FakeClock, TestLogger } from '@spillway/core/testing'
import {
  HttpError,
  type HttpExchange,
  HttpListener,
  type HttpNode,
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
    while (release === null) await new Promise((resolve) => setImmediate(resolve))
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
