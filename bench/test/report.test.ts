import assert from 'node:assert/strict'
import { LatencyRecorder } from '../src/latency-recorder.js'
import { formatTable, formatValue, type Measured, median } from '../src/report.js'

const measured = (better: 'more' | 'less', first: number[], second: number[]): Measured => ({
  figure: { key: 'x', title: 'throughput', unit: 'msg/s', better, goal: { memory: 1.5, disk: 3 } },
  rounds: new Map([
    ['a', first],
    ['b', second],
  ]),
})

describe('a report', () => {
  it('takes the middle of the rounds', () => {
    assert.equal(median([9, 1, 5]), 5)
    assert.equal(median([4, 1, 2, 9]), 3)
    assert.ok(Number.isNaN(median([])))
  })

  it('writes numbers as people do', () => {
    assert.equal(formatValue(1_234_567, 'msg/s'), '1.23 M/s')
    assert.equal(formatValue(12_345, 'msg/s'), '12.3 k/s')
    assert.equal(formatValue(0.4567, 'ms'), '0.46 ms')
    assert.equal(formatValue(Number.NaN, 'MB'), '–')
  })

  it('compares the medians of two subjects with the goal of the mode', () => {
    const options = { labels: ['a', 'b'], compared: true, judged: true } as const
    const rounds = measured('more', [2000, 9000, 1000], [1000])
    assert.match(
      formatTable([rounds], { ...options, mode: 'memory' }),
      /throughput +2\.0 k\/s +1\.0 k\/s +2\.00 +≥ 1\.50 +met$/,
    )
    assert.match(formatTable([rounds], { ...options, mode: 'disk' }), /2\.00 +≥ 3\.00 +missed$/)
    const costs = measured('less', [2000], [1000])
    assert.match(formatTable([costs], { ...options, mode: 'memory' }), /2\.00 +≤ 1\.50 +missed$/)
  })

  it('holds a limit against every round of the first subject, compared or not', () => {
    const { figure, rounds } = measured('less', [1000, 4000, 2000], [9000])
    const limited = (limit: number) => [{ figure: { ...figure, limit }, rounds }]
    const options = { mode: 'memory', judged: true } as const
    const alone = { ...options, labels: ['a'], compared: false }
    assert.match(formatTable(limited(3000), alone), /2\.0 k\/s +≤ 3\.0 k\/s +missed$/)
    assert.match(formatTable(limited(4000), alone), /≤ 4\.0 k\/s +met$/)
    assert.match(
      formatTable(limited(4000), { ...options, labels: ['a', 'b'], compared: true }),
      /9\.0 k\/s +0\.22 +≤ 4\.0 k\/s +met$/,
    )
    assert.doesNotMatch(formatTable(limited(3000), { ...alone, judged: false }), /≤/)
    assert.doesNotMatch(formatTable([{ figure, rounds }], alone), /goal|≥/)
  })

  it('shows a figure that one subject lacks without a verdict', () => {
    assert.match(
      formatTable([measured('more', [2000], [])], { mode: 'memory', labels: ['a', 'b'], compared: true, judged: true }),
      /2\.0 k\/s +– +– +≥ 1\.50$/,
    )
  })
})

describe('a latency recorder', () => {
  it('gives exact percentiles of the serials that it was made for', () => {
    const recorder = new LatencyRecorder(10, 1000)
    recorder.record(9, 5000)
    recorder.record(1010, 5000)
    for (let i = 1000; i >= 1; i--) recorder.record(9 + i, i)
    assert.deepEqual(recorder.percentiles(), { p50Ms: 500, p99Ms: 990, p999Ms: 999, maxMs: 1000 })
  })
})
