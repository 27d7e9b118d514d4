import assert from 'node:assert/strict'
import { type LoopFigures, LoopMeter } from '../src/loop-meter.js'

const NS_PER_MS = 1e6
const BUSY_SHARE = 0.5

/** Plays a process's loop to a meter: turns that use the processor for `cpuMs` and last `lastingMs`. */
class Played {
  readonly meter = new LoopMeter(BUSY_SHARE)
  #nowMs = 1000
  #cpuMs = 400

  start(): this {
    this.meter.start(this.#nowMs, this.#cpuMs * NS_PER_MS)
    return this
  }

  turns(count: number, cpuMs: number, lastingMs: number): this {
    for (let i = 0; i < count; i++) {
      this.#nowMs += lastingMs
      this.#cpuMs += cpuMs
      this.meter.endTurn(this.#cpuMs * NS_PER_MS)
      this.meter.sampleDelay(this.#nowMs)
    }
    return this
  }

  finish(): LoopFigures | null {
    return this.meter.finish(this.#nowMs)
  }
}

/** What a histogram of three digits makes of it. */
const near = (actual: number | undefined, expected: number) =>
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) <= expected / 500, `${actual} is not ${expected}`)

describe('the meter of an event loop', () => {
  it('gives percentiles of the processor time of turns and of the delays', () => {
    const figures = new Played().start().turns(100, 4, 5).turns(1, 30, 41).finish()
    assert.equal(figures?.turnCount, 101)
    near(figures?.countedMs, 541)
    near(figures?.cpu.p50Ms, 4)
    near(figures?.cpu.maxMs, 30)
    near(figures?.delay.p50Ms, 4)
    near(figures?.delay.maxMs, 40)
  })

  it('leaves out time in which the process was idle', () => {
    const figures = new Played().start().turns(2000, 0.01, 1).turns(100, 9, 10).turns(2000, 0.01, 1).finish()
    assert.equal(figures?.turnCount, 100)
    near(figures?.cpu.p50Ms, 9)
  })

  it('forgets what came before it was started', () => {
    const figures = new Played().start().turns(50, 80, 90).start().turns(50, 2, 3).finish()
    assert.equal(figures?.turnCount, 50)
    near(figures?.cpu.maxMs, 2)
    near(figures?.delay.maxMs, 2)
  })

  it('has nothing to say about a process that was never busy', () => {
    assert.equal(new Played().start().turns(1000, 0.01, 1).finish(), null)
  })

  it('takes more turns between two delays than it has room for', () => {
    const { meter } = new Played()
    meter.start(0, 0)
    for (let i = 1; i <= 20_000; i++) meter.endTurn(i * NS_PER_MS)
    meter.sampleDelay(20_000)
    near(meter.finish(20_000)?.cpu.maxMs, 1)
  })
})
