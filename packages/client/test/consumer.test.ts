import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { Consumer, type ConsumerOptions, type Message, type NsqError } from '../src/index.js'
import { FakeClock } from './support/fake-clock.js'
import { idOf } from './support/frames.js'
import { Queue } from './support/queue.js'
import { type NodeScript, type ScriptedConnection, ScriptedNode } from './support/scripted-node.js'

describe('consumer', () => {
  let clock: FakeClock
  let nodes: ScriptedNode[]
  let consumers: Consumer[]

  beforeEach(() => {
    clock = new FakeClock()
    nodes = []
    consumers = []
  })
  afterEach(async () => {
    const all = consumers.map((consumer) => consumer.close())
    for (const node of nodes) await node.stop()
    await turn()
    clock.advance(600_000)
    await Promise.all(all)
  })

  async function startNode(script: NodeScript = {}): Promise<ScriptedNode> {
    const node = await ScriptedNode.start(script)
    nodes.push(node)
    return node
  }

  function make(options: Partial<ConsumerOptions>): Consumer {
    const all = { topic: 'orders', channel: 'mail', maxInFlight: 10, ...options } as ConsumerOptions
    const consumer = new Consumer(all, { clock, random: () => 0 })
    consumers.push(consumer)
    return consumer
  }

  /** Connected, and nobody gets anything yet. */
  async function connected(
    options: Partial<ConsumerOptions> = {},
  ): Promise<[Consumer, ScriptedConnection, ScriptedNode]> {
    const node = await startNode()
    const consumer = make({ address: node.address, ...options })
    await consumer.connect()
    return [consumer, await node.connection(), node]
  }

  /** Messages go into a queue, and the test settles them. */
  function collect(consumer: Consumer): Queue<Message> {
    const queue = new Queue<Message>()
    void consumer.run((message) => {
      queue.push(message)
      return new Promise(() => undefined)
    })
    return queue
  }

  it('subscribes, and takes nothing before there is somebody to take it', async () => {
    const node = await startNode({ subscribes: false })
    const consumer = make({ address: node.address })
    const isConnected = consumer.connect()
    const connection = await node.connection()
    assert.deepEqual(await connection.texts(1), ['SUB orders mail'])
    connection.ok()
    await isConnected
    await turn()
    assert.ok(connection.isQuiet)
    assert.deepEqual(consumer.connectedTo, [node.address])
    void consumer.run(() => undefined)
    assert.deepEqual(await connection.texts(1), ['RDY 10'])
  })

  it('finishes what a synchronous handler has returned from, all of one read in one write', async () => {
    const [consumer, connection] = await connected()
    const texts: string[] = []
    void consumer.run((message) => {
      texts.push(message.text())
    })
    await connection.texts(1)
    const readsBefore = connection.readCount
    connection.message({ serial: 1, body: 'a' }, { serial: 2, body: 'b' }, { serial: 3, body: 'c' })
    assert.deepEqual(await connection.texts(3), [`FIN ${idOf(1)}`, `FIN ${idOf(2)}`, `FIN ${idOf(3)}`])
    assert.equal(connection.readCount, readsBefore + 1)
    assert.deepEqual(texts, ['a', 'b', 'c'])
    assert.equal(consumer.inFlightCount, 0)
  })

  it('finishes what an asynchronous handler has resolved', async () => {
    const [consumer, connection] = await connected()
    const done = new Queue<() => void>()
    void consumer.run(() => new Promise<void>((resolve) => done.push(resolve)))
    await connection.texts(1)
    connection.message({ serial: 1 }, { serial: 2 })
    const first = await done.shift()
    const second = await done.shift()
    assert.equal(consumer.inFlightCount, 2)
    second()
    assert.deepEqual(await connection.texts(1), [`FIN ${idOf(2)}`])
    first()
    assert.deepEqual(await connection.texts(1), [`FIN ${idOf(1)}`])
  })

  it('tells a handler everything about its message', async () => {
    const [consumer, connection] = await connected()
    const messages = collect(consumer)
    connection.message({ serial: 255, body: '{"a":"☃"}', attempts: 3, timestampNs: 1_767_323_045_123_456_789n })
    const message = await messages.shift()
    assert.equal(message.id, '00000000000000ff')
    assert.equal(message.attempts, 3)
    assert.equal(message.timestampNs, 1_767_323_045_123_456_789n)
    assert.equal(message.text(), '{"a":"☃"}')
    assert.deepEqual(message.json(), { a: '☃' })
    assert.equal(message.body.toString(), '{"a":"☃"}')
    assert.equal(message.bodySizeBytes, Buffer.byteLength('{"a":"☃"}'))
    assert.equal(message.address, consumer.connectedTo[0])
    assert.equal(message.timeLeftMs, 60_000)
    assert.ok(message.isInFlight && !message.isSettled)
    assert.ok(message.finish())
    assert.ok(!message.isInFlight && message.isSettled)
    assert.ok(!message.finish() && !message.requeue() && !message.touch())
  })

  it('bodies may be kept: what is read later does not change them', async () => {
    const [consumer, connection] = await connected({ maxInFlight: 2_000 })
    const kept: Buffer[] = []
    const all = Array.from({ length: 1_000 }, (_, serial) => ({ serial, body: `${serial} ${'x'.repeat(serial)}` }))
    void consumer.run((message) => {
      kept.push(message.body)
    })
    connection.message(...all)
    await connection.texts(1 + all.length)
    assert.deepEqual(
      kept.map(String),
      all.map(({ body }) => body),
    )
  })

  it('requeues what a handler throws at or rejects, later with each attempt, and says so', async () => {
    const [consumer, connection] = await connected({
      requeueDelayMs: 100,
      requeueDelayMsMax: 250,
      backoffDelayMsMax: 0,
    })
    const failed: string[] = []
    consumer.on('handlerFailed', ({ message, error }) => failed.push(`${message.text()}: ${error.message}`))
    void consumer.run((message) => {
      if (message.attempts === 1) throw new Error('sync')
      return Promise.reject(new Error('async'))
    })
    await connection.texts(1)
    connection.message(
      { serial: 1, body: 'a' },
      { serial: 2, body: 'b', attempts: 2 },
      { serial: 3, body: 'c', attempts: 3 },
    )
    const requeues = await connection.texts(3)
    assert.deepEqual(requeues, [`REQ ${idOf(1)} 100`, `REQ ${idOf(2)} 200`, `REQ ${idOf(3)} 250`])
    assert.deepEqual(failed, ['a: sync', 'b: async', 'c: async'])
  })

  it('leaves a message alone that its handler has settled itself', async () => {
    const [consumer, connection] = await connected()
    void consumer.run((message) => {
      if (message.attempts === 1) message.requeue({ delayMs: 5, backoff: false })
      else message.touch()
    })
    await connection.texts(1)
    connection.message({ serial: 1 }, { serial: 2, attempts: 2 })
    assert.deepEqual(await connection.texts(3), [`REQ ${idOf(1)} 5`, `TOUCH ${idOf(2)}`, `FIN ${idOf(2)}`])
  })

  it('leaves settling to whoever has the messages, when it is told to', async () => {
    const [consumer, connection] = await connected({ backoffDelayMsMax: 0 })
    const messages: Message[] = []
    const failed: string[] = []
    consumer.on('handlerFailed', ({ error }) => failed.push(error.message))
    const handler = (message: Message): void => {
      if (message.text() === 'bad') throw new Error('bad')
      messages.push(message)
    }
    const ended = consumer.run(handler, { autoSettle: false })
    await connection.texts(1)
    connection.message({ serial: 1 }, { serial: 2 }, { serial: 3, body: 'bad' })
    assert.deepEqual(await connection.texts(1), [`REQ ${idOf(3)} 90000`])
    assert.deepEqual(failed, ['bad'])
    assert.equal(consumer.inFlightCount, 2)
    const closing = consumer.close()
    await connection.texts(1)
    // What comes from here on is nobody's.
    connection.message({ serial: 4 })
    assert.deepEqual(await connection.texts(1), [`REQ ${idOf(4)} 0`])
    for (const message of messages) message.finish()
    assert.deepEqual(await connection.texts(2), [`FIN ${idOf(1)}`, `FIN ${idOf(2)}`])
    await Promise.all([closing, ended])
  })

  it('is starved when a node has sent 85 % of what it may', async () => {
    const [consumer, connection] = await connected({ maxInFlight: 10 })
    const messages = new Queue<Message>()
    void consumer.run((message) => messages.push(message), { autoSettle: false })
    await connection.texts(1)
    const starved: boolean[] = [consumer.isStarved]
    for (let serial = 1; serial <= 8; serial++) {
      connection.message({ serial })
      await messages.shift()
      starved.push(consumer.isStarved)
    }
    assert.deepEqual(starved, [false, false, false, false, false, false, false, false, true])
  })

  it('copies a body to where it is wanted', async () => {
    const [consumer, connection] = await connected()
    const messages = collect(consumer)
    connection.message({ serial: 1, body: 'abc' })
    const target = Buffer.from('.......')
    assert.equal((await messages.shift()).copyBody(target, 2), 5)
    assert.equal(target.toString(), '..abc..')
  })

  it('comes from the local address that it was given', async function () {
    // Elsewhere only 127.0.0.1 is this host's.
    if (process.platform !== 'linux') this.skip()
    const [, connection] = await connected({ localAddress: '127.0.0.2' })
    assert.equal(connection.remoteAddress, '127.0.0.2')
  })

  it('touching gives a message more time, up to what the node allows', async () => {
    const node = await startNode({ identify: { msg_timeout: 1_000, max_msg_timeout: 1_500 } })
    const consumer = make({ address: node.address })
    const messages = collect(consumer)
    const connection = await node.connection()
    await connection.texts(1)
    connection.message({ serial: 1 })
    const message = await messages.shift()
    clock.advance(400)
    assert.equal(message.timeLeftMs, 600)
    message.touch()
    assert.equal(message.timeLeftMs, 1_000)
    clock.advance(400)
    message.touch()
    assert.equal(message.timeLeftMs, 700)
    clock.advance(700)
    assert.ok(!message.isInFlight)
    assert.ok(message.finish(), 'the node may see it in another way')
  })

  it('runs no more handlers at once than it may', async () => {
    const [consumer, connection] = await connected()
    const done = new Queue<() => void>()
    let runningCount = 0
    const handler = async (): Promise<void> => {
      assert.ok(++runningCount <= 2)
      await new Promise<void>((resolve) => done.push(resolve))
      runningCount--
    }
    void consumer.run(handler, { concurrency: 2 })
    await connection.texts(1)
    connection.message(...Array.from({ length: 6 }, (_, serial) => ({ serial })))
    for (let serial = 0; serial < 6; serial++) {
      ;(await done.shift())()
      assert.deepEqual(await connection.texts(1), [`FIN ${idOf(serial)}`])
    }
  })

  it('forgets what has waited for a handler until its time was over', async () => {
    const node = await startNode({ identify: { msg_timeout: 1_000 } })
    const consumer = make({ address: node.address })
    const connecting = node.connection()
    const done = new Queue<() => void>()
    const handled: string[] = []
    const handler = (message: Message): Promise<void> => {
      handled.push(message.text())
      return new Promise<void>((resolve) => done.push(resolve))
    }
    void consumer.run(handler, { concurrency: 1 })
    const connection = await connecting
    await connection.texts(1)
    connection.message({ serial: 1, body: 'slow' }, { serial: 2, body: 'over' }, { serial: 3, body: 'over' })
    const finishSlow = await done.shift()
    clock.advance(1_000)
    connection.message({ serial: 4, body: 'again' })
    connection.heartbeat()
    await connection.nop()
    assert.equal(consumer.inFlightCount, 2)
    finishSlow()
    ;(await done.shift())()
    assert.deepEqual(await connection.texts(2), [`FIN ${idOf(1)}`, `FIN ${idOf(4)}`])
    assert.deepEqual(handled, ['slow', 'again'])
    assert.equal(consumer.inFlightCount, 0)
  })

  it('refuses a delay that a node would close the connection for', async () => {
    const [consumer, connection] = await connected()
    const messages = collect(consumer)
    await connection.texts(1)
    connection.message({ serial: 1 })
    const message = await messages.shift()
    for (const delayMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => message.requeue({ delayMs }), { code: 'E_INVALID_OPTION' })
    }
    assert.ok(message.requeue({ delayMs: 1.4 }))
    assert.deepEqual(await connection.texts(1), [`REQ ${idOf(1)} 1`])
  })

  it('discards what has had its attempts, and shows it first', async () => {
    const discarded: string[] = []
    const onDiscarded = async (message: Message): Promise<void> => {
      discarded.push(message.text())
      if (message.text() === 'bad') throw new Error('no room in the dead letters')
    }
    const [consumer, connection] = await connected({ maxAttempts: 3, onDiscarded, requeueDelayMs: 10 })
    const handled: string[] = []
    void consumer.run((message) => {
      handled.push(message.text())
    })
    consumer.on('handlerFailed', () => undefined)
    await connection.texts(1)
    connection.message({ serial: 1, body: 'last', attempts: 3 }, { serial: 2, body: 'dead', attempts: 4 })
    assert.deepEqual(await connection.texts(2), [`FIN ${idOf(1)}`, `FIN ${idOf(2)}`])
    connection.message({ serial: 3, body: 'bad', attempts: 4 })
    assert.deepEqual(await connection.texts(1), [`REQ ${idOf(3)} 40`])
    assert.deepEqual(handled, ['last'])
    assert.deepEqual(discarded, ['dead', 'bad'])
  })

  it('backs off after failures, with one test message at a time, and comes back', async () => {
    const [consumer, connection] = await connected({ requeueDelayMs: 0 })
    const levels: number[] = []
    consumer.on('backoff', ({ level }) => levels.push(level))
    consumer.on('handlerFailed', () => undefined)
    void consumer.run((message) => {
      if (message.text() === 'bad') throw new Error('bad')
    })
    assert.deepEqual(await connection.texts(1), ['RDY 10'])
    connection.message({ serial: 1, body: 'bad' }, { serial: 2, body: 'bad' }, { serial: 3, body: 'good' })
    assert.deepEqual(await connection.texts(4), [`REQ ${idOf(1)} 0`, 'RDY 0', `REQ ${idOf(2)} 0`, `FIN ${idOf(3)}`])
    clock.advance(2_000)
    assert.deepEqual(await connection.texts(1), ['RDY 1'])
    connection.message({ serial: 4, body: 'bad' })
    assert.deepEqual(await connection.texts(2), [`REQ ${idOf(4)} 0`, 'RDY 0'])
    clock.advance(4_000)
    connection.message({ serial: 5, body: 'good' })
    assert.deepEqual(await connection.texts(3), ['RDY 1', `FIN ${idOf(5)}`, 'RDY 0'])
    clock.advance(2_000)
    connection.message({ serial: 6, body: 'good' })
    assert.deepEqual(await connection.texts(3), ['RDY 1', `FIN ${idOf(6)}`, 'RDY 10'])
    assert.deepEqual(levels, [1, 2, 1, 0])
  })

  it('gives messages to a loop, which settles them', async () => {
    const [consumer, connection] = await connected()
    const texts: string[] = []
    const loop = (async () => {
      for await (const message of consumer) {
        texts.push(message.text())
        message.finish()
      }
    })()
    await connection.texts(1)
    connection.message({ serial: 1, body: 'a' }, { serial: 2, body: 'b' })
    await connection.texts(2)
    connection.message({ serial: 3, body: 'c' })
    await connection.texts(1)
    await consumer.close()
    await loop
    assert.deepEqual(texts, ['a', 'b', 'c'])
  })

  it('a loop that is left closes the consumer, and what it had not begun with is given back', async () => {
    const [consumer, connection] = await connected()
    const iterating = (async () => {
      for await (const message of consumer) {
        message.finish()
        break
      }
    })()
    await connection.texts(1)
    connection.message({ serial: 1 }, { serial: 2 }, { serial: 3 })
    await iterating
    const rest = await connection.texts(4)
    assert.deepEqual(rest, [`FIN ${idOf(1)}`, `REQ ${idOf(2)} 0`, `REQ ${idOf(3)} 0`, 'CLS'])
    await consumer.close()
  })

  it('is for one handler or one loop', async () => {
    const [consumer] = await connected()
    void consumer.run(() => undefined)
    assert.throws(() => void consumer.run(() => undefined), { code: 'E_INVALID_STATE' })
    assert.throws(() => consumer[Symbol.asyncIterator](), { code: 'E_INVALID_STATE' })
    await consumer.close()
    assert.throws(() => consumer[Symbol.asyncIterator](), { code: 'E_CLOSED' })
    await assert.rejects(consumer.connect(), { code: 'E_CLOSED' })
  })

  it('close: says CLS, waits for what is in flight, and then closes', async () => {
    const [consumer, connection] = await connected()
    const messages = collect(consumer)
    const running = new Promise<void>((resolve) => consumer.once('disconnected', () => resolve()))
    await connection.texts(1)
    connection.message({ serial: 1 })
    const message = await messages.shift()
    const closed = consumer.close()
    assert.deepEqual(await connection.texts(1), ['CLS'])
    connection.message({ serial: 2 })
    assert.deepEqual(await connection.texts(1), [`REQ ${idOf(2)} 0`], 'what comes now is given back')
    assert.ok(!connection.isClosed)
    message.finish()
    assert.deepEqual(await connection.texts(2), [`FIN ${idOf(1)}`, 'closed'])
    await closed
    await running
  })

  it('close: waits no longer than its bound', async () => {
    const [consumer, connection] = await connected({ closeTimeoutMs: 3_000 })
    const messages = collect(consumer)
    await connection.texts(1)
    connection.message({ serial: 1 })
    const message = await messages.shift()
    const closed = consumer.close()
    await connection.texts(1)
    clock.advance(3_000)
    await closed
    assert.ok(!message.isInFlight && !message.finish())
  })

  it('close: while it is connecting, and before it has begun', async () => {
    const node = await startNode({ identify: null })
    const consumer = make({ address: node.address })
    const isConnected = consumer.connect()
    await (await node.connection()).next()
    const closed = consumer.close()
    await assert.rejects(isConnected, { code: 'E_CLOSED' })
    await closed
    await make({ address: node.address }).close()
  })

  it('run: resolves once the consumer is closed', async () => {
    const [consumer] = await connected()
    const run = consumer.run(() => undefined)
    await consumer.close()
    await run
  })

  it('pause takes nothing more, resume goes on, and maxInFlight can be changed', async () => {
    const [consumer, connection] = await connected()
    void consumer.run(() => undefined)
    consumer.pause()
    consumer.resume()
    assert.deepEqual(await connection.texts(3), ['RDY 10', 'RDY 0', 'RDY 10'])
    consumer.setMaxInFlight(3)
    assert.deepEqual(await connection.texts(1), ['RDY 3'])
    assert.equal(consumer.maxInFlight, 3)
  })

  it('never asks a node for more than it allows', async () => {
    const node = await startNode({ identify: { max_rdy_count: 7 } })
    const consumer = make({ address: node.address })
    void consumer.run(() => undefined)
    assert.deepEqual(await (await node.connection()).texts(1), ['RDY 7'])
  })

  it('shares maxInFlight among its nodes, and anew when one goes', async () => {
    const [first, second] = [await startNode(), await startNode()]
    const consumer = make({ addresses: [first.address, second.address] })
    void consumer.run(() => undefined)
    const connections = [await first.connection(), await second.connection()]
    const ready = async (): Promise<number[]> => {
      const counts = [0, 0]
      while (counts[0] + counts[1] !== 10 || counts.includes(0)) {
        for (const [index, connection] of connections.entries()) {
          while (!connection.isQuiet) counts[index] = Number((await connection.texts(1))[0].split(' ')[1])
        }
        await turn()
      }
      return counts
    }
    assert.deepEqual(await ready(), [5, 5])
    connections[0].reset()
    await once(consumer, 'disconnected')
    assert.deepEqual(await connections[1].texts(1), ['RDY 10'])
  })

  it('lets nodes take turns when there are more of them than messages in flight', async () => {
    const three = [await startNode(), await startNode(), await startNode()]
    const consumer = make({ addresses: three.map(({ address }) => address), maxInFlight: 1 })
    const served = new Queue<string>()
    void consumer.run((message) => void served.push(message.text()))
    const connections = await Promise.all(three.map((node) => node.connection()))
    while (consumer.connectedTo.length < 3) await turn()
    for (const [index, connection] of connections.entries()) {
      void (async () => {
        for (let serial = 0; ; serial++) {
          const [text] = await connection.texts(1)
          if (text === 'closed') return
          if (text === 'RDY 1') connection.message({ serial, body: `${index}` })
        }
      })()
    }
    const seen = new Set<string>()
    while (seen.size < 3) {
      seen.add(await served.shift())
      clock.advance(10_000)
      for (const connection of connections) connection.heartbeat()
      await Promise.all(connections.map((connection) => connection.nop()))
    }
  })

  it('connects again when a connection breaks, later with each failure', async () => {
    const [consumer, connection, node] = await connected({ reconnectDelayMs: 100, reconnectDelayMsMax: 300 })
    const failed: number[] = []
    consumer.on('connectFailed', ({ retryInMs }) => failed.push(retryInMs))
    const messages = collect(consumer)
    await connection.texts(1)
    connection.message({ serial: 1 })
    const message = await messages.shift()
    const { port } = node
    connection.reset()
    await once(consumer, 'disconnected')
    assert.ok(!message.isInFlight && !message.finish(), 'it comes again')
    assert.equal(consumer.inFlightCount, 0)
    await node.stop()
    clock.advance(100)
    for (const delayMs of [200, 300, 300]) {
      await once(consumer, 'connectFailed')
      assert.equal(failed.at(-1), delayMs)
      if (failed.length < 3) clock.advance(delayMs)
    }
    const again = await startNode({ port })
    clock.advance(300)
    assert.deepEqual(await (await again.connection()).texts(1), ['RDY 10'])
  })

  it('reports what a node did not take, and goes on', async () => {
    const [consumer, connection] = await connected()
    void consumer.run(() => undefined)
    await connection.texts(1)
    connection.message({ serial: 1 })
    await connection.texts(1)
    const isReported = once(consumer, 'settleFailed')
    connection.error(`E_FIN_FAILED FIN ${idOf(1)} failed ID not in flight`)
    const [{ error, address }] = await isReported
    assert.equal(error.code, 'E_FIN_FAILED')
    assert.equal(address, consumer.connectedTo[0])
    connection.message({ serial: 2 })
    assert.deepEqual(await connection.texts(1), [`FIN ${idOf(2)}`])
  })

  it('connects again after an error that ends the connection, and after a subscription that is refused', async () => {
    const node = await startNode({ subscribes: false })
    const consumer = make({ address: node.address })
    void consumer.run(() => undefined)
    const first = await node.connection()
    await first.texts(1)
    const isRefused = once(consumer, 'connectFailed')
    first.error('E_SUB_FAILED SUB failed exiting')
    const [{ error }] = await isRefused
    assert.equal((error as NsqError).code, 'E_SUB_FAILED')
    clock.advance(1_000)
    const second = await node.connection()
    await second.texts(1)
    second.ok()
    await second.texts(1)
    const isLost = once(consumer, 'disconnected')
    second.error('E_INVALID RDY count 10 out of range 0-5')
    assert.equal((await isLost)[0].error.code, 'E_INVALID')
    clock.advance(1_000)
    await node.connection()
  })

  it('answers heartbeats, and gives a silent connection up', async () => {
    const [consumer, connection] = await connected({ heartbeatIntervalMs: 1_000 })
    connection.heartbeat()
    await connection.nop()
    const isLost = once(consumer, 'disconnected')
    clock.advance(2_000)
    assert.equal((await isLost)[0].error.code, 'E_STALE')
  })

  it('does not touch without end when the node reads nothing', async () => {
    const [consumer, connection] = await connected()
    const messages = collect(consumer)
    await connection.texts(1)
    connection.message({ serial: 1 })
    const message = await messages.shift()
    let count = 0
    while (message.touch()) count++
    assert.equal(count, 10_000)
    await connection.texts(count)
    assert.ok(message.touch())
  })
})
