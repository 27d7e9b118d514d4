import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Consumer } from '@spillway/client'
import { eventually } from '../support/eventually.js'
import { HttpClient } from '../support/http-client.js'
import { lastingPorts } from '../support/lasting-ports.js'
import { OurPrograms } from '../support/our-programs.js'
import type { Program } from '../support/program.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'

const LIMIT_MS = 10_000

/** The tools that move messages, or count them, as processes, between brokers that run. */
describe('tools', function () {
  this.timeout(30_000)
  const programs = new OurPrograms()
  let broker: RunningBroker
  let other: RunningBroker

  before(async () => {
    const flags = ['--broadcast-address=127.0.0.1', '--max-msg-size=1000']
    ;[broker, other] = await Promise.all([startBroker({ flags }), startBroker()])
  })
  afterEach(() => programs.killForgotten())
  after(() => Promise.all([broker.stop(), other.stop()]))

  /** The bodies of the next messages, finished. */
  async function take({ tcpAddress }: RunningBroker, topic: string, count: number, channel = 'c'): Promise<string[]> {
    const bodies: string[] = []
    const consumer = new Consumer({ topic, channel, address: tcpAddress, maxInFlight: 100 })
    for await (const message of consumer) {
      bodies.push(message.text())
      message.finish()
      if (bodies.length === count) break
    }
    await consumer.close()
    return bodies
  }

  const messageCount = async ({ http }: RunningBroker, topic: string): Promise<number> =>
    (await http.topicStats(topic))?.message_count ?? 0

  /** Resolves once a channel has nothing left. */
  async function isEmpty({ http }: RunningBroker, topic: string, channel: string, count: number): Promise<void> {
    await eventually(
      async () => {
        const stats = await http.channelStats(topic, channel)
        if (stats === undefined || stats.message_count < count) return undefined
        return stats.depth + stats.in_flight_count + stats.deferred_count === 0 ? true : undefined
      },
      LIMIT_MS,
      `nothing left in ${topic}/${channel}`,
    )
  }

  async function stopped(program: Program): Promise<void> {
    assert.deepEqual(await program.stop(), { code: 0, signal: null }, program.stderr)
  }

  describe('to_nsq', () => {
    it('publishes every line to every node, also the last one, and says nothing', async () => {
      const lines = Array.from({ length: 5_000 }, (_, number) => `line ${number}`)
      const to = [broker, other].map(({ tcpAddress }) => `--nsqd-tcp-address=${tcpAddress}`)
      const program = await programs.run(
        'to_nsq',
        ['--topic=lines', ...to],
        `${lines.slice(0, -1).join('\n')}\n\n${lines.at(-1)}`,
      )
      assert.deepEqual([program.stdout, program.stderr], ['', ''])
      assert.deepEqual(await take(broker, 'lines', lines.length), lines)
      assert.equal(await messageCount(other, 'lines'), lines.length)
    })

    it('ends with one line when a node refuses a record, or is not there', async () => {
      const to = `--nsqd-tcp-address=${broker.tcpAddress}`
      const refused = await programs.failure('to_nsq', ['--topic=refused', to], `a\nb\n${'x'.repeat(1_001)}\nc\n`)
      assert.match(refused, /^to_nsq: record 3: E_BAD_MESSAGE .* 1001 > 1000 .*; 2 were published\n$/)
      assert.equal(await messageCount(broker, 'refused'), 2)
      const gone = await programs.failure('to_nsq', ['--topic=t', '--nsqd-tcp-address=127.0.0.1:1'], 'a\n')
      assert.match(gone, /^to_nsq: record 1: E_CONNECT .*127\.0\.0\.1:1.*; 0 were published\n$/)
    })
  })

  describe('nsq_stat', () => {
    it('prints as many lines as it is asked for, under its header', async () => {
      await broker.http.post('/topic/create?topic=counted')
      await broker.http.post('/channel/create?topic=counted&channel=c')
      await broker.http.post('/mpub?topic=counted', 'a\nb\nc')
      await isReleased(broker, 'counted', 3)
      const where = [`--nsqd-http-address=${broker.httpAddress}`, '--topic=counted', '--channel=c']
      const { stdout } = await programs.run('nsq_stat', [...where, '--interval=1ms', '--count=2'])
      const row = '      0       0 |       3       3       0     0     0 |       0       0            3       0'
      assert.deepEqual(stdout.split('\n').slice(2), [row, row, ''])
    })
  })

  /** Resolves once the channel has as many. */
  async function isReleased({ http }: RunningBroker, topic: string, depth: number): Promise<void> {
    const read = async () => ((await http.channelStats(topic, 'c'))?.depth === depth ? true : undefined)
    await eventually(read, LIMIT_MS, `${depth} in ${topic}`)
  }

  describe('nsq_to_nsq', () => {
    const flagsFor = (...topics: string[]): string[] => [
      `--nsqd-tcp-address=${broker.tcpAddress}`,
      `--destination-nsqd-tcp-address=${other.tcpAddress}`,
      ...topics.map((topic) => `--topic=${topic}`),
    ]

    it('moves several topics to another broker, and finishes what has arrived', async () => {
      const program = programs.start('nsq_to_nsq', flagsFor('from-a', 'from-b'))
      const bodies = Array.from({ length: 500 }, (_, number) => `${number}`)
      for (const topic of ['from-a', 'from-b']) await broker.http.post(`/mpub?topic=${topic}`, bodies.join('\n'))
      for (const topic of ['from-a', 'from-b']) {
        const moved = await take(other, topic, bodies.length)
        assert.deepEqual(moved.sort(), [...bodies].sort())
        await isEmpty(broker, topic, 'nsq_to_nsq', bodies.length)
      }
      await stopped(program)
    })

    it('goes on with the destinations that are there', async () => {
      const program = programs.start('nsq_to_nsq', [
        ...flagsFor('half'),
        '--destination-nsqd-tcp-address=127.0.0.1:1',
        '--destination-topic=whole',
        '--consumer-opt=default_requeue_delay,10ms',
        '--consumer-opt=backoff_multiplier,10ms',
      ])
      await broker.http.post('/mpub?topic=half', 'a\nb\nc\nd')
      assert.deepEqual((await take(other, 'whole', 4)).sort(), ['a', 'b', 'c', 'd'])
      await isEmpty(broker, 'half', 'nsq_to_nsq', 4)
      await stopped(program)
      assert.match(
        program.stderr,
        /WARNING: \[half\/nsq_to_nsq\] message [0-9a-f]{16} comes again: 127\.0\.0\.1:1: E_CONNECT/,
      )
    })

    it('passes on what its rules say, and only that of it', async () => {
      const rules = ['--require-json-field=kind', '--require-json-value=7', '--whitelist-json-field=n']
      const program = programs.start('nsq_to_nsq', [...flagsFor('filtered'), ...rules])
      await broker.http.post(
        '/mpub?topic=filtered',
        '{"kind":7,"n":1,"x":2}\n{"kind":8,"n":2}\nno JSON\n{"n":3,"kind":"7"}',
      )
      assert.deepEqual((await take(other, 'filtered', 2)).sort(), ['{"n":1}', '{"n":3}'])
      await isEmpty(broker, 'filtered', 'nsq_to_nsq', 4)
      await stopped(program)
      assert.equal(await messageCount(other, 'filtered'), 2)
    })
  })

  describe('nsq_to_http', () => {
    let server: Server
    let url: string
    let seen: string[]
    let refusalsLeft: number

    before(async () => {
      server = createServer(async (request, response) => {
        const body = await text(request)
        response.statusCode = refusalsLeft-- > 0 ? 500 : 200
        if (response.statusCode === 200) seen.push(`${request.method} ${request.url} ${body}`)
        response.end()
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    })
    beforeEach(() => {
      seen = []
      refusalsLeft = 0
    })
    after(() => {
      server.closeAllConnections()
      server.close()
    })

    const flagsFor = (topic: string): string[] => [
      `--nsqd-tcp-address=${broker.tcpAddress}`,
      `--topic=${topic}`,
      '--consumer-opt=default_requeue_delay,10ms',
      '--consumer-opt=backoff_multiplier,10ms',
    ]

    it('posts every message until it is accepted', async () => {
      refusalsLeft = 2
      const program = programs.start('nsq_to_http', [...flagsFor('posted'), `--post=${url}/in`])
      const bodies = Array.from({ length: 200 }, (_, number) => `${number}`)
      await broker.http.post('/mpub?topic=posted', bodies.join('\n'))
      await isEmpty(broker, 'posted', 'nsq_to_http', bodies.length)
      await stopped(program)
      assert.deepEqual(seen.sort(), bodies.map((body) => `POST /in ${body}`).sort())
    })

    it('asks with the message in the address', async () => {
      const program = programs.start('nsq_to_http', [...flagsFor('asked'), `--get=${url}/?m=%s`])
      await broker.http.post('/pub?topic=asked', 'a b&c')
      await isEmpty(broker, 'asked', 'nsq_to_http', 1)
      await stopped(program)
      assert.deepEqual(seen, ['GET /?m=a+b%26c '])
    })
  })

  describe('nsq_pubsub', () => {
    // One for all tests.
    const service = new OurPrograms()
    let program: Program
    let http: HttpClient
    let port: number

    before(async () => {
      ;[port = 0] = await lastingPorts(1)
      const flags = [
        `--http-address=127.0.0.1:${port}`,
        `--nsqd-tcp-address=${broker.tcpAddress}`,
        '--max-subscribers=2',
      ]
      program = service.start('nsq_pubsub', [...flags, '--max-msg-size=2000'])
      http = new HttpClient({ host: '127.0.0.1', port })
      await eventually(() => http.get('/ping'), LIMIT_MS, 'an answer to /ping')
    })
    after(() => service.killForgotten())

    async function subscribe(query: string): Promise<IncomingMessage> {
      const [response] = (await once(
        get({ host: '127.0.0.1', port, path: `/sub?${query}`, agent: false }),
        'response',
      )) as [IncomingMessage]
      return response
    }

    it('publishes what is posted, and streams it line by line', async () => {
      const reading = await subscribe('topic=streamed&channel=c&n=3')
      assert.deepEqual(await http.post('/pub?topic=streamed', 'one'), { status: 200, text: 'OK' })
      assert.deepEqual(await http.post('/mpub?topic=streamed', 'two\n\nthree'), { status: 200, text: 'OK' })
      assert.deepEqual((await text(reading)).split('\n').sort(), ['', 'one', 'three', 'two'])
      await isEmpty(broker, 'streamed', 'c', 3)
      const stats = async (): Promise<unknown[] | undefined> => {
        const { published_count, delivered_count, subscribers } = JSON.parse((await http.get('/stats')).text)
        return subscribers.length === 0 ? [published_count, delivered_count] : undefined
      }
      assert.deepEqual(await eventually(stats, LIMIT_MS, 'the end of the reader'), [3, 3])
    })

    it('gives back what a reader has not taken when it goes', async () => {
      const reading = await subscribe('topic=left&channel=c')
      reading.pause()
      reading.destroy()
      await eventually(
        async () => (JSON.parse((await http.get('/stats')).text).subscribers.length === 0 ? true : undefined),
        LIMIT_MS,
        'the reader is gone',
      )
      await http.post('/pub?topic=left', 'kept')
      assert.deepEqual(await take(broker, 'left', 1), ['kept'])
    })

    it('says what is wrong with a request', async () => {
      const said = async (method: 'get' | 'post', path: string, body = ''): Promise<[number, string]> => {
        const { status, text: json } = await (method === 'get' ? http.get(path) : http.post(path, body))
        return [status, JSON.parse(json).message]
      }
      assert.deepEqual(await said('get', '/nothing'), [404, 'NOT_FOUND'])
      assert.deepEqual(await said('get', '/pub?topic=t'), [405, 'METHOD_NOT_ALLOWED'])
      assert.deepEqual(await said('get', '/sub'), [400, 'MISSING_ARG_TOPIC'])
      assert.deepEqual(await said('get', '/sub?topic=t&n=x'), [400, 'INVALID_N'])
      assert.deepEqual(await said('post', '/mpub?topic=t', '\n'), [400, 'BODY_EMPTY'])
      assert.deepEqual(await said('post', '/pub?topic=t', 'x'.repeat(2_001)), [413, 'MSG_TOO_BIG'])
      for (const [path, body, words] of [
        ['/pub?topic=a%20b', 'x', /^E_BAD_TOPIC /],
        ['/pub?topic=t', '', /^E_BAD_MESSAGE /],
        ['/pub?topic=t', 'x'.repeat(1_001), /^E_BAD_MESSAGE /],
      ] as const) {
        const [status, message] = await said('post', path, body)
        assert.equal(status, 400, message)
        assert.match(message, words)
      }
    })

    it('gives every reader without a channel all messages, and ends their streams when it stops', async () => {
      const readings = [await subscribe('topic=all'), await subscribe('topic=all')]
      await eventually(
        async () => ((await broker.http.topicStats('all'))?.channels.length === 2 ? true : undefined),
        LIMIT_MS,
        'two channels',
      )
      const before = JSON.parse((await http.get('/stats')).text).delivered_count
      const texts = readings.map((reading) => text(reading))
      await http.post('/pub?topic=all', 'x')
      await eventually(
        async () => (JSON.parse((await http.get('/stats')).text).delivered_count === before + 2 ? true : undefined),
        LIMIT_MS,
        'both have it',
      )
      assert.equal((await http.get('/sub?topic=all')).status, 503)
      await stopped(program)
      assert.deepEqual(await Promise.all(texts), ['x\n', 'x\n'])
    })
  })
})
