import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { AUTHENTICATOR, type AuthRequest } from '@spillway/core'
import { SystemClock } from '@spillway/core/node'
import { seededRandom, TestLogger } from '@spillway/core/testing'
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
  answer: (response: ServerResponse) => void = (response) => response.end(JSON.stringify(GOOD))
  readonly #server: Server

  private constructor() {
    this.#server = createServer(async (request, response) => {
      let body = ''
      for await (const part of request) body += part
      const { method = '', url = '', headers } = request
      this.seen.push({ method, url, headers, body })
      this.answer(response)
    })
  }

  static async start(): Promise<AuthServer> {
    const server = new AuthServer()
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

describe('NSQ auth servers', () => {
  let server: AuthServer
  let logger: TestLogger
  const opened: NsqAuthenticator[] = []

  beforeEach(async () => {
    server = await AuthServer.start()
    logger = new TestLogger()
  })

  afterEach(async () => {
    for (const authenticator of opened.splice(0)) await authenticator.close()
    await server.stop()
  })

  function make(options: Partial<NsqAuthOptions> = {}): NsqAuthenticator {
    const defaults = {
      addresses: [server.address],
      requestMethod: 'get',
      connectTimeoutMs: 2000,
      requestTimeoutMs: 5000,
    } as const
    const context = { clock: new SystemClock(), random: seededRandom(1), logger, configPath: process.cwd() }
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

  it('cannot hold up the node with a pattern', async () => {
    server.json({ ttl: 1, authorizations: [{ topic: '^(a+)+$', channels: ['.*'], permissions: ['publish'] }] })
    const identity = await make().authenticate(REQUEST)
    const startedMs = performance.now()
    assert.equal(identity?.mayPublish(`${'a'.repeat(60)}!`), false)
    assert.ok(performance.now() - startedMs < 1_000)
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

  it('are asked once for equal questions at the same time', async () => {
    const authenticator = make()
    await Promise.all(Array.from({ length: 10 }, () => authenticator.authenticate(REQUEST)))
    assert.equal(server.seen.length, 1)
    await authenticator.authenticate({ ...REQUEST, remoteIp: '10.0.0.2' })
    await authenticator.authenticate(REQUEST)
    assert.equal(server.seen.length, 3)
  })

  it('are a plugin that provides an authenticator', () => {
    assert.equal(plugin.provides, AUTHENTICATOR)
  })
})
