import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../support/eventually.js'
import { lastingPorts } from '../support/lasting-ports.js'
import { Random } from '../support/random.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import { type RunningLookupd, startNsqlookupd } from '../support/start-nsqlookupd.js'
import { identifyBytes, LookupdPlayer } from './lookupd-player.js'
import { NsqAdmin } from './nsq-admin.js'
import { NsqPrograms } from './nsq-programs.js'

const LIMIT_MS = 10_000
const INFO = { broadcast_address: 'one.test', hostname: 'one', tcp_port: 4150, http_port: 4151, version: '1.3.0' }
const IDENTIFY = identifyBytes(INFO)
const GETS = ['/ping', '/info', '/topics', '/channels', '/lookup', '/nodes', '/debug']
const POSTS = ['/topic/create', '/topic/delete', '/topic/tombstone', '/channel/create', '/channel/delete']
const VIEWS = ['/topics', '/nodes', '/debug', '/lookup?topic=t', '/channels?topic=t']

type Play = (player: LookupdPlayer) => Promise<void>

/** What is played to both, each on a fresh one. */
const PLAYS: Readonly<Record<string, Play>> = {
  async 'magic, PING, unknown commands'(player) {
    await player.connect('wrong', '  V2')
    await player.send('wrong', 'PING\n', 2)
    await player.connect('cut', '  V')
    await player.end('cut')
    for (const line of ['PING\n', ' \t PING \r\n', 'PING more\n']) {
      await player.connect('a')
      await player.send('a', line)
      await player.end('a')
    }
    for (const line of ['ping\n', '\n', 'NOPE x\n', 'CAF\xc3\xa9 \n', 'REGISTER t\n', 'UNREGISTER t\n', 'REGISTER\n']) {
      await player.connect('a')
      await player.send('a', Buffer.from(line, 'latin1'), 2)
    }
  },
  async IDENTIFY(player) {
    const bodies: (object | string)[] = [
      ...['', '{', '[]', '1', '"x"', 'null', '{}', '{"tcp_port":"1"}', '{"tcp_port":1.5}', '{"hostname":1}'],
      ...['broadcast_address', 'tcp_port', 'http_port', 'version'].map((name) => ({ ...INFO, [name]: undefined })),
      { ...INFO, remote_address: 1 },
      { ...INFO, tcp_port: 0 },
      { ...INFO, version: '' },
    ]
    for (const body of bodies) {
      await player.connect('a')
      await player.send('a', identifyBytes(body), 2)
    }
    for (const parts of ['IDENTIFY\n', 'IDENTIFY\n\0\0', 'IDENTIFY\n\0\0\0\x05', 'IDENTIFY\n\0\0\0\x05{']) {
      await player.connect('a')
      await player.send('a', parts, 0)
      await player.end('a')
    }
    const good: object[] = [
      INFO,
      { ...INFO, hostname: null, more: [1] },
      { ...INFO, tcp_port: -1, remote_address: 'x' },
    ]
    for (const [index, body] of good.entries()) {
      await player.connect(`good ${index}`)
      await player.send(`good ${index}`, identifyBytes(body))
    }
    await player.ask('GET', '/nodes')
    await player.ask('GET', '/debug')
    await player.send('good 0', 'IDENTIFY\n', 2)
  },
  async 'REGISTER and UNREGISTER'(player) {
    const long = 'x'.repeat(64)
    for (const command of ['REGISTER', 'UNREGISTER']) {
      const lines = [
        '',
        ' ',
        ' *',
        ' a/b c',
        `  t`,
        ` ${long}x`,
        ' #ephemeral',
        ' t#other',
        ' t *',
        ' t a/b',
        ` t ${long}x`,
      ]
      for (const line of lines) {
        await player.connect('a')
        await player.send('a', Buffer.concat([IDENTIFY, Buffer.from(`${command}${line}\n`)]), 3)
      }
    }
    await player.connect('b')
    await player.send('b', IDENTIFY)
    for (const line of [`${long} ${long}`, 't c', 't  d', 't c more', 't#ephemeral c#ephemeral', 'u']) {
      await player.send('b', `REGISTER ${line}\n`)
    }
    for (const path of VIEWS) await player.ask('GET', path)
    for (const line of ['t c', 't none', 'none c', 't#ephemeral c#ephemeral', 't#ephemeral', 'u', 't']) {
      await player.send('b', `UNREGISTER ${line}\n`)
      for (const path of VIEWS) await player.ask('GET', path)
    }
  },
  async 'what stays when an nsqd goes'(player) {
    for (const name of ['a', 'b']) {
      await player.connect(name)
      await player.send(name, identifyBytes({ ...INFO, broadcast_address: name }))
      for (const line of ['t c', 't#ephemeral c#ephemeral', 'u c#ephemeral'])
        await player.send(name, `REGISTER ${line}\n`)
    }
    await player.drop('a')
    for (const path of VIEWS) await player.ask('GET', path)
    await player.end('b')
    for (const path of VIEWS) await player.ask('GET', path)
  },
  async 'the HTTP API in general'(player) {
    for (const path of [...GETS, ...POSTS]) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']) await player.ask(method, path)
      await player.ask('POST', `${path}?topic=%`)
      await player.ask('GET', `${path}?topic=a;b`)
      await player.ask('GET', `${path}/?topic=t`)
      await player.ask('POST', `${path.toUpperCase()}?topic=t&x=1`)
    }
    for (const path of ['/', '/topic', '/create_topic', '/lookups']) await player.ask('GET', path)
  },
  async 'parameters of the HTTP API'(player) {
    const names = ['', '%20', 'a%2Fb', 'x'.repeat(65), '%23ephemeral', 't%23ephemeral', 't', 't&topic=other']
    for (const path of [...POSTS, '/lookup', '/channels']) {
      const method = POSTS.includes(path) ? 'POST' : 'GET'
      for (const name of names) {
        await player.ask(method, `${path}?topic=${name}`)
        await player.ask(method, `${path}?topic=${name}&channel=c`)
        await player.ask(method, `${path}?topic=t&channel=${name}`)
        await player.ask(method, `${path}?topic=t&node=${name}`)
      }
    }
    for (const path of VIEWS) await player.ask('GET', path)
  },
  async 'tombstones and deletions'(player) {
    for (const name of ['a', '::1']) {
      await player.connect(name)
      await player.send(name, identifyBytes({ ...INFO, broadcast_address: name }))
      for (const line of ['t c', 't d', 'u']) await player.send(name, `REGISTER ${line}\n`)
    }
    for (const node of ['a:4151', 'a:4150', '[::1]:4151', '::1:4151']) {
      await player.ask('POST', `/topic/tombstone?topic=t&node=${node}`)
      for (const path of [...VIEWS, '/lookup?topic=u']) await player.ask('GET', path)
    }
    await player.send('a', 'REGISTER t c\n')
    await player.ask('GET', '/lookup?topic=t')
    for (const path of ['/channel/delete?topic=t&channel=c', '/topic/delete?topic=t']) {
      await player.ask('POST', path)
      for (const view of VIEWS) await player.ask('GET', view)
    }
    await player.send('a', 'REGISTER t c\n')
    for (const path of VIEWS) await player.ask('GET', path)
  },
}

interface Ports {
  readonly tcp_port: number
  readonly http_port: number
}

describe('nsqlookupd', () => {
  const programs = new NsqPrograms('nsqlookupd')

  before(async function () {
    await programs.prepare(this)
  })
  afterEach(() => programs.killForgotten())

  describe('answers as the original does:', () => {
    for (const [name, play] of Object.entries(PLAYS)) it(name, () => compare(play))

    it('whatever comes', async () => {
      const seed = Number(process.env.SPILLWAY_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))
      try {
        await compare(drawn(seed))
      } catch (error) {
        console.log(`    seed ${seed}`)
        throw error
      }
    })
  })

  /** Plays the same to both, and holds the transcripts equal. */
  async function compare(play: Play): Promise<void> {
    const transcripts: string[][] = []
    for (const executable of [undefined, programs.path('nsqlookupd')]) {
      const lookupd = await startNsqlookupd({ executable })
      const player = new LookupdPlayer(lookupd)
      try {
        await play(player)
      } finally {
        player.close()
        await lookupd.stop()
      }
      transcripts.push(player.transcript)
    }
    const [ours, original] = transcripts
    assert.ok(original.length > 0)
    assert.deepEqual(ours, original)
  }

  describe('in a cluster of originals', () => {
    const started: { stop(): Promise<unknown> }[] = []
    let lookupd: RunningLookupd
    let broker: RunningBroker

    before(async () => {
      lookupd = await startNsqlookupd()
      started.push(lookupd)
      broker = await startOriginal()
    })
    after(async () => {
      await Promise.all(started.map((each) => each.stop()))
    })

    async function startOriginal(directory = lookupd): Promise<RunningBroker> {
      const flags = [`--lookupd-tcp-address=${directory.tcpAddress}`, '--broadcast-address=127.0.0.1']
      const original = await startBroker({ command: programs.path('nsqd'), flags })
      started.push(original)
      return original
    }

    /** The ports of those who have a topic; of none where nobody knows it. */
    async function producersNow(topic: string, { http }: RunningLookupd): Promise<readonly Ports[]> {
      const { producers = [] } = JSON.parse((await http.get(`/lookup?topic=${topic}`)).text)
      return producers
    }

    /** The same, once there are so many. */
    function producersOf(topic: string, count: number, directory = lookupd): Promise<readonly Ports[]> {
      const probe = async (): Promise<readonly Ports[] | undefined> => {
        const producers = await producersNow(topic, directory)
        return producers.length === count ? producers : undefined
      }
      return eventually(probe, LIMIT_MS, `${count} producers of ${topic}`)
    }

    /** Resolves once a channel has its first message. */
    async function received({ http }: RunningBroker, topic: string, channel: string): Promise<void> {
      const probe = async () => ((await http.channelStats(topic, channel))?.message_count === 1 ? true : undefined)
      await eventually(probe, LIMIT_MS, `a message in ${topic}/${channel}`)
    }

    it('knows what an nsqd has, as it comes and goes', async () => {
      await broker.http.post('/channel/create?topic=early&channel=none') // refused: there is no topic
      await broker.http.post('/topic/create?topic=shown')
      await broker.http.post('/channel/create?topic=shown&channel=c')
      const [producer] = await producersOf('shown', 1)
      assert.deepEqual([producer.tcp_port, producer.http_port], [broker.tcpPort, broker.httpPort])
      const channels = async () => JSON.parse((await lookupd.http.get('/channels?topic=shown')).text).channels
      await eventually(async () => (String(await channels()) === 'c' ? true : undefined), LIMIT_MS, 'the channel')
      await broker.http.post('/topic/delete?topic=shown')
      await producersOf('shown', 0)
    })

    it("gives a new topic's first message its channels", async () => {
      await lookupd.http.post('/channel/create?topic=expected&channel=c')
      await broker.http.post('/pub?topic=expected', 'first')
      await received(broker, 'expected', 'c')
    })

    it('has an nsqd that is killed forgotten at once, and found again when it is back', async () => {
      const other = await startOriginal()
      await other.http.post('/topic/create?topic=killed')
      await producersOf('killed', 1)
      other.program.signal('SIGKILL')
      await producersOf('killed', 0)
      const again = await startOriginal()
      await again.http.post('/topic/create?topic=killed')
      await producersOf('killed', 1)
      await again.stop()
    })

    it('is found again after a restart, and still knows the channels that it keeps', async () => {
      const [tcpPort] = await lastingPorts(1)
      const folder = await mkdtemp(join(tmpdir(), 'spillway-lookupd-'))
      const flags = [`--tcp-address=127.0.0.1:${tcpPort}`, `--data-path=${folder}`]
      const first = await startNsqlookupd({ flags })
      started.push(first)
      const nsqd = await startOriginal(first)
      await nsqd.http.post('/topic/create?topic=own')
      await producersOf('own', 1, first)
      await first.http.post('/channel/create?topic=kept&channel=c')
      await first.stop()

      const second = await startNsqlookupd({ flags })
      started.push(second)
      assert.deepEqual(JSON.parse((await second.http.get('/channels?topic=kept')).text), { channels: ['c'] })
      let pokes = 0
      const isBack = async () => {
        // It notices that a connection is gone when it has something to say.
        await nsqd.http.post(`/topic/create?topic=poke-${pokes++}`)
        return (await producersNow('own', second)).length === 1 ? true : undefined
      }
      await eventually(isBack, LIMIT_MS, 'the nsqd back')
      await nsqd.http.post('/pub?topic=kept', 'first')
      await received(nsqd, 'kept', 'c')
      await nsqd.stop()
      await second.stop()
      await rm(folder, { recursive: true })
    })

    it('shows nsqadmin everything, and does what it asks', async () => {
      const admin = await NsqAdmin.startWith(programs, `--lookupd-http-address=${lookupd.httpAddress}`)
      await broker.http.post('/topic/create?topic=managed')
      await broker.http.post('/channel/create?topic=managed&channel=c')
      await producersOf('managed', 1)
      const topics = async () => (await admin.show<{ topics: string[] }>('/api/topics')).topics
      assert.ok((await topics()).includes('managed'))
      const { nodes } = await admin.show<{ nodes: { http_port: number; topics: { topic: string }[] }[] }>('/api/nodes')
      const node = nodes.find(({ http_port }) => http_port === broker.httpPort)
      assert.ok(node?.topics.some(({ topic }) => topic === 'managed'))

      const created = await admin.post('/api/topics', { topic: 'made', channel: 'there' })
      assert.equal(created.status, 200, created.text)
      assert.deepEqual(JSON.parse((await lookupd.http.get('/channels?topic=made')).text), { channels: ['there'] })

      const hidden = await admin.delete(`/api/nodes/${broker.httpAddress}`, { topic: 'managed' })
      assert.equal(hidden.status, 200, hidden.text)
      await producersOf('managed', 0)

      const deleted = await admin.delete('/api/topics/made')
      assert.equal(deleted.status, 200, deleted.text)
      assert.ok(!(await topics()).includes('made'))
    })

    it('leads nsq_to_file to an nsqd', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'spillway-lookupd-'))
      await broker.http.post('/pub?topic=written', 'hello world 1')
      await producersOf('written', 1)
      const flags = ['--topic=written', '--channel=c', `--output-dir=${folder}`, '--sync-interval=50ms']
      const program = programs.start('nsq_to_file', [...flags, `--lookupd-http-address=${lookupd.httpAddress}`])
      const finished = async () => {
        const stats = await broker.http.channelStats('written', 'c')
        return stats?.message_count === 1 && stats.depth + stats.in_flight_count === 0 ? true : undefined
      }
      await eventually(finished, LIMIT_MS, 'the message finished')
      await program.stop()
      const [name] = await readdir(folder)
      assert.equal(await readFile(join(folder, name), 'utf8'), 'hello world 1\n')
      await rm(folder, { recursive: true })
    })
  })
})

/** A conversation of several nsqds and people, drawn from a seed. */
function drawn(seed: number): Play {
  return async (player) => {
    const random = new Random(seed)
    const oneOf = <T>(items: readonly T[]): T => items[random.between(0, items.length - 1)]
    const names = ['a', 'b', 'c']
    const connected = new Set<string>()
    for (let step = 0; step < 300; step++) {
      const name = oneOf(names)
      const topic = oneOf(['t', 'u', 'v#ephemeral'])
      const channel = oneOf(['c', 'd', 'e#ephemeral'])
      const query = `topic=${encodeURIComponent(topic)}`
      if (!connected.has(name)) {
        connected.add(name)
        await player.connect(name)
        await player.send(name, identifyBytes({ ...INFO, broadcast_address: name }))
        continue
      }
      switch (random.between(0, 11)) {
        case 0:
          connected.delete(name)
          await player.drop(name)
          break
        case 1:
          await player.ask('POST', `/topic/create?${query}`)
          break
        case 2:
          await player.ask('POST', `/channel/create?${query}&channel=${encodeURIComponent(channel)}`)
          break
        case 3:
          await player.ask('POST', `/topic/delete?${query}`)
          break
        case 4:
          await player.ask('POST', `/channel/delete?${query}&channel=${encodeURIComponent(channel)}`)
          break
        case 5:
          await player.ask('POST', `/topic/tombstone?${query}&node=${oneOf(names)}:4151`)
          break
        case 6:
          await player.send(name, 'PING\n')
          break
        default: {
          const command = oneOf(['REGISTER', 'REGISTER', 'UNREGISTER'])
          await player.send(name, `${command} ${topic}${random.next() < 0.7 ? ` ${channel}` : ''}\n`)
        }
      }
      for (const path of ['/debug', '/nodes', `/lookup?${query}`]) await player.ask('GET', path)
    }
  }
}
