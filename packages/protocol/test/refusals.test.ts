import assert from 'node:assert/strict'
import { BrokerError } from '@spillway/core'
import { connect, FakeBroker, TestClient, withBody } from './support.js'

/** What the log says of refused clients: address, code, reason. */
function refusals(broker: FakeBroker): string[] {
  return broker.logger.lines
    .filter(({ level, message }) => level === 'warn' && message === 'client refused')
    .map(({ fields }) => `${fields.peer} ${fields.code} ${fields.reason}`)
}

describe('a client that is refused', () => {
  let broker: FakeBroker

  beforeEach(() => {
    broker = new FakeBroker()
  })

  it('leaves a line in the log: garbage instead of the protocol', async () => {
    await new TestClient(broker).send('GET / HTTP/1.1\r\n\r\n')
    assert.deepEqual(refusals(broker), ['10.0.0.1:999 E_BAD_PROTOCOL '])
  })

  it('leaves a line in the log: a topic name that is not valid', async () => {
    const client = await connect(broker)
    await client.send('PUB bad/topic\n')
    assert.deepEqual(refusals(broker), ['10.0.0.1:999 E_BAD_TOPIC PUB topic name "bad/topic" is not valid'])
  })

  it('leaves one line, however much it has pipelined', async () => {
    const client = await connect(broker)
    await client.send('NONSENSE\n'.repeat(100))
    assert.equal(refusals(broker).length, 1)
  })

  it('leaves a line in the log: a secret that nobody has', async () => {
    broker.authenticator = { authenticate: async () => null, close: async () => {} }
    const client = await connect(broker)
    await client.send(withBody('AUTH', 'wrong'))
    assert.deepEqual(refusals(broker), ['10.0.0.1:999 E_UNAUTHORIZED AUTH no authorizations found'])
  })

  it('leaves a line in the log: a publish that cannot be stored', async () => {
    broker.succeedsAtOnce = false
    const client = await connect(broker)
    await client.send(withBody('PUB t', 'x'), withBody('PUB t', 'y'))
    const full = new BrokerError('E_MEMORY_FULL', 'memory budget of 100 bytes is used up')
    for (const publish of broker.publishes) publish.fail(full)
    assert.deepEqual(refusals(broker), ['10.0.0.1:999 E_PUB_FAILED PUB failed memory budget of 100 bytes is used up'])
  })

  it('leaves no line when nothing was wrong, or only a FIN came too late', async () => {
    const client = await connect(broker)
    await client.send('SUB t c\nFIN 0123456789abcdef\n')
    await client.end()
    await new TestClient(broker).end()
    assert.equal(broker.logger.lines.length, 0)
  })
})
