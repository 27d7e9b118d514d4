import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server as NetServer, type Socket } from 'node:net'
import { AUTHENTICATOR, type AuthRequest, type Clock, type Identity } from '@spillway/core'
import { SystemClock } from '@spillway/core/node'
import { FakeClock, seededRandom, TestLogger } from '@spillway/core/testing'
import { type KeyPair, makeCertificate, TestFiles } from '@spillway/tls/testing'
import plugin, { NsqAuthenticator } from '../src/index.js'
import type { NsqAuthOptions } from '../src/options.js'

const SECRET = 'open sesame & more'
const REQUEST: AuthRequest = { secret: Buffer.from(SECRET), remoteIp: '10.0.0.1', tls: true, commonName: 'shop' }
const GOOD = {
  ttl: 60,
  identity: 'ali',
  identity_url: 'http://cave/ali',
  authorizations: [
    { topic: '^orders$', channels: ['.*'], permissions: ['publish'] },
    { topic: 'logs', channels: ['^mail$', '^audit'], permissions: ['subscribe', 'publish'] },
  ],
}

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A real auth server; what it answers is for the test to say. */
class AuthServer {
  readonly seen: Seen[] = []
  answer: (response: ServerResponse, url: string) => void = (response) => response.end(JSON.stringify(GOOD))
  readonly #server: Server

  private constructor(tls: KeyPair | null) {
    const listen = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      let body = ''
      for await (const part of request) body += part
      const { method = '', url = '', headers } = request
      this.seen.push({ method, url, headers, body })
      this.answer(response, url)
    }
    this.#server = tls === null ? createServer(listen) : createHttpsServer(tls, listen)
  }

  static async start(tls: KeyPair | null = null): Promise<AuthServer> {
    const server = new AuthServer(tls)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  json(value: unknown): void {
    this.answer = (response) => response.end(JSON.stringify(value))
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await once(this.#server.close(), 'close')
  }
}

/** Something that is no proper HTTP server. */
class TcpServer {
  readonly #sockets: Socket[] = []
  readonly #server: NetServer

  private constructor(serve: (socket: Socket) => void) {
    this.#server = createTcpServer((socket) => {
      this.#sockets.push(socket)
      socket.on('error', () => {})
      serve(socket)
    })
  }

  static async start(serve: (socket: Socket) => void): Promise<TcpServer> {
    const server = new TcpServer(serve)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await once(this.#server.close(), 'close')
  }
}

const answerWith = (permission: string, topic: string): string =>
  JSON.stringify({ ttl: 1, authorizations: [{ topic, channels: [], permissions: [permission] }] })

describe('NSQ auth servers', () => {
  let server: AuthServer
  let logger: TestLogger
  const opened: NsqAuthenticator[] = []
  const oddServers: TcpServer[] = []

  beforeEach(async () => {
    server = await AuthServer.start()
    logger = new TestLogger()
  })

  afterEach(async () => {
    for (const authenticator of opened.splice(0)) await authenticator.close()
    for (const odd of oddServers.splice(0)) await odd.stop()
    await server.stop()
  })

  async function startTcp(serve: (socket: Socket) => void): Promise<TcpServer> {
    const odd = await TcpServer.start(serve)
    oddServers.push(odd)
    return odd
  }

  function make(options: Partial<NsqAuthOptions> = {}, clock: Clock = new SystemClock()): NsqAuthenticator {
    const defaults = {
      addresses: [server.address],
      requestMethod: 'get',
      connectTimeoutMs: 2000,
      requestTimeoutMs: 5000,
    } as const
    const context = { clock, random: seededRandom(1), logger, configPath: process.cwd() }
    const authenticator = new NsqAuthenticator({ ...defaults, ...options }, context)
    opened.push(authenticator)
    return authenticator
  }

  it('are asked as nsqd asks them: by GET', async () => {
    await make().authenticate(REQUEST)
    const [{ method, url, headers }] = server.seen
    assert.equal(method, 'GET')
    const { pathname, searchParams } = new URL(url, 'http://localhost')
    assert.equal(pathname, '/auth')
    assert.deepEqual(Object.fromEntries(searchParams), {
      common_name: 'shop',
      remote_ip: '10.0.0.1',
      secret: SECRET,
      tls: 'true',
    })
    assert.equal(headers.accept, 'application/vnd.nsq; version=1.0')
  })

  it('are asked as nsqd asks them: by POST, each value a list of one', async () => {
    await make({ requestMethod: 'post', addresses: [`http://${server.address}/who/is/it`] }).authenticate(REQUEST)
    const [{ method, url, headers, body }] = server.seen
    assert.deepEqual([method, url, headers['content-type']], ['POST', '/who/is/it', 'application/json'])
    assert.deepEqual(JSON.parse(body), {
      common_name: ['shop'],
      remote_ip: ['10.0.0.1'],
      secret: [SECRET],
      tls: ['true'],
    })
  })

  it('are told a secret byte by byte, though it is no text', async () => {
    await make().authenticate({ ...REQUEST, secret: Buffer.from([0xff, 0x41, 0xfe, 0x7e, 0x2a]), commonName: 'ü' })
    assert.match(server.seen[0].url, /^\/auth\?common_name=%C3%BC&remote_ip=10\.0\.0\.1&secret=%FFA%FE~%2A&tls=true$/)
  })

  it('say who that is and what they may do', async () => {
    const identity = await make().authenticate(REQUEST)
    assert.ok(identity)
    assert.deepEqual(
      [identity.identity, identity.identityUrl, identity.permissionCount, identity.mayAdminister],
      ['ali', 'http://cave/ali', 2, false],
    )
    assert.ok(Math.abs(identity.expiresAtMs - Date.now() - 60_000) < 5_000)
    assert.equal(identity.mayPublish('orders'), true)
    assert.equal(identity.mayPublish('orders2'), false)
    assert.equal(identity.mayConsume('orders', 'mail'), false, 'it may only publish there')
    assert.equal(identity.mayConsume('my-logs-1', 'mail'), true, 'names are found anywhere')
    assert.equal(identity.mayConsume('my-logs-1', 'audit-2'), true)
    assert.equal(identity.mayConsume('my-logs-1', 'other'), false)
    assert.equal(identity.mayPublish('logs'), false, 'publishing needs a channel that matches nothing')
    assert.equal(identity.mayPublish('orders'), true, 'asked again')
  })

  it('say that nobody is known by an answer without authorizations', async () => {
    server.json({ ttl: 1, identity: '', authorizations: [] })
    assert.equal(await make().authenticate(REQUEST), null)
    server.json({ ttl: 1 })
    assert.equal(await make().authenticate(REQUEST), null)
  })

  it('do not let a client consume because of what it asked to publish to', async () => {
    server.json({ ...GOOD, authorizations: [{ topic: 'orders', channels: ['.*'], permissions: ['publish'] }] })
    const identity = (await make().authenticate(REQUEST)) as Identity
    assert.equal(identity.mayPublish('orders spy'), true)
    assert.equal(identity.mayConsume('orders', 'spy'), false)
  })

  it('may spell keys in any letter case, as Go reads them', async () => {
    const authorization = { Topic: '.*', Channels: ['.*'], PERMISSIONS: ['publish'] }
    server.json({ TTL: 1, Identity: 'ali', Identity_URL: 'u', Authorizations: [authorization], authorizations: null })
    const identity = await make().authenticate(REQUEST)
    assert.deepEqual([identity?.identity, identity?.identityUrl, identity?.mayPublish('t')], ['ali', 'u', true])
  })

  it('may name admins, which nsqd does not know', async () => {
    server.json({ ttl: 1, authorizations: [{ topic: '.*', channels: ['.*'], permissions: ['admin'] }] })
    const identity = await make().authenticate(REQUEST)
    assert.deepEqual([identity?.mayAdminister, identity?.mayPublish('t')], [true, false])
  })

  it('are not believed when their answer makes no sense; the client learns only that', async () => {
    const authorization = { topic: 't', channels: ['c'], permissions: ['publish'] }
    const nonsense: unknown[] = [
      { ...GOOD, ttl: 0 },
      { ...GOOD, ttl: -1 },
      { ...GOOD, ttl: 1.5 },
      { ...GOOD, ttl: '60' },
      { ...GOOD, identity: 5 },
      { ...GOOD, authorizations: [{ ...authorization, permissions: ['publish', 'fly'] }] },
      { ...GOOD, authorizations: [{ ...authorization, topic: '(' }] },
      { ...GOOD, authorizations: [{ ...authorization, channels: ['[a'] }] },
      { ...GOOD, authorizations: [{ ...authorization, permissions: ['admin'] }] },
      { ...GOOD, authorizations: [{ topic: '.*', channels: ['c'], permissions: ['admin'] }] },
      { ...GOOD, authorizations: 'all' },
      [],
      null,
    ]
    for (const answer of nonsense) {
      server.json(answer)
      await assert.rejects(make().authenticate(REQUEST), { code: 'E_AUTH_FAILED' }, JSON.stringify(answer))
    }
    for (const answer of [
      (response: ServerResponse) => response.end('no JSON'),
      (response: ServerResponse) => response.writeHead(500).end('{}'),
      (response: ServerResponse) => response.writeHead(403).end('{}'),
      (response: ServerResponse) => void response.destroy(),
      (response: ServerResponse) => response.end(`"${'x'.repeat(2 * 1024 * 1024)}"`),
    ]) {
      server.answer = answer
      await assert.rejects(make().authenticate(REQUEST), { code: 'E_AUTH_FAILED' })
    }
    const logged = JSON.stringify(logger.lines)
    assert.ok(!logged.includes('sesame'), 'secrets are not logged')
  })

  it('do not have what they say quoted in the log, since it may be the secret', async () => {
    for (const answer of [
      `${SECRET}`,
      `{"ttl":"${SECRET}"}`,
      answerWith(SECRET, '('),
      answerWith('publish', `${SECRET}(`),
    ]) {
      server.answer = (response) => response.end(answer)
      await assert.rejects(make().authenticate(REQUEST))
    }
    assert.ok(!JSON.stringify(logger.lines).includes('sesame'), JSON.stringify(logger.lines))
    assert.match(JSON.stringify(logger.lines), /authorizations\[0\]\.topic is no pattern/)
  })

  it('are followed where they redirect to, on the same host', async () => {
    for (const [requestMethod, status, asked] of [
      ['get', 302, 'GET /moved?to=1'],
      ['post', 302, 'GET /moved?to=1'],
      ['post', 307, 'POST /moved?to=1'],
    ] as const) {
      server.answer = (response, url) => {
        if (url.startsWith('/moved')) response.end(JSON.stringify(GOOD))
        else response.writeHead(status, { Location: '/moved?to=1' }).end()
      }
      server.seen.length = 0
      assert.ok(await make({ requestMethod }).authenticate(REQUEST))
      const [, { method, url, body }] = server.seen
      assert.equal(`${method} ${url}`, asked)
      assert.equal(body !== '', method === 'POST')
    }
  })

  it('are not followed to another host, nor for ever', async () => {
    const { port } = new URL(`http://${server.address}`)
    for (const [location, error] of [
      [`http://localhost:${port}/moved`, 'it redirects to another host'],
      ['ftp://127.0.0.1/moved', 'it redirects to another host'],
      ['http://[', 'it redirects to another host'],
      ['/auth', 'it redirects more than 10 times'],
    ]) {
      logger.lines.length = 0
      server.answer = (response) => response.writeHead(302, { Location: location }).end()
      await assert.rejects(make().authenticate(REQUEST), { code: 'E_AUTH_FAILED' })
      assert.deepEqual(logger.lines[0].fields, { error })
    }
  })

  it('cannot hold up the node with many patterns', async () => {
    const channels = Array.from({ length: 2_000 }, (_, index) => `^channel-${index}-[a-z]+$`)
    server.json({ ttl: 1, authorizations: [{ topic: '.*', channels, permissions: ['publish'] }] })
    const authenticator = make()
    let isAnswered = false
    let turns = 0
    const count = (): void => {
      turns++
      if (!isAnswered) setImmediate(count)
    }
    const answered = authenticator.authenticate(REQUEST)
    while (server.seen.length === 0) await new Promise((resolve) => setImmediate(resolve))
    setImmediate(count)
    assert.ok(await answered)
    isAnswered = true
    assert.ok(turns > 50, `${turns} turns of the event loop`)
  })

  it('are not believed when their patterns are too many, or too large', async () => {
    for (const [channels, error] of [
      [Array(5_000).fill('.*'), 'it has more than 4096 patterns'],
      [Array.from({ length: 500 }, (_, index) => `${index}a{1000}`), 'its patterns are too large'],
      [['x'.repeat(5_000)], 'authorizations[0].channels is no pattern of RE2, or has more than 4096 letters'],
    ] as const) {
      logger.lines.length = 0
      server.json({ ttl: 1, authorizations: [{ topic: '.*', channels, permissions: ['publish'] }] })
      await assert.rejects(make().authenticate(REQUEST), { code: 'E_AUTH_FAILED' })
      assert.deepEqual(logger.lines[0].fields, { error })
    }
  })

  it('cannot hold up the node with a pattern', async () => {
    server.json({ ttl: 1, authorizations: [{ topic: '^(a+)+$', channels: ['.*'], permissions: ['publish'] }] })
    const identity = await make().authenticate(REQUEST)
    const startedMs = performance.now()
    assert.equal(identity?.mayPublish(`${'a'.repeat(60)}!`), false)
    // Backtracking would take years; this bound is for a machine under heavy load.
    assert.ok(performance.now() - startedMs < 10_000)
  })

  it('are tried one after the other until one answers', async () => {
    const dead = createTcpServer().listen(0, '127.0.0.1')
    await once(dead, 'listening')
    const { port } = dead.address() as AddressInfo
    dead.close()
    const authenticator = make({ addresses: [`127.0.0.1:${port}`, server.address] })
    for (let count = 0; count < 6; count++) assert.ok(await authenticator.authenticate(REQUEST))
    assert.ok(logger.messages('error').every((message) => message.includes(String(port))))
    assert.ok(logger.messages('error').length > 0, 'the dead one was tried')
  })

  it('are given up when they do not answer in time', async () => {
    server.answer = () => {}
    await assert.rejects(make({ requestTimeoutMs: 50 }).authenticate(REQUEST), { code: 'E_AUTH_FAILED' })
    assert.match(JSON.stringify(logger.lines), /did not answer within 50 ms/)
  })

  for (const [name, bytes] of [
    [
      'asks for another protocol',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    ],
    ['asks for another protocol without a name', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['says to go on, and nothing more', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['stops in the middle', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}'],
    ['speaks no HTTP', 'hello\r\n\r\n'],
  ] as const) {
    it(`are given up, and asked again, after one ${name}`, async () => {
      const good = JSON.stringify(GOOD)
      const sent = [bytes, `HTTP/1.1 200 OK\r\nContent-Length: ${good.length}\r\n\r\n${good}`]
      const odd = await startTcp((socket) => socket.once('data', () => socket.write(sent.shift() ?? '')))
      const authenticator = make({ addresses: [odd.address], requestTimeoutMs: 500 })
      await assert.rejects(authenticator.authenticate(REQUEST), { code: 'E_AUTH_FAILED' })
      assert.ok(await authenticator.authenticate(REQUEST))
    })
  }

  it('may close connections that were used, at any time', async () => {
    const good = JSON.stringify(GOOD)
    const hasty = await startTcp((socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${good.length}\r\n\r\n${good}`)
        socket.once('data', () => socket.resetAndDestroy())
      })
    })
    const authenticator = make({ addresses: [hasty.address] })
    for (let count = 0; count < 5; count++) assert.ok(await authenticator.authenticate(REQUEST))
  })

  it('have their whole time for each question, though it had to wait for its turn', async () => {
    const held: ServerResponse[] = []
    const clock = new FakeClock()
    server.answer = (response) => held.push(response)
    const authenticator = make({ requestTimeoutMs: 1_000 }, clock)
    const asked = Array.from({ length: 150 }, (_, index) =>
      authenticator.authenticate({ ...REQUEST, secret: Buffer.from(`s${index}`) }),
    )
    for (let answered = 0; answered < 150; ) {
      while (held.length < Math.min(64, 150 - answered)) await new Promise((resolve) => setImmediate(resolve))
      clock.advance(900)
      for (const response of held.splice(0)) {
        response.end(JSON.stringify(GOOD))
        answered++
      }
    }
    assert.ok((await Promise.all(asked)).every((identity) => identity !== null))
  })

  it('are not asked for more clients than there is room for', async () => {
    server.answer = () => {}
    const authenticator = make()
    const asked = Array.from({ length: 64 + 4_096 + 3 }, (_, index) =>
      authenticator.authenticate({ ...REQUEST, secret: Buffer.from(`s${index}`) }),
    )
    const last = asked.splice(-3)
    for (const { status } of await Promise.allSettled(last)) assert.equal(status, 'rejected')
    assert.deepEqual(logger.messages('warn'), ['4096 questions wait for auth servers: refusing others'])
    await authenticator.close()
    await Promise.allSettled(asked)
  }).timeout(60_000)

  it('are asked once for equal questions at the same time', async () => {
    const authenticator = make()
    await Promise.all(Array.from({ length: 10 }, () => authenticator.authenticate(REQUEST)))
    assert.equal(server.seen.length, 1)
    await authenticator.authenticate({ ...REQUEST, remoteIp: '10.0.0.2' })
    await authenticator.authenticate(REQUEST)
    assert.equal(server.seen.length, 3)
  })

  describe('that speak https', () => {
    const files = new TestFiles()
    let secure: AuthServer
    let pair: KeyPair

    before(async () => {
      pair = await makeCertificate('127.0.0.1')
      secure = await AuthServer.start(pair)
    })

    after(async () => {
      await secure.stop()
      await files.remove()
    })

    it('are trusted when their authority is in rootCaPath, which is read again', async () => {
      const rootCaPath = await files.write('ca.pem', (await makeCertificate('other')).cert)
      const authenticator = make({ addresses: [`https://${secure.address}/auth`], rootCaPath })
      await assert.rejects(authenticator.authenticate(REQUEST), { code: 'E_AUTH_FAILED' })
      await files.write('ca.pem', pair.cert)
      authenticator.reload()
      assert.ok(await authenticator.authenticate(REQUEST))
      await files.write('ca.pem', 'oops')
      assert.throws(() => authenticator.reload(), { code: 'E_INVALID_OPTION' })
      assert.ok(await authenticator.authenticate(REQUEST), 'with what it had')
    })

    it('are not begun with when rootCaPath is of no use', async () => {
      assert.throws(() => make({ rootCaPath: '/nowhere' }), {
        message: 'E_INVALID_OPTION failed to build TLS config - /nowhere: no such file',
      })
      for (const [text, reason] of [
        ['', 'it has no certificate'],
        ['no PEM', 'it has no certificate'],
        [pair.key, 'it has no certificate'],
        [pair.cert.slice(0, 200), 'its certificate 1 cannot be read'],
        [`${pair.cert}\n${pair.cert.replace(/[A-Za-z]{20}/, 'x')}`, 'its certificate 2 cannot be read'],
      ]) {
        const rootCaPath = await files.write('bad.pem', text)
        assert.throws(() => make({ rootCaPath }), { message: new RegExp(`bad\\.pem: ${reason}$`) })
      }
    })

    it('are read again what they are trusted by, when the node is told to', () => {
      const reloads: (() => void | Promise<void>)[] = []
      const context = { clock: new SystemClock(), random: seededRandom(1), logger, configPath: process.cwd() }
      const options = { addresses: ['a:1'], requestMethod: 'get', connectTimeoutMs: 1, requestTimeoutMs: 1 } as const
      plugin.create(options, {
        ...context,
        dataPath: '/',
        memorySizeBytesMax: null,
        onReload: (reload) => reloads.push(reload),
      })
      assert.equal(reloads.length, 1)
    })
  })

  it('are a plugin that provides an authenticator', () => {
    assert.equal(plugin.provides, AUTHENTICATOR)
  })
})
