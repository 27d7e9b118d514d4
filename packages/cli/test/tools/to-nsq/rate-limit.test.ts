import assert from 'node:assert/strict'
import { RateLimit } from '../../../src/tools/to-nsq/rate-limit.js'

describe('a rate', () => {
  it('lets one happen at once, and the others one after the other', () => {
    let nowMs = 0
    const limit = new RateLimit(10, () => nowMs)
    assert.equal(limit.take(5), 1)
    assert.equal(limit.take(5), 0)
    assert.equal(limit.waitMs, 100)
    nowMs += 100
    assert.equal(limit.take(5), 1)
    nowMs += 350
    assert.equal(limit.take(5), 3)
    assert.equal(limit.waitMs, 50)
  })

  it('keeps what was not used, up to that of a second', () => {
    let nowMs = 0
    const limit = new RateLimit(10, () => nowMs)
    nowMs += 60_000
    assert.equal(limit.take(100), 10)
    assert.equal(limit.take(100), 0)
  })

  it('is kept over a long time whatever the steps are', () => {
    for (const [perSecond, stepMs] of [
      [1_000, 7],
      [3, 1],
      [50_000, 1],
    ]) {
      let nowMs = 0
      let taken = 0
      const limit = new RateLimit(perSecond, () => nowMs)
      for (; nowMs < 10_000; nowMs += stepMs) taken += limit.take(Number.POSITIVE_INFINITY)
      assert.ok(Math.abs(taken - perSecond * 10) <= perSecond * 0.01 + 1, `${taken} at ${perSecond}/s`)
    }
  })
})
