import assert from 'node:assert/strict'
import { LatencyRecorder } from '../../src/engine/latency-recorder.js'

describe('the latency recorder', () => {
  it('forgets what is older than its window, and never what it has counted', () => {
    const recorder = new LatencyRecorder(1_000)
    recorder.record(20, 0)
    recorder.record(30, 100)
    const early = LatencyRecorder.stats([recorder], [0.5], 200)
    assert.deepEqual([early.count, early.totalCount, early.totalMs], [2, 2, 50])
    const late = LatencyRecorder.stats([recorder], [0.5], 10_000)
    assert.deepEqual([late.count, late.totalCount, late.totalMs], [0, 2, 50])
  })
})
