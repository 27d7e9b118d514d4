import assert from 'node:assert/strict'
import { Backoff, type BackoffOptions } from '../src/backoff.js'
import { FakeClock } from './support/fake-clock.js'

function started(options: Partial<BackoffOptions> = {}) {
  const clock = new FakeClock()
  const happened: string[] = []
  const backoff = new Backoff({
    delayMs: 1_000,
    delayMsMax: 120_000,
    jitter: false,
    clock,
    random: () => 0.5,
    changed: (level, delayMs) => happened.push(level === 0 ? 'full' : `level ${level} for ${delayMs}`),
    probe: () => happened.push('probe'),
    ...options,
  })
  return { backoff, clock, happened }
}

describe('backoff', () => {
  it('doubles its delay with each test message that fails, and goes back step by step', () => {
    const { backoff, clock, happened } = started()
    backoff.failed()
    clock.advance(2_000)
    backoff.failed()
    clock.advance(4_000)
    backoff.succeeded()
    clock.advance(2_000)
    backoff.succeeded()
    assert.deepEqual(happened, [
      'level 1 for 2000',
      'probe',
      'level 2 for 4000',
      'probe',
      'level 1 for 2000',
      'probe',
      'full',
    ])
  })

  it('is not moved by what comes back during a delay: that was in flight before', () => {
    const { backoff, happened } = started()
    for (let i = 0; i < 100; i++) backoff.failed()
    for (let i = 0; i < 100; i++) backoff.succeeded()
    assert.deepEqual(happened, ['level 1 for 2000'])
  })

  it('waits as long again after a message that was requeued without failing', () => {
    const { backoff, clock, happened } = started()
    backoff.kept()
    backoff.failed()
    clock.advance(2_000)
    backoff.kept()
    assert.deepEqual(happened, ['level 1 for 2000', 'probe', 'level 1 for 2000'])
  })

  it('never waits longer than it may', () => {
    const { backoff, clock, happened } = started({ delayMsMax: 5_000 })
    for (let i = 0; i < 5; i++) {
      backoff.failed()
      clock.advance(5_000)
    }
    assert.deepEqual(happened.slice(-4), ['level 2 for 4000', 'probe', 'level 2 for 4000', 'probe'])
  })

  it('waits a random part of it with jitter', () => {
    const { backoff, happened } = started({ jitter: true })
    backoff.failed()
    assert.deepEqual(happened, ['level 1 for 1000'])
  })

  it('does nothing when it is turned off', () => {
    const { backoff, happened } = started({ delayMsMax: 0 })
    backoff.failed()
    assert.deepEqual(happened, [])
  })
})
