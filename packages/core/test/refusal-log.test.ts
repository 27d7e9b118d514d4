import assert from 'node:assert/strict'
import { BrokerError, RefusalLog, refusalsOf } from '../src/index.js'
import { FakeClock, TestLogger } from '../src/testing/index.js'

describe('the log of refused clients', () => {
  let clock: FakeClock
  let logger: TestLogger
  let refusals: RefusalLog

  beforeEach(() => {
    clock = new FakeClock()
    logger = new TestLogger()
    refusals = new RefusalLog(clock, logger)
  })

  it('tells address, code and reason as a warning', () => {
    refusals.note('10.0.0.1:999', 'E_UNAUTHORIZED', 'AUTH failed for PUB on "other" ""')
    const fields = { peer: '10.0.0.1:999', code: 'E_UNAUTHORIZED', reason: 'AUTH failed for PUB on "other" ""' }
    assert.deepEqual(logger.lines, [{ level: 'warn', message: 'client refused', fields }])
  })

  it('tells what caused an error, which the client does not learn', () => {
    const cause = new BrokerError('E_AUTH_FAILED', 'auth server 127.0.0.1:4181: no answer')
    refusals.noteError('10.0.0.1:999', new BrokerError('E_AUTH_FAILED', 'AUTH failed', { cause }))
    assert.equal(logger.lines[0].fields.reason, 'AUTH failed: auth server 127.0.0.1:4181: no answer')
  })

  it('counts those beyond ten in ten seconds, says how many there were, and begins anew', () => {
    for (let count = 0; count < 1_000; count++) refusals.note('10.0.0.1:999', 'E_INVALID', 'nonsense')
    assert.equal(logger.lines.length, 10)
    clock.advance(10_000)
    assert.deepEqual(logger.lines.slice(10), [
      { level: 'warn', message: 'more clients refused', fields: { count: 990, seconds: 10 } },
    ])
    refusals.note('10.0.0.2:999', 'E_INVALID', 'nonsense')
    clock.advance(10_000)
    assert.equal(logger.lines.length, 12)
    assert.equal(logger.lines[11].fields.peer, '10.0.0.2:999')
  })

  it('cuts a reason that quotes much of what a client has sent', () => {
    refusals.note('10.0.0.1:999', 'E_INVALID', 'x'.repeat(10_000))
    assert.equal(String(logger.lines[0].fields.reason).length, 201)
  })

  it('is one for all listeners of a node', () => {
    const node = { clock, logger }
    assert.equal(refusalsOf(node), refusalsOf(node))
    assert.notEqual(refusalsOf(node), refusalsOf({ clock, logger }))
  })
})
