import assert from 'node:assert/strict'
import { connect, connectConsumer, FakeBroker, messages, TestClient, withBody } from './support.js'

const ID = '0123456789abcdef'

describe('a session', () => {
  it('takes SUB, RDY and PUB in one write, and answers in that order', async () => {
    const client = new TestClient()
    await client.send('  V2SUB t c\nRDY 5\n', withBody('PUB t', 'hello'), 'NOP\n')
    assert.deepEqual(client.take(), ['OK', 'OK'])
    assert.equal(client.subscription.ready, 5)
    assert.deepEqual(
      client.broker.publishes.map(({ topic, bodies }) => ({ topic, bodies })),
      [{ topic: 't', bodies: ['hello'] }],
    )
  })

  it('takes a carriage return before the line end, surplus parameters, and RDY without a count', async () => {
    const client = await connectConsumer()
    await client.send('NOP\r\nRDY\r\n')
    assert.equal(client.subscription.ready, 1)
    await client.send('RDY 7 8 9\n')
    assert.equal(client.subscription.ready, 7)
    await client.send('RDY \n')
    assert.equal(client.subscription.ready, 0)
    await client.send(withBody('PUB t surplus', 'x'))
    assert.deepEqual(client.take(), ['OK'])
  })

  it('publishes before, during and after a subscription', async () => {
    const client = await connect()
    await client.send(withBody('PUB t', 'a'), 'SUB t c\n', withBody('MPUB t', messages('b', 'c')), 'CLS\n')
    await client.send(withBody('DPUB t 60', 'd'))
    assert.deepEqual(client.take(), ['OK', 'OK', 'OK', 'CLOSE_WAIT', 'OK'])
    assert.deepEqual(
      client.broker.publishes.map(({ bodies, delayMs }) => [...bodies, delayMs]),
      [
        ['a', null],
        ['b', 'c', null],
        ['d', 60],
      ],
    )
  })

  it('takes an empty DPUB delay for 0, and the longest one', async () => {
    const client = await connect()
    await client.send(withBody('DPUB t ', 'a'), withBody('DPUB t 3600000', 'b'))
    assert.deepEqual(
      client.broker.publishes.map(({ delayMs }) => delayMs),
      [0, 3_600_000],
    )
  })

  it('finishes, requeues and touches what it was sent, also after CLS, and says nothing', async () => {
    const client = await connectConsumer()
    const [first, second, third] = client.subscription.deliver('a', 'b', 'c')
    await client.send(`TOUCH ${first}\nFIN ${first}\nREQ ${second} 100\nCLS\nREQ ${third} 9999999999\n`)
    await client.send(`TOUCH ${second}\nFIN ${second}\n`)
    assert.deepEqual(client.subscription.finished, [first, second])
    assert.deepEqual(client.subscription.touched, [first, second])
    assert.deepEqual(client.subscription.requeued, [
      { id: second, delayMs: 100 },
      { id: third, delayMs: 3_600_000 },
    ])
    assert.deepEqual(client.take().slice(3), ['CLOSE_WAIT'])
  })

  it('stops the flow at CLS and ignores RDY from then on, whatever it says', async () => {
    const client = await connectConsumer()
    await client.send('CLS\nRDY 10\nRDY nonsense\n')
    assert.equal(client.subscription.ready, 0)
    assert.deepEqual(client.take(), ['CLOSE_WAIT'])
    await client.send('CLS\n')
    assert.deepEqual(client.take(), ['E_INVALID cannot CLS in current state'])
  })

  it('does not touch the subscription after a fatal error', async () => {
    const client = await connectConsumer()
    const [id] = client.subscription.deliver('a')
    await client.send(`WRONG\nFIN ${id}\n`)
    await client.send(`FIN ${id}\n`)
    assert.deepEqual(client.subscription.finished, [])
  })

  it('does not take a line for a FIN because one would fit', async () => {
    const client = await connectConsumer()
    client.subscription.results.set(ID, 0)
    await client.send(`FIN ${ID} surplus\nFIN ${ID}\r\nFIN ${ID}\n`)
    assert.deepEqual(client.subscription.finished, [ID, ID, ID])
    await client.send('FIN abc\nNOP\nNOP\nNOP\n\n')
    assert.deepEqual(client.take(), ['E_INVALID invalid message ID'])
  })

  it('creates the topic of an MPUB before it has seen the body', async () => {
    const client = await connect()
    await client.send('MPUB early\n')
    assert.deepEqual(client.broker.openedTopics, ['early'])
  })

  it('hangs up without a word on a line that is too long, and takes the longest one', async () => {
    const longest = await connect()
    await longest.send(`NOP ${'x'.repeat(16_384 - 5)}\n`, withBody('PUB t', 'x'))
    assert.deepEqual(longest.take(), ['OK'])
    const tooLong = await connect()
    await tooLong.send(withBody('PUB t', 'x'), `NOP ${'x'.repeat(16_384 - 4)}\n`)
    assert.deepEqual(tooLong.take(), ['OK'])
    assert.ok(tooLong.output.hasEnded)
    const endless = await connect()
    await endless.send('x'.repeat(16_384))
    assert.deepEqual(endless.take(), [])
    assert.ok(endless.output.hasEnded)
  })

  it('ends without a word when the peer goes away between commands, in a line, or in the magic', async () => {
    for (const sent of ['  V2', '  V2NOP\n', '  V2PUB t', '  ', '']) {
      const client = new TestClient()
      await client.send(sent)
      await client.end()
      assert.deepEqual(client.take(), [])
      assert.ok(client.output.hasEnded, JSON.stringify(sent))
    }
  })

  it('still answers what a peer asked before it went away', async () => {
    const broker = new FakeBroker()
    broker.succeedsAtOnce = false
    const client = await connect(broker)
    await client.send(withBody('PUB t', 'x'))
    await client.end()
    assert.ok(!client.output.hasEnded)
    broker.publishes[0].succeed()
    await client.clock.settle()
    assert.deepEqual(client.take(), ['OK'])
    assert.ok(client.output.hasEnded)
  })

  it('runs nothing before SUB is answered, but keeps what comes', async () => {
    const broker = new FakeBroker()
    let subscribe = () => {}
    broker.subscribing = new Promise((resolve) => {
      subscribe = resolve
    })
    const client = await connect(broker)
    await client.send('SUB t c\nRDY 1\n')
    await client.send('RDY 2\nRDY')
    await client.send(' 3\n')
    assert.ok(client.output.isPaused)
    assert.deepEqual(client.take(), [])
    subscribe()
    await client.clock.settle()
    assert.deepEqual(client.take(), ['OK'])
    assert.equal(client.subscription.ready, 3)
    assert.ok(!client.output.isPaused)
  })

  it('closes a subscription that comes when the connection is gone', async () => {
    const broker = new FakeBroker()
    let subscribe = () => {}
    broker.subscribing = new Promise((resolve) => {
      subscribe = resolve
    })
    const client = await connect(broker)
    await client.send('SUB t c\n')
    client.session.closed()
    subscribe()
    await client.clock.settle()
    assert.ok(client.subscription.isClosed)
    assert.deepEqual(client.take(), [])
  })

  it('ends without a frame when the engine disconnects it', async () => {
    const client = await connectConsumer()
    client.subscription.options.sink.disconnect()
    await client.clock.settle()
    assert.deepEqual(client.take(), [])
    assert.ok(client.output.hasEnded)
    assert.ok(client.subscription.isClosed)
  })

  it('is known to the broker from the magic to the end, and leaves nothing behind', async () => {
    const client = new TestClient()
    assert.equal(client.broker.clients.size, 0)
    await client.send('  V2SUB t c\n', 'PUB t\n', Buffer.from([0, 0, 0, 9, 1, 2]))
    assert.equal(client.broker.clients.size, 1)
    assert.equal(client.clock.timerCount, 1)
    assert.equal(client.broker.chargedBytes, 13)
    client.session.closed()
    await client.clock.settle()
    assert.equal(client.broker.clients.size, 0)
    assert.equal(client.clock.timerCount, 0)
    assert.equal(client.broker.chargedBytes, 0)
    assert.ok(client.subscription.isClosed)
  })

  it('is gone from the statistics with its end, whenever the peer sees that', async () => {
    const client = await connect()
    await client.send(withBody('PUB t', 'x'))
    assert.equal(client.broker.clients.size, 1)
    await client.send('WHAT\n')
    assert.equal(client.broker.clients.size, 0)
    client.session.closed()
    assert.equal(client.broker.clients.size, 0)
  })

  it('shows in the statistics who it is and what it did', async () => {
    const client = await connect()
    const before = client.session.stats()
    assert.equal(before.clientId, '10.0.0.1')
    assert.equal(before.hostname, '10.0.0.1')
    assert.equal(before.state, 0)
    await client.send(
      withBody('IDENTIFY', '{"client_id":"me","user_agent":"ua/1"}'),
      withBody('PUB t', 'x'),
      withBody('MPUB t', messages('y', 'z')),
      withBody('DPUB u 1', 'x'),
      'SUB t c\nRDY 4\n',
    )
    client.subscription.deliver('a')
    const stats = client.session.stats()
    assert.deepEqual([stats.clientId, stats.hostname, stats.userAgent, stats.state], ['me', '', 'ua/1', 3])
    assert.deepEqual([stats.readyCount, stats.inFlightCount], [4, 1])
    assert.deepEqual(
      [...stats.publishCounts],
      [
        ['t', 3],
        ['u', 1],
      ],
    )
    assert.equal(stats.remoteAddress, '10.0.0.1:999')
    await client.send('CLS\n')
    assert.equal(client.session.stats().state, 4)
  })
})
