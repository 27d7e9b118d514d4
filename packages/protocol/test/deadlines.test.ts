import assert from 'node:assert/strict'
import { connect, connectConsumer, FakeBroker, TestClient, withBody } from './support.js'

describe('heartbeats and deadlines', () => {
  it('sends a heartbeat each interval, counted from the magic', async () => {
    const client = await connect()
    await client.clock.advanceAsync(29_999)
    assert.deepEqual(client.take(), [])
    await client.clock.advanceAsync(1)
    assert.deepEqual(client.take(), ['_heartbeat_'])
    await client.send('NOP\n')
    await client.clock.advanceAsync(30_000)
    assert.deepEqual(client.take(), ['_heartbeat_'])
  })

  it('counts from IDENTIFY when the client says another interval', async () => {
    const client = await connect()
    await client.clock.advanceAsync(500)
    await client.send(withBody('IDENTIFY', '{"heartbeat_interval":1000}'))
    client.take()
    await client.clock.advanceAsync(999)
    assert.deepEqual(client.take(), [])
    await client.clock.advanceAsync(1)
    assert.deepEqual(client.take(), ['_heartbeat_'])
  })

  it('hangs up without a word on a client that is silent for two intervals', async () => {
    const client = await connectConsumer()
    await client.send(withBody('PUB t', 'x'))
    await client.clock.advanceAsync(20_000)
    await client.send('NOP\n')
    await client.clock.advanceAsync(59_999)
    assert.ok(!client.output.hasEnded)
    client.take()
    await client.clock.advanceAsync(1)
    assert.ok(client.output.hasEnded)
    assert.deepEqual(client.take(), [])
    assert.ok(client.subscription.isClosed)
  })

  it('sends the first heartbeat of a silent client but not the second', async () => {
    const client = await connect()
    await client.send(withBody('IDENTIFY', '{"heartbeat_interval":1000}'))
    await client.clock.advanceAsync(2_000)
    assert.deepEqual(client.take(), ['OK', '_heartbeat_'])
    assert.ok(client.output.hasEnded)
  })

  it('keeps a client for ever that answers its heartbeats', async () => {
    const client = await connect()
    for (let beat = 0; beat < 100; beat++) {
      await client.clock.advanceAsync(30_000)
      assert.deepEqual(client.take(), ['_heartbeat_'])
      await client.send('NOP\n')
    }
    assert.ok(!client.output.hasEnded)
    assert.equal(client.clock.timerCount, 1)
  })

  it('has no heartbeats and no deadlines when the client wants none', async () => {
    const client = await connect()
    await client.send(withBody('IDENTIFY', '{"heartbeat_interval":-1}'))
    client.take()
    assert.equal(client.clock.timerCount, 0)
    await client.clock.advanceAsync(3_600_000)
    await client.send(withBody('PUB t', 'x'))
    assert.deepEqual(client.take(), ['OK'])
  })

  it('waits for the magic as long as it takes', async () => {
    const client = new TestClient()
    await client.clock.advanceAsync(3_600_000)
    assert.ok(!client.output.hasEnded)
    assert.equal(client.clock.timerCount, 0)
    await client.send('  V2', withBody('PUB t', 'x'))
    assert.deepEqual(client.take(), ['OK'])
  })

  it('cuts off a peer that takes nothing for an interval', async () => {
    const client = await connectConsumer()
    client.output.takes = false
    client.subscription.deliver('stuck')
    for (let beat = 0; beat < 2 && !client.output.isDestroyed; beat++) {
      await client.send('NOP\n')
      await client.clock.advanceAsync(30_000)
    }
    assert.ok(client.output.isDestroyed)
  })

  it('bears with a peer that takes its time, but takes something', async () => {
    const client = await connectConsumer()
    client.output.takes = false
    for (let beat = 0; beat < 10; beat++) {
      client.subscription.deliver('slow')
      await client.clock.advanceAsync(30_000)
      client.output.takeAll()
      client.output.takes = false
      client.session.drained()
      await client.send('NOP\n')
    }
    assert.ok(!client.output.isDestroyed)
    assert.ok(!client.output.hasEnded)
  })

  it('does not hold it against a publisher that it was not read', async () => {
    const broker = new FakeBroker()
    const client = await connect(broker)
    broker.pressure = 'paused'
    await client.send(withBody('PUB t', 'x'))
    assert.ok(client.output.isPaused)
    await client.clock.advanceAsync(600_000)
    assert.ok(!client.output.hasEnded)
    broker.relieve()
    await client.clock.advanceAsync(59_999)
    assert.ok(!client.output.hasEnded)
    assert.ok(client.take().includes('OK'))
    await client.clock.advanceAsync(1)
    assert.ok(client.output.hasEnded)
  })

  it('sends no heartbeat while the stream is being changed: it would be no part of a handshake', async () => {
    const client = await connect()
    client.output.upgrades = { tls: true, snappy: true, deflate: true }
    let changed = () => {}
    client.output.upgrading = new Promise((resolve) => {
      changed = resolve
    })
    const wishes = { feature_negotiation: true, tls_v1: true, snappy: true, heartbeat_interval: 1_000 }
    await client.send(withBody('IDENTIFY', JSON.stringify(wishes)))
    assert.equal(client.take().length, 1)
    await client.clock.advanceAsync(3_500)
    assert.deepEqual(client.take(), [])
    changed()
    await client.clock.settle()
    assert.deepEqual(client.take(), ['<tls>', 'OK', '<snappy>', 'OK'])
    await client.clock.advanceAsync(500)
    assert.deepEqual(client.take(), ['_heartbeat_'])
  })

  it('sends none either between the answer to IDENTIFY and the change that waits for it to leave', async () => {
    const client = await connect()
    client.output.upgrades = { tls: true, snappy: true, deflate: true }
    client.output.takes = false
    const wishes = { feature_negotiation: true, tls_v1: true, heartbeat_interval: 30_000 }
    await client.send(withBody('IDENTIFY', JSON.stringify(wishes)))
    assert.equal(client.take().length, 1)
    client.session.heartbeatDue()
    client.output.takeAll()
    client.session.drained()
    await client.clock.settle()
    assert.deepEqual(client.take(), ['<tls>', 'OK'])
  })

  it('is one timer for each of many idle clients, and no work in between', async () => {
    const broker = new FakeBroker()
    for (let index = 0; index < 100; index++) await connect(broker)
    assert.equal(broker.clock.timerCount, 100)
    assert.equal(broker.clock.turnCallbackCount, 0)
  })
})
