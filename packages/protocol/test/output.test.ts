import assert from 'node:assert/strict'
import { OUTPUT_SIZE_BYTES_MAX } from '../src/index.js'
import { connect, connectConsumer, FakeBroker, type TestClient, withBody } from './support.js'

async function connectHolding(settings: object, ready = 100): Promise<TestClient> {
  const client = await connect(new FakeBroker())
  await client.send(withBody('IDENTIFY', JSON.stringify(settings)), `SUB t c\nRDY ${ready}\n`)
  client.take()
  return client
}

describe('messages', () => {
  it('leave at the end of the turn when the client wants nothing special', async () => {
    const client = await connectConsumer()
    const [first] = client.subscription.deliver('a')
    const [second] = client.subscription.deliver('b')
    assert.equal(client.output.chunks.length, 0)
    client.clock.flush()
    assert.equal(client.output.chunks.length, 1)
    assert.deepEqual(client.take(), [`message ${first} a`, `message ${second} b`])
  })

  it('are not held for a client that names the defaults, or wants no buffer', async () => {
    for (const settings of [
      { output_buffer_size: 16_384, output_buffer_timeout: 250 },
      { output_buffer_size: -1 },
      { output_buffer_size: 0, output_buffer_timeout: 0 },
    ]) {
      const client = await connectHolding(settings)
      client.subscription.deliver('a')
      client.clock.flush()
      assert.equal(client.take().length, 1, JSON.stringify(settings))
    }
  })

  it('are held as long as the client asked for', async () => {
    const client = await connectHolding({ output_buffer_timeout: 1_000 })
    client.subscription.deliver('a')
    await client.clock.advanceAsync(500)
    client.subscription.deliver('b')
    await client.clock.advanceAsync(499)
    assert.deepEqual(client.take(), [])
    await client.clock.advanceAsync(1)
    assert.equal(client.take().length, 2)
    client.subscription.deliver('c')
    await client.clock.advanceAsync(999)
    assert.deepEqual(client.take(), [])
    await client.clock.advanceAsync(1)
    assert.equal(client.take().length, 1)
  })

  it('are held until the buffer that the client asked for is full', async () => {
    const client = await connectHolding({ output_buffer_size: 100 })
    client.subscription.deliver('x'.repeat(30))
    client.clock.flush()
    assert.deepEqual(client.take(), [])
    client.subscription.deliver('x'.repeat(30))
    client.clock.flush()
    assert.equal(client.take().length, 2)
  })

  it('are not held when the client is not ready for more', async () => {
    const client = await connectHolding({ output_buffer_timeout: 1_000 }, 2)
    client.subscription.deliver('a')
    client.clock.flush()
    assert.deepEqual(client.take(), [])
    client.subscription.deliver('b')
    client.clock.flush()
    assert.equal(client.take().length, 2)
    client.subscription.inFlight = 0
    client.subscription.deliver('c')
    client.clock.flush()
    assert.deepEqual(client.take(), [])
    await client.send('RDY 0\n')
    assert.equal(client.take().length, 1)
  })

  it('are not held when something else goes out', async () => {
    const client = await connectHolding({ output_buffer_timeout: 1_000 })
    client.subscription.deliver('a')
    await client.send(withBody('PUB t', 'x'))
    assert.equal(client.take().length, 2)
    assert.equal(client.clock.timerCount, 1)
  })

  it('wait for something else to go out when the client wants no timeout', async () => {
    const client = await connectHolding({ output_buffer_timeout: -1 })
    const [id] = client.subscription.deliver('a')
    await client.clock.advanceAsync(29_999)
    assert.deepEqual(client.take(), [])
    await client.clock.advanceAsync(1)
    assert.deepEqual(client.take(), [`message ${id} a`, '_heartbeat_'])
  })

  it('gather while what went out before is still being compressed', async () => {
    const client = await connectConsumer()
    client.output.isEncoding = true
    const ids = ['a', 'b'].flatMap((body) => client.subscription.deliver(body))
    client.clock.flush()
    assert.deepEqual(client.output.chunks, [])
    client.output.isEncoding = false
    client.session.drained()
    client.clock.flush()
    assert.equal(client.output.chunks.length, 1)
    assert.deepEqual(client.take(), [`message ${ids[0]} a`, `message ${ids[1]} b`])
  })

  it('in a large run go out as they are, after what was staged, and before what comes later', async () => {
    const client = await connectConsumer()
    const [small] = client.subscription.deliver('small')
    const [large] = client.subscription.deliver('x'.repeat(100_000))
    const [last] = client.subscription.deliver('last')
    client.clock.flush()
    assert.deepEqual(client.take(), [
      `message ${small} small`,
      `message ${large} ${'x'.repeat(100_000)}`,
      `message ${last} last`,
    ])
  })

  it('of any size come whole and in order', async () => {
    const client = await connectConsumer()
    const bodies = Array.from({ length: 60 }, (_, index) => 'y'.repeat((index * 997) % 17_000))
    const ids = bodies.map((body) => client.subscription.deliver(body)[0])
    client.clock.flush()
    assert.deepEqual(
      client.take(),
      bodies.map((body, index) => `message ${ids[index]} ${body}`),
    )
  })
})

describe('a client that does not read', () => {
  it('is given 256 KiB, then nothing until it has taken some', async () => {
    const client = await connectConsumer()
    client.output.takes = false
    const { sink } = client.subscription.options
    assert.equal(sink.writableBytes, OUTPUT_SIZE_BYTES_MAX)
    client.subscription.deliver('x'.repeat(100_000))
    assert.equal(sink.writableBytes, OUTPUT_SIZE_BYTES_MAX - 100_034)
    client.subscription.deliver('x'.repeat(10_000))
    assert.equal(sink.writableBytes, OUTPUT_SIZE_BYTES_MAX - 110_068)
    client.subscription.deliver('x'.repeat(200_000))
    client.clock.flush()
    assert.equal(sink.writableBytes, 0)
    assert.equal(client.subscription.resumeCount, 0)
    client.output.takeAll()
    client.session.drained()
    client.clock.flush()
    assert.equal(client.subscription.resumeCount, 1)
    assert.equal(sink.writableBytes, OUTPUT_SIZE_BYTES_MAX)
  })

  it('is not held up by a turn that was large, if it takes all of it', async () => {
    const client = await connectConsumer()
    const { sink } = client.subscription.options
    client.output.takes = false
    for (let sent = 0; sent < 9; sent++) client.subscription.deliver('x'.repeat(30_000))
    assert.equal(sink.writableBytes, 0)
    client.output.takeAll()
    client.session.drained()
    client.clock.flush()
    assert.equal(client.subscription.resumeCount, 1)
  })

  it('costs no more than the bytes that it is owed', async () => {
    const client = await connectConsumer()
    client.output.takes = false
    for (let turn = 0; turn < 500; turn++) {
      client.subscription.deliver('tiny')
      client.clock.flush()
    }
    // The first write may keep its whole block. The others are copies of their bytes, in Node's pool, whose slabs they
    // share with this test's own. A block each would be 16 MB.
    assert.equal(client.output.pendingBytes, 500 * 38)
    assert.ok(client.output.keptBytes < 256 * 1024, `${client.output.keptBytes} bytes`)
    client.output.takeAll()
    assert.equal(client.take().length, 500)
  })

  it('does not disturb the next one, who gets other buffers', async () => {
    const broker = new FakeBroker()
    const slow = await connectConsumer(broker)
    slow.output.takes = false
    slow.subscription.deliver('kept')
    broker.clock.flush()
    const fast = await connectConsumer(broker)
    fast.subscription.deliver('sent')
    broker.clock.flush()
    slow.output.takeAll() // fails when what was kept has changed
    assert.equal(fast.take().length, 1)
  })

  it('does not keep whole blocks for an output that keeps all that it is given, as one that encrypts does', async () => {
    const client = await connect()
    const kept: number[] = []
    for (let count = 0; count < 5; count++) {
      client.output.takes = false
      await client.send(withBody('PUB t', 'x'))
      kept.push(client.output.keptBytes)
      client.output.takeAll()
      client.session.drained()
    }
    assert.ok(kept[0] > 0)
    assert.ok(
      kept.slice(1).every((sizeBytes) => sizeBytes <= Buffer.poolSize),
      `${kept} bytes`,
    )
  })
})
