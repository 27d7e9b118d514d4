import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { NSQ_STAT } from '../../../src/tools/nsq-stat/main.js'
import { StatsSource, type StatsSourceOptions } from '../../../src/tools/nsq-stat/stats-source.js'
import { runHere } from '../tool-runner.js'

describe('nsq_stat asks', () => {
  let servers: Server[]

  beforeEach(() => {
    servers = []
  })
  afterEach(() => {
    for (const server of servers) {
      server.closeAllConnections()
      server.close()
    }
  })

  /** Answers each path with a value as JSON, and all others with 404. */
  async function serverWith(answers: Readonly<Record<string, unknown>>): Promise<{ address: string; port: number }> {
    const server = createServer((request, response) => {
      const answer = answers[(request.url ?? '').split('?')[0]]
      if (answer === undefined) response.statusCode = 404
      response.end(JSON.stringify(answer ?? { message: 'TOPIC_NOT_FOUND' }))
    })
    servers.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    return { address: `127.0.0.1:${port}`, port }
  }

  const statsOf = (channel: string, messageCount: number) => ({
    topics: [{ topic_name: 't', channels: [{ channel_name: channel, message_count: messageCount }] }],
  })

  function read(options: Partial<StatsSourceOptions>) {
    const timeouts = { connectTimeoutMs: 2_000, requestTimeoutMs: 2_000 }
    const all = { topic: 't', channel: 'c', nsqdAddresses: [], lookupdAddresses: [], timeouts, ...options }
    return new StatsSource(all).read()
  }

  it('every node that it is given, and adds up', async () => {
    const nodes = [
      await serverWith({ '/stats': statsOf('c', 1) }),
      await serverWith({ '/stats': { topics: [] } }),
      await serverWith({ '/stats': statsOf('c', 20) }),
    ]
    const { messageCount } = await read({ nsqdAddresses: nodes.map(({ address }) => address) })
    assert.equal(messageCount, 21)
  })

  it('and waits as long as it is told, also for months', async () => {
    const { address } = await serverWith({ '/stats': statsOf('c', 1) })
    const timeouts = { connectTimeoutMs: 2 ** 32, requestTimeoutMs: 2 ** 33 }
    assert.equal((await read({ nsqdAddresses: [address], timeouts })).messageCount, 1)
  })

  it('nobody any more once it is to end', async () => {
    const server = createServer(() => stop.abort()).listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    const stop = new AbortController()
    const address = `--nsqd-http-address=127.0.0.1:${(server.address() as AddressInfo).port}`
    const args = ['--topic=t', '--channel=c', address, '--http-client-request-timeout=1h']
    assert.deepEqual(await runHere(NSQ_STAT, args, { stop: stop.signal }), { code: 0, stdout: '', stderr: '' })
  })

  it('the nodes that nsqlookupd know, each once', async () => {
    const node = await serverWith({ '/stats': statsOf('c', 5) })
    const producers = [{ broadcast_address: '127.0.0.1', http_port: node.port }]
    const lookups = [await serverWith({ '/lookup': { producers } }), await serverWith({ '/lookup': { producers } })]
    assert.equal((await read({ lookupdAddresses: lookups.map(({ address }) => address) })).messageCount, 5)
  })

  it('and fails when anybody does not answer: half a sum would look like a whole one', async () => {
    const node = await serverWith({ '/stats': statsOf('c', 1) })
    await assert.rejects(read({ nsqdAddresses: [node.address, '127.0.0.1:1'] }), {
      message: /^ERROR: failed to get topic producers - .*127\.0\.0\.1:1.*ECONNREFUSED/,
    })
    const lookup = await serverWith({})
    await assert.rejects(read({ lookupdAddresses: [lookup.address] }), {
      message: /^ERROR: failed to get topic producers - .*TOPIC_NOT_FOUND/,
    })
    const known = await serverWith({ '/lookup': { producers: [{ broadcast_address: '127.0.0.1', http_port: 1 }] } })
    await assert.rejects(read({ lookupdAddresses: [known.address] }), {
      message: /^ERROR: failed to get nsqd stats - /,
    })
  })

  it('and says which topic or channel nobody has', async () => {
    const node = await serverWith({ '/stats': statsOf('other', 1) })
    await assert.rejects(read({ nsqdAddresses: [node.address] }), {
      message: 'ERROR: failed to find channel(c) in stats metadata for topic(t)',
    })
    await assert.rejects(read({ topic: 'x', nsqdAddresses: [node.address] }), {
      message: 'ERROR: failed to get nsqd stats - no nsqd has the topic "x"',
    })
  })
})
