import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { INFO } from './support/bytes.js'
import { TestLookupd } from './support/test-lookupd.js'

const GETS = ['/ping', '/info', '/topics', '/channels', '/lookup', '/nodes', '/debug']
const POSTS = ['/topic/create', '/topic/delete', '/topic/tombstone', '/channel/create', '/channel/delete']
const EPHEMERAL = 't%23ephemeral'

describe('the HTTP API', () => {
  let test: TestLookupd

  beforeEach(async () => {
    test = await TestLookupd.start()
  })
  afterEach(() => test.stop())

  async function refuses(status: number, code: string, method: string, ...paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      const answer = await test.request(method, path)
      assert.deepEqual([answer.status, answer.text], [status, `{"message":"${code}"}`], `${method} ${path}`)
      assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
      assert.equal(answer.headers.get('x-nsq-content-type'), 'nsq; version=1.0')
    }
  }

  const topics = async () => (await test.show<{ topics: string[] }>('/topics')).topics
  const channels = async (topic: string) =>
    (await test.show<{ channels: string[] }>(`/channels?topic=${topic}`)).channels

  it('says that it is there, without a word of versions', async () => {
    const { status, text, headers } = await test.request('GET', '/ping')
    assert.deepEqual([status, text, headers.get('x-nsq-content-type')], [200, 'OK', null])
  })

  it('says which NSQ it is', async () => {
    const { text, headers } = await test.request('GET', '/info')
    assert.equal(text, '{"version":"1.3.0"}')
    assert.equal(headers.get('x-nsq-content-type'), 'nsq; version=1.0')
  })

  for (const path of [...GETS, ...POSTS]) {
    it(`${path} says which methods it has`, async () => {
      const allow = GETS.includes(path) ? 'GET, OPTIONS' : 'OPTIONS, POST'
      const options = await test.request('OPTIONS', path)
      assert.deepEqual([options.status, options.text, options.headers.get('allow')], [200, '', allow])
      await refuses(405, 'METHOD_NOT_ALLOWED', GETS.includes(path) ? 'POST' : 'GET', path)
    })
  }

  it('knows no other paths, and redirects from what is nearly one', async () => {
    await refuses(404, 'NOT_FOUND', 'GET', '/', '/topic', '/create_topic', '/debug/pprof')
    const { status, headers } = await test.request('GET', '/Lookup/?topic=t')
    assert.deepEqual([status, headers.get('location')], [301, '/lookup?topic=t'])
  })

  it('refuses a query that cannot be read', async () => {
    await refuses(400, 'INVALID_REQUEST', 'GET', '/lookup?topic=a;b', '/channels?topic=%zz')
    await refuses(400, 'INVALID_REQUEST', 'POST', ...POSTS.map((path) => `${path}?topic=%`))
  })

  it('misses parameters, and names that cannot be', async () => {
    await refuses(400, 'MISSING_ARG_TOPIC', 'GET', '/lookup', '/channels', '/lookup?channel=c')
    await refuses(400, 'MISSING_ARG_TOPIC', 'POST', ...POSTS)
    await refuses(400, 'MISSING_ARG_CHANNEL', 'POST', '/channel/create?topic=t', '/channel/delete?topic=t')
    await refuses(400, 'MISSING_ARG_NODE', 'POST', '/topic/tombstone?topic=t')
    const creations = ['/topic/create?topic=', '/channel/create?channel=c&topic=', '/channel/delete?channel=c&topic=']
    for (const name of ['', '*', 'a%20b', 'x'.repeat(65)]) {
      await refuses(400, 'INVALID_ARG_TOPIC', 'POST', ...creations.map((path) => path + name))
      await refuses(400, 'INVALID_ARG_CHANNEL', 'POST', `/channel/create?topic=t&channel=${name}`)
      await refuses(400, 'INVALID_ARG_CHANNEL', 'POST', `/channel/delete?topic=t&channel=${name}`)
    }
  })

  describe('/topics and /channels', () => {
    it('are lists in order, empty ones too', async () => {
      assert.equal((await test.request('GET', '/topics')).text, '{"topics":[]}')
      assert.equal((await test.request('GET', '/channels?topic=none')).text, '{"channels":[]}')
      const nsqd = await test.connect()
      for (const line of ['REGISTER u z\n', 'REGISTER u a\n', `REGISTER t\n`]) await nsqd.ask(line)
      assert.deepEqual([await topics(), await channels('u'), await channels('t')], [['t', 'u'], ['a', 'z'], []])
    })

    it('keep what nobody has any more', async () => {
      const nsqd = await test.connect()
      await nsqd.ask('REGISTER t c\n')
      await nsqd.ask('UNREGISTER t c\n')
      await nsqd.ask('UNREGISTER t\n')
      assert.deepEqual([await topics(), await channels('t')], [['t'], ['c']])
    })

    it('forget what is ephemeral when its last nsqd unregisters it, and keep it when that is gone without a word', async () => {
      const nsqd = await test.connect()
      await nsqd.ask('REGISTER t#ephemeral c#ephemeral\n')
      await nsqd.ask('UNREGISTER t#ephemeral c#ephemeral\n')
      assert.deepEqual([await topics(), await channels(EPHEMERAL)], [['t#ephemeral'], []])
      await nsqd.ask('UNREGISTER t#ephemeral\n')
      assert.deepEqual(await topics(), [])
      await nsqd.ask('REGISTER t#ephemeral c#ephemeral\n')
      await gone(nsqd)
      assert.deepEqual([await topics(), await channels(EPHEMERAL)], [['t#ephemeral'], ['c#ephemeral']])
    })
  })

  /** Has an nsqd disconnect, and waits until that is noticed. */
  async function gone(nsqd: Awaited<ReturnType<TestLookupd['connect']>>): Promise<void> {
    const logged = (): number => test.logger.messages('info').filter((message) => message === 'nsqd gone').length
    const before = logged()
    nsqd.destroy()
    while (logged() === before) await new Promise((resolve) => setImmediate(resolve))
  }

  describe('/lookup', () => {
    it('does not know a topic that nobody has ever had, or whose name cannot be', async () => {
      await refuses(404, 'TOPIC_NOT_FOUND', 'GET', '/lookup?topic=t', '/lookup?topic=', '/lookup?topic=*')
    })

    it('shows the channels of a topic, and who has it', async () => {
      const one = await test.connect({ topology_zone: 'z', topology_region: 'r' })
      const two = await test.connect({ broadcast_address: 'two.test', tcp_port: 5150, http_port: 5151 })
      await one.ask('REGISTER t b\n')
      await two.ask('REGISTER t a\n')
      await two.ask('REGISTER other\n')
      const { text } = await test.request('GET', '/lookup?topic=t')
      const producers = [
        { remote_address: one.address, ...inOrder({}), topology_zone: 'z', topology_region: 'r' },
        {
          remote_address: two.address,
          ...inOrder({ broadcast_address: 'two.test', tcp_port: 5150, http_port: 5151 }),
          topology_zone: '',
          topology_region: '',
        },
      ]
      assert.equal(text, JSON.stringify({ channels: ['a', 'b'], producers }))
    })

    it('shows nobody where nobody is left', async () => {
      const nsqd = await test.connect()
      await nsqd.ask('REGISTER t c\n')
      await gone(nsqd)
      assert.deepEqual(await test.show('/lookup?topic=t'), { channels: ['c'], producers: [] })
    })

    it('takes the first of two topics, with escapes', async () => {
      await test.post(`/topic/create?topic=${EPHEMERAL}`)
      assert.deepEqual(await test.show(`/lookup?topic=${EPHEMERAL}&topic=t`), { channels: [], producers: [] })
    })
  })

  describe('/nodes', () => {
    it('shows each nsqd with its topics', async () => {
      assert.equal((await test.request('GET', '/nodes')).text, '{"producers":[]}')
      const one = await test.connect()
      for (const line of ['REGISTER u c\n', 'REGISTER t\n']) await one.ask(line)
      await test.connect({ broadcast_address: 'two.test' })
      const { producers } = await test.show<{ producers: Record<string, unknown>[] }>('/nodes')
      assert.deepEqual(
        producers.map(({ broadcast_address, topics, tombstones }) => ({ broadcast_address, topics, tombstones })),
        [
          { broadcast_address: 'one.test', topics: ['t', 'u'], tombstones: [false, false] },
          { broadcast_address: 'two.test', topics: [], tombstones: [] },
        ],
      )
    })
  })

  describe('/topic/create and /channel/create', () => {
    it('make a topic, and a channel with its topic, as often as they are asked', async () => {
      for (let again = 0; again < 2; again++) {
        await test.post('/topic/create?topic=t')
        await test.post('/channel/create?topic=u&channel=c')
      }
      assert.deepEqual([await topics(), await channels('u')], [['t', 'u'], ['c']])
    })

    it('refuse one that is one too many', async () => {
      await test.stop()
      test = await TestLookupd.start({ registrationCountMax: 2 })
      await test.post('/channel/create?topic=t&channel=c')
      await refuses(503, 'FULL', 'POST', '/topic/create?topic=u', '/channel/create?topic=t&channel=d')
      assert.deepEqual([await topics(), await channels('t')], [['t'], ['c']])
    })
  })

  describe('/topic/delete and /channel/delete', () => {
    it('forget a topic with its channels, or one channel; nsqds that have it register no more until they are back', async () => {
      const nsqd = await test.connect()
      for (const line of ['REGISTER t c\n', 'REGISTER t d\n', 'REGISTER u\n']) await nsqd.ask(line)
      await test.post('/channel/delete?topic=t&channel=c')
      assert.deepEqual(await channels('t'), ['d'])
      await test.post('/topic/delete?topic=t')
      await refuses(404, 'TOPIC_NOT_FOUND', 'GET', '/lookup?topic=t')
      assert.deepEqual([await topics(), await channels('t')], [['u'], []])
      assert.deepEqual((await test.show<{ producers: { topics: string[] }[] }>('/nodes')).producers[0].topics, ['u'])
      assert.equal(await nsqd.ask('REGISTER t c\n'), 'OK')
      assert.deepEqual(await topics(), ['t', 'u'])
    })

    it('take a topic that nobody knows, and not a channel', async () => {
      await test.post('/topic/delete?topic=no%20name')
      await refuses(404, 'CHANNEL_NOT_FOUND', 'POST', '/channel/delete?topic=t&channel=c')
    })

    it('know no wildcard', async () => {
      await test.post('/channel/create?topic=t&channel=c')
      await test.post('/topic/delete?topic=*')
      assert.deepEqual([await topics(), await channels('*')], [['t'], []])
    })
  })

  describe('/topic/tombstone', () => {
    it('hides an nsqd from the consumers of a topic, and of no other', async () => {
      const nsqd = await test.connect()
      for (const line of ['REGISTER t\n', 'REGISTER u\n']) await nsqd.ask(line)
      await test.post('/topic/tombstone?topic=t&node=one.test:4151')
      const producers = async (topic: string): Promise<number> =>
        (await test.show<{ producers: unknown[] }>(`/lookup?topic=${topic}`)).producers.length
      assert.deepEqual([await producers('t'), await producers('u')], [0, 1])
      const [node] = (await test.show<{ producers: { topics: string[]; tombstones: boolean[] }[] }>('/nodes')).producers
      assert.deepEqual(
        [node.topics, node.tombstones],
        [
          ['t', 'u'],
          [true, false],
        ],
      )
      await nsqd.ask('REGISTER t\n') // which does not take it back
      assert.equal(await producers('t'), 0)
    })

    it('knows IPv6 addresses without brackets', async () => {
      const nsqd = await test.connect({ broadcast_address: '::1' })
      await nsqd.ask('REGISTER t\n')
      await test.post('/topic/tombstone?topic=t&node=[::1]:4151')
      assert.equal((await test.show<{ producers: unknown[] }>('/lookup?topic=t')).producers.length, 1)
      await test.post('/topic/tombstone?topic=t&node=::1:4151')
      assert.equal((await test.show<{ producers: unknown[] }>('/lookup?topic=t')).producers.length, 0)
    })

    it('takes what matches nobody', () => test.post('/topic/tombstone?topic=none&node=nobody'))
  })

  describe('/debug', () => {
    it('shows who is where, with times in nanoseconds', async () => {
      assert.equal((await test.request('GET', '/debug')).text, '{}')
      const nsqd = await test.connect()
      await nsqd.ask('REGISTER t c\n')
      await test.post('/topic/create?topic=nobody')
      await test.post('/topic/tombstone?topic=t&node=one.test:4151')
      const { text } = await test.request('GET', '/debug')
      const now = '1767323045000000000'
      const entry = (tombstoned: boolean, at: string): string =>
        `[{"broadcast_address":"one.test","hostname":"one","http_port":4151,"id":"${nsqd.address}","last_update":${now},` +
        `"tcp_port":4150,"tombstoned":${tombstoned},"tombstoned_at":${at},"topology_region":"","topology_zone":"","version":"1.3.0"}]`
      const never = entry(false, '-6795364578871345152')
      assert.equal(text, `{"channel:t:c":${never},"client::":${never},"topic:t:":${entry(true, now)}}`)
    })
  })

  it('shows /debug in order of its keys as a whole, as nsqlookupd does', async () => {
    const nsqd = await test.connect()
    for (const name of ['t', 't#ephemeral', 't-x']) await nsqd.ask(`REGISTER ${name} c\n`)
    const keys = Object.keys(await test.show<object>('/debug'))
    assert.deepEqual(keys, [...keys].sort())
    assert.equal(keys.length, 7)
  })

  it('tells nsqds both of its addresses', async () => {
    const nsqd = await test.connectUnidentified()
    assert.deepEqual(JSON.parse(await nsqd.identify()), {
      broadcast_address: 'lookup.test',
      hostname: hostname(),
      http_port: test.httpPort,
      tcp_port: test.tcpPort,
      version: '1.3.0',
    })
  })
})

/** What an nsqd says of itself, in the order in which it is shown. */
function inOrder(info: Partial<typeof INFO>): object {
  const { hostname, broadcast_address, tcp_port, http_port, version } = { ...INFO, ...info }
  return { hostname, broadcast_address, tcp_port, http_port, version }
}
