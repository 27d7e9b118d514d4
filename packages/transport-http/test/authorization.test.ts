import assert from 'node:assert/strict'
import { type Authenticator, type AuthRequest, BrokerError, type Identity } from '@spillway/core'
import { FakeBroker } from './support/fake-broker.js'
import { TestTransport } from './support/start-transport.js'

/** `admin` may do everything; `shop` may publish to orders and consume orders/mail; `janitor` runs the node and may do neither. */
class Users implements Authenticator {
  readonly asked: AuthRequest[] = []
  /** What identities were asked about. */
  readonly names: string[] = []
  expiresAtMs = Number.POSITIVE_INFINITY
  isDown = false

  async authenticate(request: AuthRequest): Promise<Identity | null> {
    this.asked.push(request)
    if (this.isDown) throw new BrokerError('E_AUTH_FAILED', 'nobody answers')
    const name = Buffer.from(request.secret).toString()
    if (!['admin', 'shop:pw', 'janitor'].includes(name)) return null
    const isAdmin = name === 'admin'
    const isShop = name === 'shop:pw'
    return {
      identity: name,
      identityUrl: '',
      permissionCount: 1,
      expiresAtMs: this.expiresAtMs,
      mayPublish: (topic) => {
        this.names.push(topic)
        return isAdmin || (isShop && topic === 'orders')
      },
      mayConsume: (topic, channel) => {
        this.names.push(topic, channel)
        return isAdmin || (isShop && topic === 'orders' && channel === 'mail')
      },
      mayAdminister: !isShop,
    }
  }

  async close(): Promise<void> {}
}

const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` })
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })

describe('HTTP where clients must authenticate', () => {
  let users: Users
  let broker: FakeBroker
  let http: TestTransport

  beforeEach(async () => {
    users = new Users()
    broker = new FakeBroker()
    Object.assign(broker, { authenticator: users })
    http = await TestTransport.start({ authenticate: true, debug: true }, broker)
    broker.openTopic('orders').openChannel('mail')
  })

  afterEach(() => http.stop())

  async function status(method: string, path: string, headers: Record<string, string> = {}): Promise<number> {
    return (await http.request(method, path, { headers, body: method === 'GET' ? '' : 'x' })).status
  }

  it('leaves a line in the log of each client that is refused: address, code and reason, and not the secret', async () => {
    await status('POST', '/pub?topic=orders', bearer('wrong'))
    await status('POST', '/pub?topic=bills&secret=x', bearer('shop:pw'))
    await status('GET', '/nowhere', bearer('shop:pw'))
    const lines = broker.logger.lines.filter(({ message }) => message === 'client refused')
    assert.deepEqual(
      lines.map(({ level, fields }) => [level, fields.code, fields.reason]),
      [
        ['warn', 'UNAUTHORIZED', 'POST /pub: status 401'],
        ['warn', 'FORBIDDEN', 'POST /pub: status 403'],
      ],
    )
    assert.match(String(lines[0].fields.peer), /^127\.0\.0\.1:\d+$/)
  })

  it('answers everybody whether it is there, and what it is', async () => {
    assert.equal(await status('GET', '/ping'), 200)
    assert.equal(await status('GET', '/info'), 200)
  })

  it('asks who that is, and says how', async () => {
    for (const headers of [{}, bearer('wrong'), { authorization: 'Digest x' }, { authorization: 'Bearer' }]) {
      const answer = await http.request('POST', '/pub?topic=orders', {
        headers: headers as Record<string, string>,
        body: 'x',
      })
      assert.deepEqual([answer.status, answer.text], [401, '{"message":"UNAUTHORIZED"}'])
      assert.equal(answer.headers['www-authenticate'], 'Basic realm="nsqd"')
    }
    assert.deepEqual(broker.topics.get('orders')?.messages, [])
  })

  it('takes a secret as a bearer has it, or a name and a secret', async () => {
    assert.equal(await status('POST', '/pub?topic=orders', bearer('shop:pw')), 200)
    assert.equal(await status('POST', '/pub?topic=orders', basic('shop:pw')), 200)
    assert.equal(await status('POST', '/pub?topic=orders', basic(':admin')), 200)
  })

  it('lets everybody do what they may, and nothing else', async () => {
    const shop = bearer('shop:pw')
    const allowed = [
      'GET /stats',
      'GET /metrics',
      'POST /mpub?topic=orders',
      'POST /topic/create?topic=orders',
      'POST /channel/create?topic=orders&channel=mail',
    ]
    const forbidden = [
      'POST /pub?topic=bills',
      'POST /mpub?topic=bills',
      'POST /topic/create?topic=bills',
      'POST /channel/create?topic=orders&channel=other',
      ...['empty', 'pause', 'unpause', 'delete'].flatMap((act) => [
        `POST /topic/${act}?topic=orders`,
        `POST /channel/${act}?topic=orders&channel=mail`,
      ]),
      'GET /config/log_level',
      'PUT /config/log_level',
      'GET /debug/pprof/cmdline',
      'POST /debug/freememory',
    ]
    for (const line of [...allowed, ...forbidden]) {
      const [method, path] = line.split(' ')
      assert.equal(await status(method, path, shop), allowed.includes(line) ? 200 : 403, line)
      assert.notEqual(await status(method, path, bearer('admin')), 403, line)
      assert.equal(await status(method, path), 401, line)
    }
  })

  it('says what is missing of a query, or wrong with it, before it says who may', async () => {
    assert.equal(await status('POST', '/pub', bearer('shop:pw')), 400)
    assert.equal(await status('POST', '/pub?topic=orders%20mail', bearer('shop:pw')), 400)
    assert.equal(await status('POST', '/topic/create?topic=', bearer('shop:pw')), 400)
    assert.equal(await status('POST', '/channel/create?topic=orders&channel=a%20b', bearer('shop:pw')), 400)
  })

  it('asks an identity about valid names only', async () => {
    for (const topic of ['orders%20mail', 'x'.repeat(60_000), 'orders%00', '%FF']) {
      await status('POST', `/pub?topic=${topic}`, bearer('shop:pw'))
      await status('POST', `/channel/create?topic=orders&channel=${topic}`, bearer('shop:pw'))
    }
    assert.deepEqual(users.names, [])
  })

  it('lets an admin publish and consume what V2 lets them, and no more', async () => {
    assert.equal(await status('POST', '/topic/pause?topic=orders', bearer('janitor')), 200)
    assert.equal(await status('POST', '/pub?topic=orders', bearer('janitor')), 403)
    assert.equal(await status('POST', '/channel/create?topic=orders&channel=mail', bearer('janitor')), 403)
  })

  it('takes a secret as the bytes that were sent, whatever they are', async () => {
    const secret = Buffer.from('schlüssel').toString('latin1')
    await status('GET', '/stats', bearer(secret))
    await status('GET', '/stats', basic('schlüssel:ü'))
    const bytes = Buffer.from([0x3a, 0xff, 0x41, 0xfe])
    await status('GET', '/stats', { authorization: `Basic ${bytes.toString('base64')}` })
    assert.deepEqual(
      users.asked.map((request) => Buffer.from(request.secret).toString('latin1')),
      [secret, Buffer.from('schlüssel:ü').toString('latin1'), '\xffA\xfe'],
    )
  })

  it('asks once for each client, until its identity expires', async () => {
    for (let count = 0; count < 3; count++) await status('POST', '/pub?topic=orders', bearer('shop:pw'))
    assert.equal(users.asked.length, 1)
    assert.equal(users.asked[0].remoteIp, '127.0.0.1')
    broker.clock.advance(60_001)
    await status('POST', '/pub?topic=orders', bearer('shop:pw'))
    assert.equal(users.asked.length, 2)
    users.expiresAtMs = broker.clock.wallMs() + 1_000
    await status('POST', '/pub?topic=orders', bearer('admin'))
    broker.clock.advance(1_001)
    await status('POST', '/pub?topic=orders', bearer('admin'))
    assert.equal(users.asked.length, 4)
  })

  it('says that nobody can be asked', async () => {
    users.isDown = true
    const answer = await http.request('GET', '/stats', { headers: bearer('admin') })
    assert.deepEqual([answer.status, answer.text], [503, '{"message":"AUTH_FAILED"}'])
  })
})

describe('HTTP where clients need not authenticate', () => {
  it('says once that it is open, where V2 is not', async () => {
    const broker = new FakeBroker()
    Object.assign(broker, { authenticator: new Users() })
    const http = await TestTransport.start({}, broker)
    assert.equal((await http.post('/pub?topic=t', 'x')).status, 200)
    assert.deepEqual(broker.logger.messages('warn'), [
      'HTTP: clients of 127.0.0.1:0 need not authenticate (see `authenticate`)',
    ])
    await http.stop()
  })

  it('does not start when it is to authenticate and there is nobody to ask', async () => {
    await assert.rejects(TestTransport.start({ authenticate: true }), { code: 'E_INVALID_OPTION' })
  })
})
