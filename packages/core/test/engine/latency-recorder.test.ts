import assert from 'node:assert/strict'
import { LatencyRecorder } from '../../src/engine/latency-recorder.js'
import { seededRandom } from '../../src/testing/seeded-random.js'

const QUANTILES = [0.999, 0.99, 0.5, 0.01]
const WINDOW_MS = 600_000

function valuesMs(recorders: LatencyRecorder[], nowMs = 0): number[] {
  return LatencyRecorder.stats(recorders, QUANTILES, nowMs).quantiles.map(({ valueNs }) => valueNs / 1e6)
}

describe('the latency from publish to finish', () => {
  it('is known to 1 % at every quantile, from microseconds to days', () => {
    const random = seededRandom(1)
    const recorder = new LatencyRecorder(WINDOW_MS)
    const measured = Array.from({ length: 10_000 }, () => 10 ** (random() * 11 - 3))
    for (const latencyMs of measured) recorder.record(latencyMs, 0)
    measured.sort((a, b) => a - b)
    for (const [index, valueMs] of valuesMs([recorder]).entries()) {
      const exactMs = Math.max(0.001, measured[Math.ceil(QUANTILES[index] * measured.length) - 1])
      const toleranceMs = Math.max(0.01 * exactMs, 0.000_5) // it is measured in microseconds
      assert.ok(Math.abs(valueMs - exactMs) <= toleranceMs * 1.0001, `${valueMs} instead of ${exactMs}`)
    }
  })

  it('is of all the recorders that are asked for together', () => {
    const [fast, slow] = [new LatencyRecorder(WINDOW_MS), new LatencyRecorder(WINDOW_MS)]
    for (let count = 0; count < 98; count++) fast.record(0.01, 0)
    for (let count = 0; count < 2; count++) slow.record(0.1, 0)
    const { count, quantiles } = LatencyRecorder.stats([fast, slow], [0.99, 0.5], 0)
    assert.equal(count, 100)
    assert.deepEqual(quantiles, [
      { quantile: 0.99, valueNs: 100_000 },
      { quantile: 0.5, valueNs: 10_000 },
    ])
    assert.equal(LatencyRecorder.stats([slow], [], 0).count, 2)
  })

  it('counts as a week when it is longer, and as a microsecond when it is shorter', () => {
    const recorder = new LatencyRecorder(WINDOW_MS)
    recorder.record(1e12, 0)
    recorder.record(0, 0)
    recorder.record(-5, 0)
    const [longest, , , shortest] = valuesMs([recorder])
    assert.ok(Math.abs(longest / (7 * 24 * 3_600_000) - 1) <= 0.01)
    assert.equal(shortest, 0.001)
  })

  it('is forgotten after the window, and is 0 where there is none', () => {
    const recorder = new LatencyRecorder(WINDOW_MS)
    recorder.record(5, WINDOW_MS)
    assert.equal(LatencyRecorder.stats([recorder], [0.5], 1.4 * WINDOW_MS).count, 1)
    recorder.record(5, 1.6 * WINDOW_MS)
    assert.equal(LatencyRecorder.stats([recorder], [0.5], 1.6 * WINDOW_MS).count, 2)
    assert.deepEqual(LatencyRecorder.stats([recorder], [0.5], 5 * WINDOW_MS), {
      count: 0,
      totalCount: 2,
      totalMs: 10,
      quantiles: [{ quantile: 0.5, valueNs: 0 }],
    })
  })

  it('costs a channel a few kilobytes, and asking for it none', () => {
    const recorders = Array.from({ length: 2_000 }, () => new LatencyRecorder(WINDOW_MS))
    gc?.()
    const { rss, external, heapUsed } = process.memoryUsage()
    for (const recorder of recorders)
      for (let at = 0; at < 50; at++) recorder.record(1 + at, at < 25 ? 0 : WINDOW_MS / 2)
    LatencyRecorder.stats(recorders, QUANTILES, WINDOW_MS / 2)
    for (const recorder of recorders) LatencyRecorder.stats([recorder], QUANTILES, WINDOW_MS / 2)
    gc?.()
    const now = process.memoryUsage()
    const perChannel = Math.max(now.rss - rss, now.external + now.heapUsed - external - heapUsed) / recorders.length
    assert.ok(perChannel < 16_384, `${perChannel} bytes`)
  })
})
