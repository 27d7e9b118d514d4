import assert from 'node:assert/strict'
import { ReconnectDelay } from '../src/reconnect-delay.js'

describe('the wait before connecting again', () => {
  const waits = (delay: ReconnectDelay, count: number) => Array.from({ length: count }, () => delay.next(0))

  it('is twice as long after each failure, up to its bound', () => {
    assert.deepEqual(waits(new ReconnectDelay(15_000, () => 0), 6), [1_000, 2_000, 4_000, 8_000, 15_000, 15_000])
    assert.deepEqual(waits(new ReconnectDelay(100, () => 0), 2), [100, 100])
  })

  it('is between a half and all of that, by chance', () => {
    assert.deepEqual(waits(new ReconnectDelay(15_000, () => 0.5), 2), [750, 1_500])
    assert.ok(Math.abs(new ReconnectDelay(15_000, () => 0.9999).next(0) - 500) < 1)
  })

  it('begins anew after a connection that was good for 5 seconds, and no sooner', () => {
    const delay = new ReconnectDelay(15_000, () => 0)
    waits(delay, 3)
    assert.equal(delay.next(4_999), 8_000)
    assert.equal(delay.next(5_000), 1_000)
    assert.equal(delay.next(0), 2_000)
  })

  it('stays at its bound for ever', () => {
    const delay = new ReconnectDelay(15_000, () => 0)
    assert.equal(waits(delay, 5_000).at(-1), 15_000)
  })
})
