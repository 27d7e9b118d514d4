import assert from 'node:assert/strict'
import { BrokerError } from '@spillway/core'
import { bytesOf, connect, connectConsumer, FakeBroker, withBody } from './support.js'

function lateBroker(): FakeBroker {
  const broker = new FakeBroker()
  broker.succeedsAtOnce = false
  return broker
}

describe('replies', () => {
  it('leave in the order of the commands, whatever order storage answers in', async () => {
    const client = await connect(lateBroker())
    await client.send(withBody('PUB t', 'a'), withBody('IDENTIFY', '{}'), withBody('PUB u', 'b'), 'SUB t c\nCLS\n')
    const [first, second] = client.broker.publishes
    assert.deepEqual(client.take(), [])
    second.succeed()
    await client.clock.settle()
    assert.deepEqual(client.take(), [])
    first.succeed()
    await client.clock.settle()
    assert.deepEqual(client.take(), ['OK', 'OK', 'OK', 'OK', 'CLOSE_WAIT'])
  })

  it('are passed by messages and heartbeats', async () => {
    const client = await connectConsumer(lateBroker())
    await client.send(withBody('PUB t', 'a'))
    const [id] = client.subscription.deliver('m')
    await client.clock.advanceAsync(30_000)
    assert.deepEqual(client.take(), [`message ${id} m`, '_heartbeat_'])
    client.broker.publishes[0].succeed()
    await client.clock.settle()
    assert.deepEqual(client.take(), ['OK'])
  })

  it('to earlier commands leave before a fatal error, and the connection ends only then', async () => {
    const client = await connect(lateBroker())
    await client.send(withBody('PUB t', 'a'), withBody('PUB t', 'b'), 'WRONG\n', withBody('PUB t', 'c'))
    assert.equal(client.broker.publishes.length, 2)
    client.broker.publishes[0].succeed()
    await client.clock.settle()
    assert.deepEqual(client.take(), ['OK'])
    assert.ok(!client.output.hasEnded)
    client.broker.publishes[1].succeed()
    await client.clock.settle()
    assert.deepEqual(client.take(), ['OK', 'E_INVALID invalid command WRONG'])
    assert.ok(client.output.hasEnded)
  })

  it('end with the first publish that failed', async () => {
    const client = await connect(lateBroker())
    await client.send(...['a', 'b', 'c', 'd'].map((body) => withBody('PUB t', body)))
    const [first, second, third, fourth] = client.broker.publishes
    third.fail(new BrokerError('E_STORAGE_IO', 'later'))
    fourth.succeed()
    second.fail(new BrokerError('E_STORAGE_IO', 'earlier'))
    await client.clock.settle()
    assert.deepEqual(client.take(), [])
    first.succeed()
    await client.clock.settle()
    assert.deepEqual(client.take(), ['OK', 'E_PUB_FAILED PUB failed earlier'])
    assert.ok(client.output.hasEnded)
  })

  it('that come when the connection is gone go nowhere', async () => {
    const client = await connect(lateBroker())
    await client.send(withBody('PUB t', 'a'), withBody('PUB t', 'b'))
    client.session.closed()
    client.broker.publishes[0].succeed()
    client.broker.publishes[1].fail(new BrokerError('E_EXITING', 'exiting'))
    await client.clock.settle()
    assert.deepEqual(client.take(), [])
    assert.ok(!client.output.hasEnded)
  })

  it('are bounded: a peer that pipelines too much is read on when half of it is answered', async () => {
    const client = await connect(lateBroker())
    const pub = withBody('PUB t', 'x')
    await client.send(...Array.from({ length: 10_500 }, () => pub))
    assert.equal(client.broker.publishes.length, 10_000)
    assert.ok(client.output.isPaused)
    for (let index = 0; index < 4_999; index++) client.broker.publishes[index].succeed()
    await client.clock.settle()
    assert.equal(client.broker.publishes.length, 10_000)
    client.broker.publishes[4_999].succeed()
    await client.clock.settle()
    assert.equal(client.broker.publishes.length, 10_500)
    assert.ok(!client.output.isPaused)
    for (let index = 5_000; index < 10_500; index++) client.broker.publishes[index].succeed()
    await client.clock.settle()
    assert.equal(client.take().length, 10_500)
  })

  it('that are not taken stop the peer from asking on', async () => {
    const client = await connectConsumer()
    client.output.takes = false
    const fins = Buffer.from('FIN 0123456789abcdef\n'.repeat(3_000))
    for (let read = 0; read < 10 && !client.output.isPaused; read++) await client.send(fins)
    assert.ok(client.output.isPaused)
    assert.ok(client.output.pendingBytes < 300 * 1024, `${client.output.pendingBytes} bytes`)
    const takenBefore = client.take().length
    client.output.takeAll()
    client.session.drained()
    await client.clock.settle()
    assert.ok(!client.output.isPaused)
    assert.equal((takenBefore + client.take().length) % 3_000, 0)
  })

  it('come in one write when storage answers several at once', async () => {
    const client = await connect()
    client.output.chunks.length = 0
    await client.send(bytesOf(...Array.from({ length: 100 }, () => withBody('PUB t', 'x'))))
    assert.equal(client.output.chunks.length, 1)
    assert.equal(client.take().length, 100)
  })
})
