import assert from 'node:assert/strict'
import { connect, connectConsumer, FakeBroker, int32, messages, withBody } from './support.js'

describe('backpressure', () => {
  for (const [name, sent] of [
    ['PUB', withBody('PUB t', 'x')],
    ['MPUB', withBody('MPUB t', messages('x'))],
    ['DPUB', withBody('DPUB t 1', 'x')],
  ] as const) {
    it(`stops reading before a ${name} while storage is behind, and goes on with it`, async () => {
      const broker = new FakeBroker()
      const client = await connect(broker)
      broker.pressure = 'paused'
      await client.send('NOP\n', sent, 'NOP\n')
      assert.ok(client.output.isPaused)
      assert.equal(broker.publishes.length, 0)
      assert.deepEqual(broker.openedTopics, [])
      broker.relieve()
      await client.clock.settle()
      assert.ok(!client.output.isPaused)
      assert.equal(broker.publishes.length, 1)
      assert.deepEqual(client.take(), ['OK'])
    })
  }

  it('goes on with a command whose line came in pieces', async () => {
    const broker = new FakeBroker()
    const client = await connect(broker)
    broker.pressure = 'paused'
    await client.send('PUB')
    await client.send(' t\r')
    await client.send('\n', int32(1), 'x', withBody('PUB u', 'y'))
    await client.send(withBody('PUB v', 'z'))
    broker.relieve()
    await client.clock.settle()
    assert.deepEqual(
      broker.publishes.map(({ topic, bodies }) => `${topic} ${bodies}`),
      ['t x', 'u y', 'v z'],
    )
  })

  it('never stops a connection that has messages in flight: its FINs come behind its PUBs', async () => {
    const broker = new FakeBroker()
    const client = await connectConsumer(broker)
    const [id] = client.subscription.deliver('a')
    broker.pressure = 'paused'
    await client.send(withBody('PUB t', 'x'), `FIN ${id}\n`)
    assert.equal(broker.publishes.length, 1)
    assert.deepEqual(client.subscription.finished, [id])
    client.subscription.inFlight = 0
    await client.send(withBody('PUB t', 'y'))
    assert.equal(broker.publishes.length, 1)
    assert.ok(client.output.isPaused)
  })

  it('does not stop who only consumes', async () => {
    const broker = new FakeBroker()
    broker.pressure = 'paused'
    const client = await connectConsumer(broker)
    await client.send('RDY 9\nNOP\n')
    assert.equal(client.subscription.ready, 9)
    assert.ok(!client.output.isPaused)
  })

  it('stops again when relief was short', async () => {
    const broker = new FakeBroker()
    const client = await connect(broker)
    broker.pressure = 'paused'
    await client.send(withBody('PUB t', 'x'))
    broker.relieve()
    broker.pressure = 'paused'
    await client.clock.settle()
    assert.equal(broker.publishes.length, 0)
    broker.relieve()
    await client.clock.settle()
    assert.equal(broker.publishes.length, 1)
  })

  it('forgets a publisher that left while it waited', async () => {
    const broker = new FakeBroker()
    const client = await connect(broker)
    broker.pressure = 'paused'
    await client.send(withBody('PUB t', 'x'))
    client.session.closed()
    broker.relieve()
    await client.clock.settle()
    assert.equal(broker.publishes.length, 0)
  })

  it('answers a peer that went away while it waited', async () => {
    const broker = new FakeBroker()
    const client = await connect(broker)
    broker.pressure = 'paused'
    await client.send(withBody('PUB t', 'x'))
    await client.end()
    assert.ok(!client.output.hasEnded)
    broker.relieve()
    await client.clock.settle()
    assert.deepEqual(client.take(), ['OK'])
    assert.ok(client.output.hasEnded)
  })

  it('charges what it holds of a body, which is never much more than what came', async () => {
    const broker = new FakeBroker()
    const client = await connect(broker)
    await client.send('MPUB t\n', int32(5_000_000), int32(5), int32(1_000_000))
    assert.ok(broker.chargedBytes <= 64 * 1024, `${broker.chargedBytes} bytes`)
    for (let sent = 0; sent < 900; sent++) client.session.receive(Buffer.alloc(1_000))
    assert.ok(broker.chargedBytes >= 900_000 && broker.chargedBytes <= 2_000_000, `${broker.chargedBytes} bytes`)
    client.session.closed()
    assert.equal(broker.chargedBytes, 0)
  })

  it('refuses a body that outgrows its first room while memory is full', async () => {
    const broker = new FakeBroker()
    const client = await connect(broker)
    broker.pressure = 'full'
    await client.send('PUB t\n', int32(1_000_000), Buffer.alloc(60_000))
    assert.deepEqual(client.take(), [])
    await client.send(Buffer.alloc(60_000))
    await client.send(Buffer.alloc(60_000))
    assert.deepEqual(client.take(), ['E_PUB_FAILED PUB failed no room for the body'])
    assert.equal(broker.chargedBytes, 0)
  })
})

describe('draining', () => {
  it('runs no further command, gives out no further message, and waits for what is owed', async () => {
    const broker = new FakeBroker()
    broker.succeedsAtOnce = false
    const client = await connectConsumer(broker)
    await client.send(withBody('PUB t', 'x'))
    let isDrained = false
    const draining = client.session.drain().then(() => {
      isDrained = true
    })
    await client.send(withBody('PUB t', 'y'))
    assert.equal(broker.publishes.length, 1)
    assert.equal(client.subscription.ready, 0)
    assert.ok(!isDrained)
    client.output.takes = false
    broker.publishes[0].succeed()
    await client.clock.settle()
    assert.ok(!isDrained)
    client.output.takeAll()
    client.session.drained()
    await client.clock.settle()
    await draining
    assert.deepEqual(client.take(), ['OK'])
  })

  it('does not wait for a connection that is gone, or that owes nothing', async () => {
    const idle = await connect()
    await idle.session.drain()
    const broker = new FakeBroker()
    broker.succeedsAtOnce = false
    const gone = await connect(broker)
    await gone.send(withBody('PUB t', 'x'))
    const draining = gone.session.drain()
    await gone.clock.settle()
    gone.session.closed()
    await draining
    assert.deepEqual(gone.take(), [])
  })
})
