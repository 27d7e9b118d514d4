import assert from 'node:assert/strict'
import { randomBelow, seededRandom } from '../../src/testing/index.js'

describe('seededRandom', () => {
  it('repeats itself for a seed and differs between seeds', () => {
    const take = (seed: number) => Array.from({ length: 5 }, seededRandom(seed))
    assert.deepEqual(take(1), take(1))
    assert.notDeepEqual(take(1), take(2))
  })

  it('spreads evenly over [0, end)', () => {
    const random = seededRandom(42)
    const counts = new Array<number>(10).fill(0)
    for (let i = 0; i < 10_000; i++) counts[randomBelow(random, 10)]++
    for (const count of counts) assert.ok(count > 850 && count < 1_150, `${counts}`)
  })
})
