import assert from 'node:assert/strict'
import type { LoopFigures } from '../src/loop-meter.js'
import { formatLoops, summarizeLoops } from '../src/loop-report.js'

/** Spreads that grow from a median on. */
const figures = (cpuMs: number, delayMs: number): LoopFigures => ({
  turnCount: 1000,
  countedMs: 2500,
  cpu: { p50Ms: cpuMs, p99Ms: cpuMs * 2, p999Ms: cpuMs * 3, maxMs: cpuMs * 4 },
  delay: { p50Ms: delayMs, p99Ms: delayMs * 2, p999Ms: delayMs * 3, maxMs: delayMs * 4 },
})

const scenario = { scenario: 'consume', subject: 'spillway' }

describe('the report about event loops', () => {
  it('takes the middle of the rounds for percentiles, and the largest maximum', () => {
    const runs = [1, 9, 2].map((ms) => ({ broker: figures(ms, ms + 1), idle: figures(0.1, ms / 10) }))
    const [summary] = summarizeLoops([{ ...scenario, runs }])
    assert.deepEqual(summary.cpu, { p50Ms: 2, p99Ms: 4, p999Ms: 6, maxMs: 36 })
    assert.deepEqual(summary.delay, { p50Ms: 3, p99Ms: 6, p999Ms: 9, maxMs: 40 })
    assert.equal(summary.idle.maxMs, 3.6)
  })

  it('leaves out what never kept the broker busy, and shows a missing idle process as such', () => {
    assert.deepEqual(summarizeLoops([{ ...scenario, runs: [{ broker: null, idle: figures(1, 1) }] }]), [])
    const summaries = summarizeLoops([{ ...scenario, runs: [{ broker: figures(1, 1), idle: null }] }])
    assert.match(formatLoops(summaries, false), /consume +1000 +2\.5 s .* – +–$/)
  })

  it('judges the largest turn and the delay of one in a thousand, not the largest delay', () => {
    const table = (cpuMs: number, delayMs: number, judged = true) =>
      formatLoops(summarizeLoops([{ ...scenario, runs: [{ broker: figures(cpuMs, delayMs), idle: null }] }]), judged)
    assert.match(table(5, 6.6), /20\.0 .* 19\.8 +26\.4 +– +– +met +met$/)
    assert.match(table(5.1, 6.6), / missed +met$/)
    assert.match(table(5, 6.7), / met +missed$/)
    assert.doesNotMatch(table(50, 60, false), /met|missed/)
  })

  it('names the subject when there are several', () => {
    const runs = [{ broker: figures(1, 1), idle: null }]
    const table = formatLoops(summarizeLoops(['a', 'b'].map((subject) => ({ ...scenario, subject, runs }))), false)
    assert.match(table, /^consume · a /m)
    assert.match(table, /^consume · b /m)
  })
})
