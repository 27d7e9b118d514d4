import assert from 'node:assert/strict'
import type { Authenticator, AuthRequest } from '../../src/contracts/authenticator.js'
import { BrokerError } from '../../src/errors.js'
import { GuardedAuthenticator, SECRET_BYTES_MAX } from '../../src/node/guarded-authenticator.js'
import { TestLogger } from '../../src/testing/index.js'

const requestOf = (secret: Uint8Array): AuthRequest => ({ secret, remoteIp: '', tls: false, commonName: '' })

describe('an authenticator that somebody else wrote', () => {
  let logger: TestLogger

  beforeEach(() => {
    logger = new TestLogger()
  })

  const guard = (authenticate: Authenticator['authenticate']): GuardedAuthenticator =>
    new GuardedAuthenticator({ authenticate, close: async () => {} }, logger)

  for (const [name, authenticate] of [
    ['rejects with an error', async () => Promise.reject(new RangeError('out of ideas'))],
    [
      'throws one',
      () => {
        throw new RangeError('out of ideas')
      },
    ],
    ['rejects with something else', () => Promise.reject('out of ideas')],
  ] as const) {
    it(`refuses the client and is logged when it ${name}`, async () => {
      const request = requestOf(Buffer.from('open sesame'))
      await assert.rejects(guard(authenticate).authenticate(request), { name: 'BrokerError', code: 'E_AUTH_FAILED' })
      assert.deepEqual(logger.messages('error'), ['the authenticator failed'])
      assert.match(JSON.stringify(logger.lines), /out of ideas/)
      assert.ok(!JSON.stringify(logger.lines).includes('sesame'))
    })
  }

  it('logs its own refusals itself', async () => {
    const refusal = new BrokerError('E_AUTH_FAILED', 'nobody answers')
    await assert.rejects(guard(() => Promise.reject(refusal)).authenticate(requestOf(Buffer.alloc(1))), refusal)
    assert.deepEqual(logger.lines, [])
  })

  it('is not asked about a secret that is too long', async () => {
    let asked = 0
    const authenticator = guard(async () => {
      asked++
      return null
    })
    assert.equal(await authenticator.authenticate(requestOf(Buffer.alloc(SECRET_BYTES_MAX))), null)
    const tooLong = requestOf(Buffer.alloc(SECRET_BYTES_MAX + 1))
    await assert.rejects(authenticator.authenticate(tooLong), { code: 'E_AUTH_FAILED' })
    assert.equal(asked, 1)
    assert.deepEqual(logger.messages('warn'), ['a secret is too long: nobody is asked about it'])
  })
})
