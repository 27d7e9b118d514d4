import assert from 'node:assert/strict'
import { CertificateFiles } from '../support/certificate-files.js'
import { eventually } from '../support/eventually.js'
import type { HttpAnswer } from '../support/http-client.js'
import { lastingPorts } from '../support/lasting-ports.js'
import { RawClient } from '../support/raw-client.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import { AuthServer, GOOD_SECRET } from './auth-server.js'
import { allReady, settled } from './channel-waits.js'
import { COUNTED, countedChannel } from './counted-channel.js'
import { goNsqOptions } from './go-nsq-options.js'
import { type ChannelView, type ClientView, NsqAdmin, type TopicView } from './nsq-admin.js'
import { NsqPrograms } from './nsq-programs.js'
import { plannedLines } from './published-lines.js'
import { CHANGED_STREAMS, PLAIN } from './ways.js'

const LIMIT_MS = 10_000
const DONE: HttpAnswer = { status: 200, text: '{"message":""}' }
const [TLS] = CHANGED_STREAMS
/** nsqadmin asks each node for its name, and goes on under that. */
const NAMED = '--broadcast-address=127.0.0.1'

describe('nsqadmin', () => {
  const programs = new NsqPrograms('nsqadmin')
  const certificates = new CertificateFiles()
  const started: { stop(): Promise<unknown> }[] = []
  let broker: RunningBroker
  let admin: NsqAdmin

  before(async function () {
    await programs.prepare(this)
    const percentiles = '--e2e-processing-latency-percentile=1.0,0.99,0.5'
    broker = await start(...(await certificates.flags()), percentiles)
    admin = await NsqAdmin.start(programs, [broker])
  })
  after(async () => {
    programs.killForgotten()
    await Promise.all(started.map((each) => each.stop()))
    await certificates.remove()
  })

  async function start(...flags: readonly string[]): Promise<RunningBroker> {
    const another = await startBroker({ flags: [NAMED, ...flags] })
    started.push(another)
    return another
  }

  async function create({ http }: RunningBroker, topic: string, ...channels: readonly string[]): Promise<void> {
    await http.post(`/topic/create?topic=${topic}`)
    for (const channel of channels) await http.post(`/channel/create?topic=${topic}&channel=${channel}`)
  }

  describe('shows', () => {
    it('the topics in order, and how much of each waits where', async () => {
      await create(broker, 'shown-full', 'bill', 'ship')
      await create(broker, 'shown-bare')
      await broker.http.post('/mpub?topic=shown-full', plannedLines(5))
      await broker.http.post('/mpub?topic=shown-bare', plannedLines(3))
      await eventually(
        async () => (await broker.http.channelStats('shown-full', 'ship'))?.depth === 5 || undefined,
        LIMIT_MS,
        'the messages in the channel',
      )

      const { topics } = await admin.show<{ topics: string[] }>('/api/topics')
      assert.deepEqual(
        topics.filter((name) => name.startsWith('shown-')),
        ['shown-bare', 'shown-full'],
      )
      const bare = await admin.show<TopicView>('/api/topics/shown-bare')
      assert.deepEqual([bare.depth, bare.memory_depth, bare.backend_depth, bare.message_count], [3, 3, 0, 3])
      assert.equal(bare.channels, null)
      const full = await admin.show<TopicView>('/api/topics/shown-full')
      assert.deepEqual([full.depth, full.message_count, full.paused, full.nodes?.length], [0, 5, false, 1])
      const channels = full.channels?.map(({ node, channel_name, depth, message_count }) => {
        return { node, channel_name, depth, message_count }
      })
      const counts = { node: broker.httpAddress, depth: 5, message_count: 5 }
      assert.deepEqual(channels, [
        { ...counts, channel_name: 'bill' },
        { ...counts, channel_name: 'ship' },
      ])
    })

    it('what a channel has waiting, in flight, deferred and requeued', async () => {
      const client = await countedChannel(broker, 'counted')
      const view = await admin.show<ChannelView>('/api/topics/counted/c')
      client.close()
      const counts = {
        depth: view.depth,
        inFlight: view.in_flight_count,
        deferred: view.deferred_count,
        requeued: view.requeue_count,
        timedOut: view.timeout_count,
        messages: view.message_count,
        clients: view.client_count,
      }
      assert.deepEqual(counts, COUNTED)
    })

    it('the node, with its ports and version, and what it has', async () => {
      await create(broker, 'on-the-node', 'c')
      await broker.http.post('/mpub?topic=on-the-node', plannedLines(4))
      const { nodes } = await admin.show<{ nodes: Record<string, unknown>[] }>('/api/nodes')
      assert.equal(nodes.length, 1)
      const [{ broadcast_address, tcp_port, http_port, version, out_of_date, topics }] = nodes
      assert.deepEqual(
        { broadcast_address, tcp_port, http_port, version, out_of_date },
        {
          broadcast_address: '127.0.0.1',
          tcp_port: broker.tcpPort,
          http_port: broker.httpPort,
          version: '1.3.0',
          out_of_date: false,
        },
      )
      assert.ok((topics as { topic: string }[]).some(({ topic }) => topic === 'on-the-node'))

      const before = await admin.show<{ topics: TopicView[]; total_messages: number }>(
        `/api/nodes/${broker.httpAddress}`,
      )
      assert.equal(before.topics.find(({ topic_name }) => topic_name === 'on-the-node')?.message_count, 4)
      await broker.http.post('/mpub?topic=on-the-node', plannedLines(6))
      const later = await admin.show<{ total_messages: number }>(`/api/nodes/${broker.httpAddress}`)
      assert.equal(later.total_messages - before.total_messages, 6)
    })

    it('counters of every channel that grow with what is published', async () => {
      await create(broker, 'clicked', 'c', 'd')
      const counts = async (): Promise<unknown[]> => {
        const { stats } = await admin.show<{ stats: Record<string, { message_count: number }> }>('/api/counter')
        return ['c', 'd'].map((channel) => stats[`clicked:${channel}:${broker.httpAddress}`].message_count)
      }
      assert.deepEqual(await counts(), [0, 0])
      await broker.http.post('/mpub?topic=clicked', plannedLines(7))
      await eventually(async () => String(await counts()) === '7,7' || undefined, LIMIT_MS, 'counters at 7')
    })

    for (const way of [PLAIN, ...CHANGED_STREAMS]) {
      it(`who consumes, and how it is connected (${way.name})`, async () => {
        const topic = `consumed-${way.name.replaceAll(' ', '-')}`
        const identity = [
          '--consumer-opt=client_id,me',
          '--consumer-opt=hostname,here',
          '--consumer-opt=sample_rate,99',
        ]
        const tail = programs.start('nsq_tail', [
          `--nsqd-tcp-address=${broker.tcpAddress}`,
          `--topic=${topic}`,
          '--channel=c',
          ...goNsqOptions('--consumer-opt', way),
          ...identity,
        ])
        await allReady(broker, topic, 'c', 1)
        const { clients } = await admin.show<ChannelView>(`/api/topics/${topic}/c`)
        await tail.stop()
        assert.equal(clients?.length, 1)
        const [{ tls_version, tls_cipher_suite, connected, ...client }] = clients as [ClientView]
        assert.match(tls_version, way.tls ? /^TLS1\.[23]$/ : /^$/)
        assert.match(tls_cipher_suite, way.tls ? /^TLS_/ : /^$/)
        assert.ok(connected >= 0 && connected < 60e9, `connected for ${connected} ns`)
        const expected = {
          node: broker.httpAddress,
          client_id: 'me',
          hostname: 'here',
          user_agent: 'nsq_tail/1.3.0 go-nsq/1.1.0',
          ready_count: 200,
          in_flight_count: 0,
          sample_rate: 99,
          tls: way.tls,
          snappy: way.compression === 'snappy',
          deflate: way.compression === 'deflate',
          authed: false,
        }
        assert.deepEqual(client, { ...client, ...expected })
      })
    }

    it('how long messages took from publish to FIN, of the channel and of its topic', async () => {
      const messageCount = 100
      await create(broker, 'timed', 'c')
      await broker.http.post('/mpub?topic=timed', plannedLines(messageCount))
      const tail = programs.start('nsq_tail', [
        `--nsqd-tcp-address=${broker.tcpAddress}`,
        '--topic=timed',
        '--channel=c',
      ])
      await settled(broker, 'timed', 'c')
      await tail.stop()
      for (const path of ['/api/topics/timed', '/api/topics/timed/c']) {
        const { count, percentiles } = (await admin.show<TopicView>(path)).e2e_processing_latency
        assert.equal(count, messageCount, path)
        assert.deepEqual(
          percentiles?.map(({ quantile }) => quantile),
          [1, 0.99, 0.5],
        )
        const longest = percentiles?.map(({ max }) => max) as number[]
        assert.ok(longest[0] >= longest[1] && longest[1] >= longest[2] && longest[2] > 0, `${path}: ${longest} ns`)
        assert.ok(longest[0] < 60e9, `${path}: ${longest} ns`)
      }
    })

    it('what it was refused: an unknown topic, an unknown channel', async () => {
      await create(broker, 'known')
      assert.equal((await admin.get('/api/topics/unknown')).status, 502)
      const { status, text } = await admin.post('/api/topics/known/unknown', { action: 'pause' })
      assert.equal(status, 200)
      assert.match(text, /WARNING: got response 404 Not Found .*CHANNEL_NOT_FOUND/)
    })
  })

  describe('does to a topic', () => {
    it('pause: messages stay in it, until unpause', async () => {
      await create(broker, 'paused', 'c')
      assert.deepEqual(await admin.post('/api/topics/paused', { action: 'pause' }), DONE)
      await broker.http.post('/mpub?topic=paused', plannedLines(3))
      const held = await broker.http.topicStats('paused')
      assert.deepEqual([held?.paused, held?.depth, held?.channels[0].depth], [true, 3, 0])
      assert.equal((await admin.show<TopicView>('/api/topics/paused')).paused, true)

      assert.deepEqual(await admin.post('/api/topics/paused', { action: 'unpause' }), DONE)
      const released = await eventually(
        async () => {
          const stats = await broker.http.topicStats('paused')
          return stats?.depth === 0 ? stats : undefined
        },
        LIMIT_MS,
        'the messages in the channel',
      )
      assert.deepEqual([released.paused, released.channels[0].depth], [false, 3])
    })

    it('empty: what waits in it is gone', async () => {
      await create(broker, 'emptied')
      await broker.http.post('/mpub?topic=emptied', plannedLines(3))
      assert.deepEqual(await admin.post('/api/topics/emptied', { action: 'empty' }), DONE)
      const stats = await broker.http.topicStats('emptied')
      assert.deepEqual([stats?.depth, stats?.message_count], [0, 3])
    })

    it('delete: it is gone, with its channels', async () => {
      await create(broker, 'deleted', 'c')
      assert.deepEqual(await admin.delete('/api/topics/deleted'), DONE)
      assert.equal(await broker.http.topicStats('deleted'), undefined)
      assert.equal((await admin.get('/api/topics/deleted')).status, 502)
    })
  })

  describe('does to a channel', () => {
    it('pause: its consumers get nothing, until unpause', async () => {
      await create(broker, 'half-paused', 'c')
      const client = await RawClient.connect(broker.tcp)
      await client.ask('SUB half-paused c')
      client.send('RDY 10')
      assert.deepEqual(await admin.post('/api/topics/half-paused/c', { action: 'pause' }), DONE)
      await broker.http.post('/pub?topic=half-paused', 'held')
      const held = await eventually(
        async () => {
          const stats = await broker.http.channelStats('half-paused', 'c')
          return stats?.message_count === 1 ? stats : undefined
        },
        LIMIT_MS,
        'the message in the channel',
      )
      assert.deepEqual([held.paused, held.depth, held.in_flight_count], [true, 1, 0])
      assert.equal((await admin.show<ChannelView>('/api/topics/half-paused/c')).paused, true)

      assert.deepEqual(await admin.post('/api/topics/half-paused/c', { action: 'unpause' }), DONE)
      assert.equal((await client.message()).body.toString(), 'held')
      client.close()
      assert.equal((await broker.http.channelStats('half-paused', 'c'))?.paused, false)
    })

    it('empty: what waits in it is gone, and not from the other channels', async () => {
      await create(broker, 'half-emptied', 'c', 'd')
      await broker.http.post('/mpub?topic=half-emptied', plannedLines(3))
      const depths = async (): Promise<unknown[]> =>
        (await broker.http.topicStats('half-emptied'))?.channels.map(({ depth }) => depth) ?? []
      await eventually(async () => String(await depths()) === '3,3' || undefined, LIMIT_MS, 'three messages in both')
      assert.deepEqual(await admin.post('/api/topics/half-emptied/c', { action: 'empty' }), DONE)
      assert.deepEqual(await depths(), [0, 3])
    })

    it('delete: it is gone, and its consumers are hung up on', async () => {
      await create(broker, 'half-deleted', 'c', 'd')
      const client = await RawClient.connect(broker.tcp)
      await client.ask('SUB half-deleted c')
      assert.deepEqual(await admin.delete('/api/topics/half-deleted/c'), DONE)
      await client.closed
      client.close()
      const stats = await broker.http.topicStats('half-deleted')
      assert.deepEqual(
        stats?.channels.map(({ channel_name }) => channel_name),
        ['d'],
      )
    })
  })

  describe('of two nodes', () => {
    let nodes: readonly RunningBroker[]
    let both: NsqAdmin

    before(async () => {
      nodes = [broker, await start()]
      both = await NsqAdmin.start(programs, nodes)
    })

    it('shows both, and the sum of what they have', async () => {
      for (const node of nodes) {
        await create(node, 'summed', 'c')
        await node.http.post('/mpub?topic=summed', plannedLines(2))
      }
      const { nodes: shown } = await both.show<{ nodes: { http_port: number }[] }>('/api/nodes')
      assert.deepEqual(shown.map(({ http_port }) => http_port).sort(), nodes.map(({ httpPort }) => httpPort).sort())
      const { message_count, nodes: parts } = await both.show<ChannelView>('/api/topics/summed/c')
      assert.deepEqual([message_count, parts?.map((part) => part.message_count)], [4, [2, 2]])
    })

    it('pauses on both, and deletes a topic on one', async () => {
      for (const node of nodes) await create(node, 'everywhere')
      const statsOf = () => Promise.all(nodes.map(({ http }) => http.topicStats('everywhere')))
      assert.deepEqual(await both.post('/api/topics/everywhere', { action: 'pause' }), DONE)
      assert.deepEqual(
        (await statsOf()).map((stats) => stats?.paused),
        [true, true],
      )
      assert.deepEqual(await both.delete(`/api/nodes/${nodes[0].httpAddress}`, { topic: 'everywhere' }), DONE)
      assert.deepEqual(
        (await statsOf()).map((stats) => stats?.topic_name),
        [undefined, 'everywhere'],
      )
    })
  })

  describe('of a node that requires TLS and a secret', () => {
    const way = { ...TLS, secret: GOOD_SECRET }
    let closed: RunningBroker
    let closedAdmin: NsqAdmin

    before(async () => {
      const authServer = await AuthServer.start()
      started.push(authServer)
      const [httpsPort] = await lastingPorts(1)
      const https = [`--https-address=127.0.0.1:${httpsPort}`, '--tls-required=true']
      closed = await start(...(await certificates.flags()), ...https, `--auth-http-address=${authServer.address}`)
      closedAdmin = await NsqAdmin.start(programs, [closed], '--http-client-tls-insecure-skip-verify')
    })

    it('finds the way to its HTTPS port, for what it asks and for what it does', async () => {
      const flags = [`--nsqd-tcp-address=${closed.tcpAddress}`, '--topic=open-topic']
      await programs.run('to_nsq', [...flags, ...goNsqOptions('--producer-opt', way)], plannedLines(3))
      assert.equal((await closed.http.get('/stats')).status, 403)
      assert.deepEqual(await closedAdmin.show('/api/topics'), { topics: ['open-topic'] })
      assert.deepEqual(await closedAdmin.post('/api/topics/open-topic', { action: 'pause' }), DONE)
      const { depth, paused } = await closedAdmin.show<TopicView>('/api/topics/open-topic')
      assert.deepEqual([depth, paused], [3, true])
    })

    it('shows who a consumer is', async () => {
      const flags = [`--nsqd-tcp-address=${closed.tcpAddress}`, '--topic=open-consumed', '--channel=c']
      const tail = programs.start('nsq_tail', [...flags, ...goNsqOptions('--consumer-opt', way)])
      const client = await eventually(
        async () => (await closedAdmin.show<ChannelView>('/api/topics/open-consumed/c')).clients?.[0],
        LIMIT_MS,
        'the consumer',
      )
      await tail.stop()
      assert.deepEqual([client.tls, client.authed, client.auth_identity], [true, true, 'ali'])
    })
  })
})
