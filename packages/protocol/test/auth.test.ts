import assert from 'node:assert/strict'
import { type Authenticator, type AuthRequest, BrokerError, type Identity } from '@spillway/core'
import { bytesOf, connect, FakeBroker, int32, messages, type TestClient, withBody } from './support.js'

/** Knows one secret, `open sesame`, whose bearer may publish to `mine` and consume from it on channel `c`. */
class FakeAuthenticator implements Authenticator {
  readonly requests: AuthRequest[] = []
  expiresAtMs = Number.POSITIVE_INFINITY
  error: BrokerError | null = null
  isForgotten = false

  async authenticate(request: AuthRequest): Promise<Identity | null> {
    this.requests.push(request)
    if (this.error !== null) throw this.error
    if (this.isForgotten || Buffer.from(request.secret).toString() !== 'open sesame') return null
    return {
      identity: 'ali',
      identityUrl: 'http://cave/ali',
      permissionCount: 2,
      expiresAtMs: this.expiresAtMs,
      mayPublish: (topic) => topic === 'mine',
      mayConsume: (topic, channel) => topic === 'mine' && channel === 'c',
      mayAdminister: false,
    }
  }

  async close(): Promise<void> {}
}

async function connectTo(authenticator: Authenticator): Promise<TestClient> {
  const broker = new FakeBroker()
  broker.authenticator = authenticator
  return connect(broker)
}

async function connectAuthed(authenticator = new FakeAuthenticator()): Promise<TestClient> {
  const client = await connectTo(authenticator)
  await client.send(withBody('AUTH', 'open sesame'))
  client.take()
  return client
}

describe('AUTH', () => {
  it('says who that is', async () => {
    const authenticator = new FakeAuthenticator()
    const client = await connectTo(authenticator)
    await client.send(withBody('AUTH', 'open sesame'))
    assert.deepEqual(client.take(), ['{"identity":"ali","identity_url":"http://cave/ali","permission_count":2}'])
    assert.equal(authenticator.requests[0].remoteIp, '10.0.0.1')
    const stats = client.session.stats()
    assert.deepEqual([stats.authed, stats.authIdentity, stats.authIdentityUrl], [true, 'ali', 'http://cave/ali'])
  })

  it('makes later commands wait for the answer', async () => {
    const client = await connectTo(new FakeAuthenticator())
    await client.send(withBody('AUTH', 'open sesame'), withBody('PUB mine', 'x'), 'SUB mine c\nRDY 5\n')
    assert.deepEqual(client.take().slice(1), ['OK', 'OK'])
    assert.equal(client.subscription.ready, 5)
  })

  it('refuses a secret without permissions', async () => {
    const client = await connectTo(new FakeAuthenticator())
    await client.send(withBody('AUTH', 'open barley'), 'NOP\n')
    assert.deepEqual(client.take(), ['E_UNAUTHORIZED AUTH no authorizations found'])
    assert.ok(client.output.hasEnded)
  })

  it('keeps to itself why there was no answer', async () => {
    const authenticator = new FakeAuthenticator()
    authenticator.error = new BrokerError('E_AUTH_FAILED', 'connection refused by 10.9.8.7')
    const client = await connectTo(authenticator)
    await client.send(withBody('AUTH', 'open sesame'))
    assert.deepEqual(client.take(), ['E_AUTH_FAILED AUTH failed'])
  })

  it('is had once', async () => {
    const client = await connectAuthed()
    await client.send(withBody('AUTH', 'open sesame'))
    assert.deepEqual(client.take(), ['E_INVALID AUTH already set'])
  })

  for (const [name, sent] of [
    ['SUB', 'SUB mine c\n'],
    ['PUB', withBody('PUB mine', 'x')],
    ['MPUB', 'MPUB mine\n'],
    ['DPUB', withBody('DPUB mine 1', 'x')],
  ] as const) {
    it(`comes before ${name}`, async () => {
      const client = await connectTo(new FakeAuthenticator())
      await client.send(sent)
      assert.deepEqual(client.take(), [`E_AUTH_FIRST AUTH required before ${name}`])
      assert.deepEqual(client.broker.openedTopics, [])
    })
  }

  for (const [name, sent, where] of [
    ['SUB', 'SUB mine other\n', '"mine" "other"'],
    ['PUB', withBody('PUB other', 'x'), '"other" ""'],
    ['MPUB', 'MPUB other\n', '"other" ""'],
    ['DPUB', withBody('DPUB other 1', 'x'), '"other" ""'],
  ] as const) {
    it(`does not allow ${name} elsewhere`, async () => {
      const client = await connectAuthed()
      await client.send(sent)
      assert.deepEqual(client.take(), [`E_UNAUTHORIZED AUTH failed for ${name} on ${where}`])
      assert.deepEqual(client.broker.openedTopics, [])
    })
  }

  it('is looked at after the body of a PUB, and before that of an MPUB', async () => {
    const pub = await connectAuthed()
    await pub.send(bytesOf('PUB other\n', int32(0)))
    assert.deepEqual(pub.take(), ['E_BAD_MESSAGE PUB invalid message body size 0'])
    const mpub = await connectAuthed()
    await mpub.send(bytesOf('MPUB other\n', int32(0)))
    assert.deepEqual(mpub.take(), ['E_UNAUTHORIZED AUTH failed for MPUB on "other" ""'])
  })

  it('is asked for again with the same secret when it has expired, by the next command that needs it', async () => {
    const authenticator = new FakeAuthenticator()
    const client = await connectTo(authenticator)
    authenticator.expiresAtMs = client.clock.wallMs() + 1_000
    await client.send(withBody('AUTH', 'open sesame'), withBody('PUB mine', 'x'))
    assert.equal(authenticator.requests.length, 1)
    await client.clock.advanceAsync(1_000)
    await client.send('NOP\n')
    assert.equal(authenticator.requests.length, 1)
    authenticator.expiresAtMs = client.clock.wallMs() + 1_000
    await client.send(withBody('PUB mine', 'x'), withBody('MPUB mine', messages('y')))
    assert.equal(authenticator.requests.length, 2)
    assert.equal(Buffer.from(authenticator.requests[1].secret).toString(), 'open sesame')
    assert.deepEqual(client.take().slice(1), ['OK', 'OK', 'OK'])
  })

  it('ends the connection when the second answer does not come', async () => {
    const authenticator = new FakeAuthenticator()
    const client = await connectTo(authenticator)
    authenticator.expiresAtMs = client.clock.wallMs() + 1_000
    await client.send(withBody('AUTH', 'open sesame'))
    await client.clock.advanceAsync(1_000)
    authenticator.error = new BrokerError('E_AUTH_FAILED', 'gone')
    await client.send(withBody('PUB mine', 'x'))
    assert.deepEqual(client.take().slice(1), ['E_AUTH_FAILED AUTH failed'])
    assert.equal(client.broker.publishes.length, 0)
  })

  for (const [name, sent, where] of [
    ['SUB', 'SUB mine c\n', '"mine" "c"'],
    ['PUB', withBody('PUB mine', 'x'), '"mine" ""'],
    ['MPUB', withBody('MPUB mine', messages('x')), '"mine" ""'],
    ['DPUB', withBody('DPUB mine 1', 'x'), '"mine" ""'],
  ] as const) {
    it(`does not allow ${name} any more when nothing is allowed by the second answer`, async () => {
      const authenticator = new FakeAuthenticator()
      const client = await connectTo(authenticator)
      authenticator.expiresAtMs = client.clock.wallMs() + 1_000
      await client.send(withBody('AUTH', 'open sesame'))
      await client.clock.advanceAsync(1_000)
      authenticator.isForgotten = true
      await client.send(sent)
      assert.deepEqual(client.take().slice(1), [`E_UNAUTHORIZED AUTH failed for ${name} on ${where}`])
      assert.ok(client.output.hasEnded)
    })
  }

  it('is asked for once for a command that had to wait for room after the answer', async () => {
    const authenticator = new FakeAuthenticator()
    authenticator.expiresAtMs = 0
    const client = await connectTo(authenticator)
    await client.send(withBody('AUTH', 'open sesame'))
    client.broker.pressure = 'paused'
    await client.send(withBody('PUB mine', 'x'))
    assert.equal(authenticator.requests.length, 2)
    client.broker.relieve()
    await client.send('NOP\n')
    assert.equal(authenticator.requests.length, 2)
    assert.equal(client.broker.publishes.length, 1)
  })

  it('serves one command even when the answer has expired before it came', async () => {
    const authenticator = new FakeAuthenticator()
    authenticator.expiresAtMs = 0
    const client = await connectTo(authenticator)
    await client.send(withBody('AUTH', 'open sesame'), withBody('PUB mine', 'x'), withBody('PUB mine', 'x'))
    assert.equal(client.broker.publishes.length, 2)
    assert.equal(authenticator.requests.length, 3)
  })
})
