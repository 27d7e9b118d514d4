import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Reader } from 'nsqjs'
import { eventually } from '../support/eventually.js'
import { lastingPorts } from '../support/lasting-ports.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import { type RunningLookupd, startNsqlookupd } from '../support/start-nsqlookupd.js'
import { NsqAdmin } from './nsq-admin.js'
import { NsqPrograms } from './nsq-programs.js'

const LIMIT_MS = 10_000

describe('brokers around an nsqlookupd', () => {
  const programs = new NsqPrograms('nsqlookupd')
  let lookupd: RunningLookupd
  let first: RunningBroker
  let second: RunningBroker
  let both: number[]

  before(async function () {
    await programs.prepare(this)
    lookupd = await startNsqlookupd({ executable: programs.path('nsqlookupd'), ports: await lastingPorts(2) })
    const flags = ['--broadcast-address=127.0.0.1', `--lookupd-tcp-address=${lookupd.tcpAddress}`]
    first = await startBroker({ flags })
    second = await startBroker({ flags })
    both = [first.httpPort, second.httpPort].sort((a, b) => a - b)
  })
  after(async () => {
    await Promise.all([first?.stop(), second?.stop()])
    await lookupd?.stop()
    programs.killForgotten()
  })

  async function create({ http }: RunningBroker, topic: string, ...channels: readonly string[]): Promise<void> {
    await http.post(`/topic/create?topic=${topic}`)
    for (const channel of channels) await http.post(`/channel/create?topic=${topic}&channel=${channel}`)
  }

  async function namesOf({ http }: RunningBroker, topic: string): Promise<string[] | undefined> {
    const stats = await http.topicStats(topic)
    return stats?.channels.map(({ channel_name }) => channel_name).sort()
  }

  it('knows the topics and channels of each broker as they come and go', async () => {
    await create(first, 'comes', 'a', 'b%23ephemeral')
    const there = [first.httpPort]
    await lookupd.has('comes', { topic: there, 'channel/a': there, 'channel/b#ephemeral': there })
    await create(second, 'comes')
    await lookupd.has('comes', { topic: both, 'channel/a': both, 'channel/b#ephemeral': there })
    await first.http.post('/channel/delete?topic=comes&channel=a')
    await lookupd.has('comes', { topic: both, 'channel/a': [second.httpPort], 'channel/b#ephemeral': there })
    await first.http.post('/topic/delete?topic=comes')
    await lookupd.has('comes', { topic: [second.httpPort], 'channel/a': [second.httpPort] })
    await second.http.post('/topic/delete?topic=comes')
    await lookupd.has('comes', {})
  })

  it('names brokers by the address and the ports under which clients reach them', async () => {
    await create(first, 'named')
    await lookupd.has('named', { topic: [first.httpPort] })
    const { text } = await lookupd.http.get('/lookup?topic=named')
    const [{ broadcast_address, tcp_port, http_port, version }] = JSON.parse(text).producers
    assert.deepEqual(
      { broadcast_address, tcp_port, http_port, version },
      { broadcast_address: '127.0.0.1', tcp_port: first.tcpPort, http_port: first.httpPort, version: '1.3.0' },
    )
  })

  it('is told everything again when it was killed and started again', async () => {
    await create(first, 'stays', 'a', 'b')
    await create(first, 'goes', 'a')
    const there = [first.httpPort]
    await lookupd.has('stays', { topic: there, 'channel/a': there, 'channel/b': there })
    await lookupd.kill()
    await first.http.post('/topic/delete?topic=goes')
    assert.deepEqual(await first.http.post('/pub?topic=meanwhile', 'x'), { status: 200, text: 'OK' })
    await lookupd.startAgain()
    await lookupd.has('stays', { topic: there, 'channel/a': there, 'channel/b': there })
    await lookupd.has('meanwhile', { topic: there })
    await lookupd.has('goes', {})
    // The other one, too, is back before anything else is tried.
    await eventually(
      async () => (JSON.parse((await lookupd.http.get('/nodes')).text).producers.length === 2 ? true : undefined),
      LIMIT_MS,
      'both brokers',
    )
  })

  it('has the first message of a topic that is new on a broker reach the channels that it has elsewhere', async () => {
    for (let round = 0; round < 5; round++) {
      const topic = `spread-${round}`
      await create(first, topic, 'mail', 'audit', 'gone%23ephemeral')
      const there = [first.httpPort]
      await lookupd.has(topic, {
        topic: there,
        'channel/mail': there,
        'channel/audit': there,
        'channel/gone#ephemeral': there,
      })
      assert.deepEqual(await second.http.post(`/pub?topic=${topic}`, 'first'), { status: 200, text: 'OK' })
      await eventually(
        async () => ((await second.http.topicStats(topic))?.depth === 0 ? true : undefined),
        LIMIT_MS,
        'the end of the question',
      )
      assert.deepEqual(await namesOf(second, topic), ['audit', 'mail'])
      for (const channel of ['audit', 'mail']) {
        assert.equal((await second.http.channelStats(topic, channel))?.depth, 1, channel)
      }
    }
  })

  it('may be named while a broker runs, and taken away again', async () => {
    const setting = '/config/nsqlookupd_tcp_addresses'
    const alone = await startBroker({ flags: ['--broadcast-address=127.0.0.1'] })
    try {
      await create(alone, 'late', 'c')
      assert.deepEqual(await alone.http.get(setting), { status: 200, text: '[]' })
      const list = JSON.stringify([lookupd.tcpAddress])
      assert.deepEqual(await alone.http.put(setting, list), { status: 200, text: list })
      await lookupd.has('late', { topic: [alone.httpPort], 'channel/c': [alone.httpPort] })
      assert.deepEqual(await alone.http.get(setting), { status: 200, text: list })
      assert.deepEqual(await alone.http.put(setting, '[]'), { status: 200, text: '[]' })
      await lookupd.has('late', {})
    } finally {
      await alone.stop()
    }
  })

  it('forgets a broker that stops', async () => {
    const flags = ['--broadcast-address=127.0.0.1', `--lookupd-tcp-address=${lookupd.tcpAddress}`]
    const stopping = await startBroker({ flags })
    await create(stopping, 'short')
    await lookupd.has('short', { topic: [stopping.httpPort] })
    assert.deepEqual(await stopping.stop(), { code: 0, signal: null })
    await lookupd.has('short', {})
  })

  it('leads nsqadmin to every broker', async () => {
    await create(first, 'shown', 'c')
    await create(second, 'shown')
    await lookupd.has('shown', { topic: both, 'channel/c': both })
    const admin = await NsqAdmin.start(programs, [], `--lookupd-http-address=${lookupd.httpAddress}`)
    const { nodes } = await admin.show<{ nodes: { http_port: number }[] }>('/api/nodes')
    assert.deepEqual(
      nodes.map(({ http_port }) => http_port).sort((a, b) => a - b),
      both,
    )
    const topic = await admin.show<{ nodes: unknown[]; channels: { channel_name: string }[] }>('/api/topics/shown')
    assert.equal(topic.nodes.length, 2)
    assert.deepEqual(
      topic.channels.map(({ channel_name }) => channel_name),
      ['c'],
    )
    const paused = await admin.post('/api/topics/shown', { action: 'pause' })
    assert.deepEqual(paused, { status: 200, text: '{"message":""}' })
    for (const broker of [first, second]) assert.equal((await broker.http.topicStats('shown'))?.paused, true)
  })

  it("joins our brokers and NSQ's: each makes the channels that a new topic has on the other", async () => {
    const flags = ['--broadcast-address=127.0.0.1', `--lookupd-tcp-address=${lookupd.tcpAddress}`]
    const original = await startBroker({ flags, command: programs.path('nsqd') })
    try {
      // It connects when it has begun to listen, and asks nobody before.
      await eventually(
        async () => (JSON.parse((await lookupd.http.get('/nodes')).text).producers.length === 3 ? true : undefined),
        LIMIT_MS,
        'all brokers',
      )
      for (const [topic, old, fresh] of [
        ['ours-first', first, original],
        ['theirs-first', original, first],
      ] as const) {
        await create(old, topic, 'mail', 'audit')
        const there = [old.httpPort]
        await lookupd.has(topic, { topic: there, 'channel/mail': there, 'channel/audit': there })
        await fresh.http.post(`/pub?topic=${topic}`, 'first')
        for (const channel of ['mail', 'audit']) {
          await eventually(
            async () => ((await fresh.http.channelStats(topic, channel))?.depth === 1 ? true : undefined),
            LIMIT_MS,
            `the message in ${topic}/${channel}`,
          )
        }
      }
    } finally {
      await original.stop()
    }
  })

  describe('leads consumers to every broker:', () => {
    const messagesOf = (name: string) => Array.from({ length: 100 }, (_, at) => `${name}-${at}`)

    /** A hundred messages of each broker. */
    async function publishToBoth(topic: string): Promise<string[]> {
      await first.http.post(`/mpub?topic=${topic}`, messagesOf('first').join('\n'))
      await second.http.post(`/mpub?topic=${topic}`, messagesOf('second').join('\n'))
      await lookupd.has(topic, { topic: both })
      return [...messagesOf('first'), ...messagesOf('second')].sort()
    }

    it('nsq_tail', async () => {
      const published = await publishToBoth('tailed')
      const flags = [`--lookupd-http-address=${lookupd.httpAddress}`, '--topic=tailed', '--channel=tail', '-n=200']
      const tail = await programs.run('nsq_tail', flags)
      assert.deepEqual(tail.stdout.split('\n').slice(0, -1).sort(), published)
    })

    it('nsq_to_file', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'spillway-lookupd-'))
      try {
        const published = await publishToBoth('filed')
        const writer = programs.start('nsq_to_file', [
          `--lookupd-http-address=${lookupd.httpAddress}`,
          '--topic=filed',
          '--channel=archive',
          `--output-dir=${folder}`,
          '--sync-interval=50ms',
        ])
        for (const { http } of [first, second]) {
          await eventually(
            async () => {
              const stats = await http.channelStats('filed', 'archive')
              return stats?.message_count === 100 && stats.depth + stats.in_flight_count === 0 ? true : undefined
            },
            LIMIT_MS,
            'a hundred messages in the file',
          )
        }
        assert.deepEqual(await writer.stop(), { code: 0, signal: null })
        const names = await readdir(folder)
        const files = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
        const lines = files.flatMap((text) => text.split('\n').filter((line) => line !== ''))
        assert.deepEqual(lines.sort(), published)
      } finally {
        await rm(folder, { recursive: true })
      }
    })

    it('nsqjs', async () => {
      const published = await publishToBoth('read')
      const reader = new Reader('read', 'js', { lookupdHTTPAddresses: [lookupd.httpAddress], maxInFlight: 50 })
      const bodies: string[] = []
      reader.on('message', (message) => {
        bodies.push(message.body.toString())
        message.finish()
      })
      reader.connect()
      try {
        await eventually(() => (bodies.length >= published.length ? true : undefined), LIMIT_MS, 'all messages')
      } finally {
        reader.close()
      }
      assert.deepEqual(bodies.sort(), published)
    })
  })
})
