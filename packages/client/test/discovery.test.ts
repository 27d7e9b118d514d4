import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as immediate } from 'node:timers/promises'
import { Consumer, type ConsumerOptions, type NsqError } from '../src/index.js'
import { FakeClock } from './support/fake-clock.js'
import { Queue } from './support/queue.js'
import { ScriptedNode } from './support/scripted-node.js'

/** An nsqlookupd whose answers the test gives. */
class ScriptedLookupd {
  readonly #server: Server
  readonly requests = new Queue<IncomingMessage>()
  answer: (response: ServerResponse) => void = () => undefined

  private constructor(server: Server) {
    this.#server = server
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.requests.push(request)
      this.answer(response)
    })
  }

  static async start(): Promise<ScriptedLookupd> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new ScriptedLookupd(server)
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  names(...nodes: ScriptedNode[]): void {
    const producers = nodes.map(({ port }) => ({
      broadcast_address: '127.0.0.1',
      tcp_port: port,
      http_port: 1,
      version: '1.3.0',
    }))
    this.answer = (response) => response.end(JSON.stringify({ channels: [], producers }))
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await once(this.#server.close(), 'close')
  }
}

describe('discovery', () => {
  let clock: FakeClock
  let lookupds: ScriptedLookupd[]
  let nodes: ScriptedNode[]
  let consumer: Consumer

  beforeEach(async () => {
    clock = new FakeClock()
    lookupds = [await ScriptedLookupd.start(), await ScriptedLookupd.start()]
    nodes = [await ScriptedNode.start(), await ScriptedNode.start()]
  })
  afterEach(async () => {
    await consumer.close()
    for (const each of [...lookupds, ...nodes]) await each.stop()
  })

  function start(options: Partial<ConsumerOptions> = {}): void {
    const all = { topic: 'orders', channel: 'mail', maxInFlight: 10, lookupdAddress: lookupds[0].address, ...options }
    consumer = new Consumer(all as ConsumerOptions, { clock, random: () => 0.5 })
    void consumer.run(() => undefined)
  }

  it('asks as go-nsq does, and connects to what it is told', async () => {
    lookupds[0].names(nodes[0], nodes[1])
    start()
    const { url, headers } = await lookupds[0].requests.shift()
    assert.equal(url, '/lookup?topic=orders')
    assert.equal(headers.accept, 'application/vnd.nsq; version=1.0')
    assert.equal(headers.authorization, undefined)
    await Promise.all(nodes.map((node) => node.connection()))
  })

  it('sends the secret only where that is asked for', async () => {
    lookupds[0].names()
    start({ authSecret: 'secret', lookupdAuthorization: true })
    assert.equal((await lookupds[0].requests.shift()).headers.authorization, 'Bearer secret')
  })

  it('understands the old answers too', async () => {
    const producers = [{ broadcast_address: '127.0.0.1', tcp_port: nodes[0].port }]
    lookupds[0].answer = (response) =>
      response.end(JSON.stringify({ status_code: 200, status_txt: 'OK', data: { channels: [], producers } }))
    start()
    await nodes[0].connection()
  })

  it('takes what any nsqlookupd knows, whatever the others say', async () => {
    lookupds[0].answer = (response) => {
      response.statusCode = 404
      response.end('{"message":"TOPIC_NOT_FOUND"}')
    }
    lookupds[1].names(nodes[1])
    start({ lookupdAddress: undefined as never, lookupdAddresses: lookupds.map(({ address }) => `http://${address}`) })
    await nodes[1].connection()
    assert.equal(nodes[0].connectionCount, 0)
  })

  const failures: [string, (response: ServerResponse) => void, RegExp][] = [
    ['another status', (response) => response.writeHead(500).end('{}'), /status 500/],
    [
      'that it is a node, which knows no /lookup',
      (response) => response.writeHead(404).end('{"message":"NOT_FOUND"}'),
      /no nsqlookupd/,
    ],
    ['no JSON', (response) => response.end('<html>'), /JSON/],
    ['no array', (response) => response.end('{"producers":{}}'), /without an array/],
    ['a producer without a port', (response) => response.end('{"producers":[{"broadcast_address":"x"}]}'), /tcp_port/],
    ['a broken connection', (response) => response.destroy(), /socket|ECONN/],
  ]
  for (const [what, answer, expected] of failures) {
    it(`says so when an nsqlookupd answers with ${what}`, async () => {
      lookupds[0].answer = answer
      start()
      const [{ address, error }] = await once(consumer, 'lookupFailed')
      assert.equal(address, lookupds[0].address)
      assert.equal((error as NsqError).code, 'E_LOOKUP')
      assert.match(error.message, expected)
    })
  }

  it('waits for an answer no longer than it may', async () => {
    start({ lookupdTimeoutMs: 800 })
    await lookupds[0].requests.shift()
    const failed = once(consumer, 'lookupFailed')
    clock.advance(800)
    assert.match((await failed)[0].error.message, /within 800 ms/)
  })

  it('asks again after the poll interval, the first time with jitter', async () => {
    lookupds[0].names(nodes[0])
    start({ lookupdPollIntervalMs: 10_000, lookupdPollJitterPercent: 40 })
    await lookupds[0].requests.shift()
    await nodes[0].connection()
    clock.advance(11_999)
    assert.equal(lookupds[0].requests.length, 0)
    lookupds[0].names(nodes[0], nodes[1])
    clock.advance(1)
    await lookupds[0].requests.shift()
    await nodes[1].connection()
    clock.advance(10_000)
    await lookupds[0].requests.shift()
  })

  it('asks twelve times as often for a topic that nobody has yet', async () => {
    lookupds[0].names()
    start({ lookupdPollIntervalMs: 36_000, lookupdTimeoutMs: 1_000 })
    await lookupds[0].requests.shift()
    while (!clock.pendingDelaysMs.includes(3_000)) await immediate()
    lookupds[0].names(nodes[0])
    clock.advance(3_000)
    await nodes[0].connection()
  })

  it('asks at once when a connection is lost, and gives up a node that nobody knows any more', async () => {
    lookupds[0].names(nodes[0])
    start()
    await lookupds[0].requests.shift()
    const connection = await nodes[0].connection()
    await connection.texts(1)
    lookupds[0].names(nodes[1])
    clock.advance(1_000)
    connection.reset()
    await lookupds[0].requests.shift()
    await (await nodes[1].connection()).texts(1)
    clock.advance(9_000)
    assert.equal(nodes[0].connectionCount, 1)
    assert.deepEqual(consumer.connectedTo, [nodes[1].address])
  })

  it('keeps a connection that works, whatever nsqlookupd says', async () => {
    lookupds[0].names(nodes[0])
    start({ lookupdPollIntervalMs: 2_000, lookupdPollJitterPercent: 0 })
    await lookupds[0].requests.shift()
    await (await nodes[0].connection()).texts(1)
    lookupds[0].names(nodes[1])
    clock.advance(2_000)
    await (await nodes[1].connection()).texts(1)
    assert.equal(consumer.connectedTo.length, 2)
  })

  it('close does not wait for an answer', async () => {
    start()
    await lookupds[0].requests.shift()
    await consumer.close()
  })
})
