import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type NsqError, Producer, type ProducerOptions } from '../src/index.js'
import { FakeClock } from './support/fake-clock.js'
import { type NodeScript, type ScriptedConnection, ScriptedNode } from './support/scripted-node.js'

describe('producer', () => {
  let clock: FakeClock
  let nodes: ScriptedNode[]
  let producers: Producer[]

  beforeEach(() => {
    clock = new FakeClock()
    nodes = []
    producers = []
  })
  afterEach(async () => {
    const all = producers.map((producer) => producer.close())
    for (const node of nodes) await node.stop()
    clock.advance(60_000)
    await Promise.all(all)
  })

  async function startNode(script: NodeScript = {}): Promise<ScriptedNode> {
    const node = await ScriptedNode.start(script)
    nodes.push(node)
    return node
  }

  function open(options: Partial<ProducerOptions>): Producer {
    const producer = new Producer(options as ProducerOptions, { clock, random: () => 0 })
    producers.push(producer)
    return producer
  }

  async function connected(
    options: Partial<ProducerOptions> = {},
  ): Promise<[Producer, ScriptedConnection, ScriptedNode]> {
    const node = await startNode()
    const producer = open({ address: node.address, ...options })
    await producer.ping()
    const connection = await node.connection()
    await connection.nop()
    return [producer, connection, node]
  }

  /** What became of each, in words. */
  async function fates(publishes: readonly Promise<void>[]): Promise<string[]> {
    const settled = await Promise.allSettled(publishes)
    return settled.map((each) => (each.status === 'fulfilled' ? 'ok' : (each.reason as NsqError).code))
  }

  it('sends what is published within a turn in order and in one write, and matches the replies in order', async () => {
    const [producer, connection] = await connected()
    const order: string[] = []
    const names = ['a', 'b', 'c', 'd']
    const all = names.map((name) => producer.publish('orders', name).then(() => order.push(name)))
    assert.deepEqual(await connection.texts(4), ['PUB orders a', 'PUB orders b', 'PUB orders c', 'PUB orders d'])
    assert.equal(connection.readCount, 1 + 1, 'the NOP of the ping, and one more')
    connection.ok(2)
    await Promise.all(all.slice(0, 2))
    assert.deepEqual(order, ['a', 'b'])
    assert.equal(producer.inFlightCount, 2)
    connection.ok(2)
    await Promise.all(all)
    assert.deepEqual(order, names)
  })

  it('publishes strings as UTF-8, buffers and arrays of bytes', async () => {
    const [producer, connection] = await connected()
    const all = [
      producer.publish('t', 'grüße ☃'),
      producer.publish('t', Buffer.from('buffer')),
      producer.publish('t', new Uint8Array([120, 121])),
      producer.publish('t', 'x'.repeat(100_000)),
      producer.publish('t', Buffer.alloc(100_000, 'y')),
      producer.publish('t', 'é'.repeat(9_000)),
    ]
    const texts = await connection.texts(6)
    const bodies = ['grüße ☃', 'buffer', 'xy', 'x'.repeat(100_000), 'y'.repeat(100_000), 'é'.repeat(9_000)]
    assert.deepEqual(
      texts,
      bodies.map((body) => `PUB t ${body}`),
    )
    connection.ok(6)
    await Promise.all(all)
  })

  it('publishes many as one command, and nothing at once', async () => {
    const [producer, connection] = await connected()
    const published = producer.publishMany('t', ['one', Buffer.from('zwei'), 'drei ☃'])
    const { name, args, body } = await connection.next()
    assert.deepEqual([name, ...args], ['MPUB', 't'])
    const expected = Buffer.alloc(4 + 3 * 4 + 3 + 4 + Buffer.byteLength('drei ☃'))
    let at = expected.writeInt32BE(3, 0)
    for (const text of ['one', 'zwei', 'drei ☃']) {
      at = expected.writeInt32BE(Buffer.byteLength(text), at)
      at += expected.write(text, at)
    }
    assert.deepEqual(body, expected)
    connection.ok()
    await published
    await producer.publishMany('t', [])
  })

  it('publishes deferred', async () => {
    const [producer, connection] = await connected()
    const published = producer.publishDeferred('t', 'later', 1500)
    assert.deepEqual(await connection.texts(1), ['DPUB t 1500 later'])
    connection.ok()
    await published
    assert.deepEqual(await fates([producer.publishDeferred('t', 'x', -1), producer.publishDeferred('t', 'x', 0.5)]), [
      'E_INVALID_OPTION',
      'E_INVALID_OPTION',
    ])
  })

  it('refuses what a node would close the connection for, and sends nothing', async () => {
    const [producer, connection] = await connected({ messageSizeBytesMax: 10 })
    const refused = [
      producer.publish('a topic', 'x'),
      producer.publish('t', ''),
      producer.publish('t', 'x'.repeat(11)),
      producer.publish('t', 7 as never),
      producer.publishMany('t', ['x', '']),
      producer.publishMany('', ['x']),
    ]
    const codes = ['E_BAD_TOPIC', 'E_BAD_MESSAGE', 'E_BAD_MESSAGE', 'E_BAD_MESSAGE', 'E_BAD_MESSAGE', 'E_BAD_TOPIC']
    assert.deepEqual(await fates(refused), codes)
    const published = producer.publish('t', 'fine')
    assert.deepEqual(await connection.texts(1), ['PUB t fine'])
    connection.ok()
    await published
  })

  it('has no more in flight than it may: what is above waits its turn', async () => {
    const [producer, connection] = await connected({ maxInFlight: 2 })
    const all = ['a', 'b', 'c', 'd'].map((body) => producer.publish('t', body))
    assert.deepEqual(await connection.texts(2), ['PUB t a', 'PUB t b'])
    assert.deepEqual([producer.inFlightCount, producer.waitingCount], [2, 2])
    assert.ok(connection.isQuiet)
    connection.ok()
    assert.deepEqual(await connection.texts(1), ['PUB t c'])
    connection.ok(2)
    assert.deepEqual(await connection.texts(1), ['PUB t d'])
    connection.ok()
    await Promise.all(all)
  })

  it('has no more bytes in flight than it may, but always one publish', async () => {
    const [producer, connection] = await connected({ inFlightBytesMax: 5 })
    const all = ['123', '456', '123456789'].map((body) => producer.publish('t', body))
    assert.deepEqual(await connection.texts(1), ['PUB t 123'])
    assert.equal(producer.inFlightCount, 1)
    connection.ok()
    assert.deepEqual(await connection.texts(1), ['PUB t 456'])
    connection.ok()
    assert.deepEqual(await connection.texts(1), ['PUB t 123456789'])
    connection.ok()
    await Promise.all(all)
  })

  it('rejects at once what is above the bounds of waiting', async () => {
    const producer = open({ address: '127.0.0.1:1', waitingMax: 2, waitingBytesMax: 100 })
    const waiting = [producer.publish('t', 'a'), producer.publish('t', 'b')]
    await assert.rejects(producer.publish('t', 'c'), { code: 'E_QUEUE_FULL' })
    clock.advance(30_000)
    assert.deepEqual(await fates(waiting), ['E_TIMEOUT', 'E_TIMEOUT'])
    const large = producer.publish('t', 'x'.repeat(99))
    await assert.rejects(producer.publish('t', 'yy'), { code: 'E_QUEUE_FULL' })
    clock.advance(30_000)
    assert.deepEqual(await fates([large]), ['E_TIMEOUT'])
  })

  it('says that nothing was published when no node takes it in time, and why', async () => {
    const producer = open({ address: '127.0.0.1:1', publishTimeoutMs: 3_000 })
    const published = producer.publish('t', 'x')
    await once(producer, 'connectFailed')
    clock.advance(3_000)
    await assert.rejects(published, (error: NsqError) => {
      assert.equal(error.code, 'E_TIMEOUT')
      assert.equal((error.cause as NsqError).code, 'E_CONNECT')
      return true
    })
  })

  it('rejects what is in flight when the connection breaks: its fate is unknown', async () => {
    const [producer, connection] = await connected()
    const all = ['a', 'b', 'c'].map((body) => producer.publish('t', body))
    await connection.texts(3)
    connection.ok()
    await all[0]
    connection.reset()
    assert.deepEqual(await fates(all), ['ok', 'E_FATE_UNKNOWN', 'E_FATE_UNKNOWN'])
    await all[1].catch((error: NsqError) => assert.equal((error.cause as NsqError).code, 'E_CONNECTION_LOST'))
  })

  it('sends it again, in order and before what came later, with `retry`', async () => {
    const [producer, connection, node] = await connected({ retry: true, maxInFlight: 3 })
    const all = ['a', 'b', 'c', 'd'].map((body) => producer.publish('t', body))
    await connection.texts(3)
    connection.ok()
    await connection.texts(1)
    connection.reset()
    await once(producer, 'disconnected')
    clock.advance(1_000)
    const second = await node.connection()
    assert.deepEqual(await second.texts(3), ['PUB t b', 'PUB t c', 'PUB t d'])
    second.ok(3)
    assert.deepEqual(await fates(all), ['ok', 'ok', 'ok', 'ok'])
  })

  it('does not say that nothing was published of what it could not send again', async () => {
    const [producer, connection, node] = await connected({ retry: true, publishTimeoutMs: 3_000 })
    const published = fates([producer.publish('t', 'a')])
    await connection.texts(1)
    const isLost = once(producer, 'disconnected')
    await node.stop()
    await isLost
    const later = fates([producer.publish('t', 'b')])
    clock.advance(3_000)
    assert.deepEqual(await published, ['E_FATE_UNKNOWN'])
    assert.deepEqual(await later, ['E_TIMEOUT'])
  })

  it('sends again what stands behind a publish that the node refuses: it was surely not taken', async () => {
    const [producer, connection, node] = await connected()
    const all = fates(['a', 'bad', 'c', 'd'].map((body) => producer.publish('t', body)))
    await connection.texts(4)
    connection.ok()
    connection.error('E_BAD_MESSAGE PUB message too big 3 > 2')
    connection.end()
    await once(producer, 'disconnected')
    clock.advance(0)
    const second = await node.connection()
    assert.deepEqual(await second.texts(2), ['PUB t c', 'PUB t d'])
    second.ok(2)
    assert.deepEqual(await all, ['ok', 'E_BAD_MESSAGE', 'ok', 'ok'])
  })

  it('does not know what became of what stands behind a publish that failed in the node', async () => {
    const [producer, connection] = await connected()
    const all = ['a', 'b'].map((body) => producer.publish('t', body))
    await connection.texts(2)
    connection.error('E_PUB_FAILED PUB failed exiting')
    connection.end()
    assert.deepEqual(await fates(all), ['E_PUB_FAILED', 'E_FATE_UNKNOWN'])
  })

  it('goes to the next node when one cannot be had or breaks, and waits when all have failed', async () => {
    const gone = await startNode()
    const node = await startNode()
    const { address } = gone
    await gone.stop()
    const producer = open({ addresses: [address, node.address], reconnectDelayMs: 1_000 })
    const failures: number[] = []
    producer.on('connectFailed', ({ retryInMs }) => failures.push(retryInMs))
    const first = producer.publish('t', 'a')
    await once(producer, 'connectFailed')
    clock.advance(0)
    const connection = await node.connection()
    assert.deepEqual(await connection.texts(1), ['PUB t a'])
    connection.ok()
    await first
    assert.equal(producer.connectedTo, node.address)
    clock.advance(5_000)
    await node.stop()
    if (producer.connectedTo !== null) await once(producer, 'disconnected')
    const second = producer.publish('t', 'b')
    for (let failed = failures.length; failed < 4; failed++) {
      clock.advance(failures.at(-1) ?? 0)
      await once(producer, 'connectFailed')
    }
    assert.deepEqual(failures, [0, 0, 1_000, 0])
    producer.close()
    clock.advance(60_000)
    await assert.rejects(second)
  })

  it('rejects with `failFast` what would wait for a node, once all have refused, and tries again later', async () => {
    const gone = await startNode()
    const { address, port } = gone
    await gone.stop()
    const producer = open({ addresses: ['127.0.0.1:1', address], reconnectDelayMs: 1_000, failFast: true })
    const first = producer.publish('t', 'a')
    await once(producer, 'connectFailed')
    clock.advance(0)
    assert.deepEqual(await fates([first]), ['E_CONNECT'])
    assert.deepEqual(await fates([producer.publish('t', 'b'), producer.ping()]), ['E_CONNECT', 'E_CONNECT'])
    assert.equal(producer.waitingCount, 0)
    const node = await startNode({ port })
    clock.advance(1_000)
    const second = producer.publish('t', 'c')
    await once(producer, 'connectFailed')
    clock.advance(0)
    const connection = await node.connection()
    assert.deepEqual(await connection.texts(1), ['PUB t c'])
    connection.ok()
    await second
  })

  it('does not connect again while there is nothing to publish', async () => {
    const [producer, connection, node] = await connected()
    connection.reset()
    await once(producer, 'disconnected')
    clock.advance(10_000)
    assert.equal(node.connectionCount, 1)
    const published = producer.publish('t', 'x')
    const second = await node.connection()
    await second.texts(1)
    second.ok()
    await published
  })

  it('answers heartbeats, and gives a silent connection up', async () => {
    const [producer, connection] = await connected({ heartbeatIntervalMs: 10_000 })
    clock.advance(19_000)
    connection.heartbeat()
    await connection.nop()
    const published = producer.publish('t', 'x')
    await connection.texts(1)
    connection.ok()
    await published
    clock.advance(19_000)
    assert.equal(producer.connectedTo !== null, true)
    const lost = once(producer, 'disconnected')
    clock.advance(1_000)
    const [{ error }] = await lost
    assert.equal(error.code, 'E_STALE')
  })

  it('gives a connection up whose node does not answer a publish in time', async () => {
    const [producer, connection] = await connected({ publishTimeoutMs: 2_000 })
    const published = producer.publish('t', 'x')
    await connection.texts(1)
    clock.advance(2_000)
    assert.deepEqual(await fates([published]), ['E_FATE_UNKNOWN'])
    await connection.closed
  })

  const nonsense: [string, (connection: ScriptedConnection) => void][] = [
    ['an OK too many', (connection) => connection.ok(2)],
    ['a frame that is none', (connection) => connection.raw(Buffer.from('ffffffffffffffff', 'hex'))],
    ['a message', (connection) => connection.message({ serial: 1 })],
    ['another response', (connection) => connection.reply('WHAT')],
  ]
  for (const [what, send] of nonsense) {
    it(`closes a connection that brings ${what}`, async () => {
      const [producer, connection] = await connected()
      const published = producer.publish('t', 'x')
      published.catch(() => undefined)
      await connection.texts(1)
      const lost = once(producer, 'disconnected')
      send(connection)
      const [{ error }] = await lost
      assert.equal(error.code, 'E_PROTOCOL')
    })
  }

  it('close: waits for what is on its way, and takes nothing more', async () => {
    const [producer, connection] = await connected({ maxInFlight: 1 })
    const all = [producer.publish('t', 'a'), producer.publish('t', 'b')]
    const closed = producer.close()
    await assert.rejects(producer.publish('t', 'c'), { code: 'E_CLOSED' })
    await assert.rejects(producer.ping(), { code: 'E_CLOSED' })
    await connection.texts(1)
    connection.ok()
    await connection.texts(1)
    connection.ok()
    assert.deepEqual(await fates(all), ['ok', 'ok'])
    await closed
    assert.equal((await connection.next()).name, 'closed')
    assert.equal(producer.close(), producer.close())
  })

  it('close: rejects what is left at its bound, and says what may have been published', async () => {
    const [producer, connection] = await connected({ maxInFlight: 1, closeTimeoutMs: 500 })
    const all = [producer.publish('t', 'a'), producer.publish('t', 'b')]
    await connection.texts(1)
    const closed = producer.close()
    clock.advance(500)
    await closed
    assert.deepEqual(await fates(all), ['E_FATE_UNKNOWN', 'E_CLOSED'])
  })

  it('close: while it is connecting, and before it has ever connected', async () => {
    const node = await startNode({ identify: null })
    const producer = open({ address: node.address, closeTimeoutMs: 100 })
    const published = producer.publish('t', 'x')
    await (await node.connection()).next()
    const closed = producer.close()
    clock.advance(100)
    await closed
    assert.deepEqual(await fates([published]), ['E_CLOSED'])
    await open({ address: node.address }).close()
  })

  it('ping: resolves once a node is connected, and rejects when none is in time', async () => {
    const [producer, connection] = await connected()
    await producer.ping()
    assert.ok(!connection.isClosed)
    const lonely = open({ address: '127.0.0.1:1' })
    const ping = lonely.ping()
    await once(lonely, 'connectFailed')
    clock.advance(30_000)
    await assert.rejects(ping, { code: 'E_TIMEOUT' })
  })

  it('says in its events whom it is connected to, and what that node is', async () => {
    const node = await startNode({ identify: { version: '1.3.0', max_rdy_count: 7 } })
    const producer = open({ address: node.address })
    const isConnected = once(producer, 'connected')
    void producer.ping()
    const [{ address, node: info }] = await isConnected
    assert.equal(address, node.address)
    assert.equal(info.version, '1.3.0')
    assert.equal(info.maxRdyCount, 7)
  })
})
