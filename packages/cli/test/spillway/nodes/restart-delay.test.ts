import assert from 'node:assert/strict'
import { RestartDelay } from '../../../src/spillway/nodes/restart-delay.js'

describe('the delay before a node is started again', () => {
  it('doubles from 0.1 s to 10 s while the node does not last', () => {
    const delay = new RestartDelay()
    const delaysMs = Array.from({ length: 9 }, () => delay.afterMs(0))
    assert.deepEqual(delaysMs, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
  })

  it('begins anew after the node has listened for half a minute', () => {
    const delay = new RestartDelay()
    for (let i = 0; i < 5; i++) delay.afterMs(29_999)
    assert.equal(delay.afterMs(29_999), 3200)
    assert.equal(delay.afterMs(30_000), 100)
    assert.equal(delay.afterMs(0), 200)
  })
})
