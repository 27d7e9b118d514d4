import assert from 'node:assert/strict'
import { FakeClock } from '../../src/testing/index.js'

describe('FakeClock', () => {
  it('fires timers in the order of their due times, those of one moment in the order in which they were set', () => {
    const clock = new FakeClock()
    const fired: string[] = []
    clock.setTimer(20, () => fired.push('c'))
    clock.setTimer(10, () => fired.push('a'))
    clock.setTimer(10, () => fired.push('b'))
    clock.setTimer(21, () => fired.push('too late'))
    clock.advance(20)
    assert.deepEqual(fired, ['a', 'b', 'c'])
    assert.equal(clock.timerCount, 1)
  })

  it('shows a timer the moment at which it was due', () => {
    const clock = new FakeClock({ monotonicMs: 5, wallMs: 1_000 })
    const seen: number[] = []
    clock.setTimer(1.5, () => seen.push(clock.monotonicMs(), clock.wallMs()))
    clock.advance(10)
    assert.deepEqual(seen, [6.5, 1_001.5])
    assert.deepEqual([clock.monotonicMs(), clock.wallMs()], [15, 1_010])
  })

  it('fires within one advance what timers set', () => {
    const clock = new FakeClock()
    let ticks = 0
    const tick = () => {
      ticks++
      clock.setTimer(10, tick)
    }
    clock.setTimer(10, tick)
    clock.advance(35)
    assert.equal(ticks, 3)
  })

  it('ends the turn before, between and after timers, also for callbacks that callbacks queue', () => {
    const clock = new FakeClock()
    const ran: string[] = []
    clock.atEndOfTurn(() => {
      ran.push('before')
      clock.atEndOfTurn(() => ran.push('before, queued later'))
    })
    clock.setTimer(1, () => {
      ran.push('timer 1')
      clock.atEndOfTurn(() => ran.push('between'))
    })
    clock.setTimer(2, () => {
      ran.push('timer 2')
      clock.atEndOfTurn(() => ran.push('after'))
    })
    clock.advance(2)
    assert.deepEqual(ran, ['before', 'before, queued later', 'timer 1', 'between', 'timer 2', 'after'])
    assert.equal(clock.turnCallbackCount, 0)
  })

  it('keeps what is meant for the next turn until that one ends', () => {
    const clock = new FakeClock()
    const ran: string[] = []
    clock.inNextTurn(() => ran.push('next turn'))
    clock.atEndOfTurn(() => clock.atEndOfTurn(() => ran.push('this turn')))
    clock.runTurn()
    assert.deepEqual(ran, ['this turn'])
    clock.runTurn()
    assert.deepEqual(ran, ['this turn', 'next turn'])
    clock.inNextTurn(() => ran.push('flushed'))
    clock.flush()
    assert.equal(ran.at(-1), 'flushed')
    assert.equal(clock.turnCallbackCount, 0)
  })

  it('does not fire a cancelled timer', () => {
    const clock = new FakeClock()
    const timer = clock.setTimer(1, () => assert.fail('fired'))
    timer.cancel()
    timer.cancel()
    assert.equal(clock.timerCount, 0)
    assert.equal(clock.nextTimerMs, Number.POSITIVE_INFINITY)
    clock.advance(1)
  })

  it('lets promises settle between timers when asked to', async () => {
    const clock = new FakeClock()
    const ran: string[] = []
    clock.setTimer(1, () => void Promise.resolve().then(() => ran.push('settled')))
    clock.setTimer(2, () => ran.push('timer 2'))
    await clock.advanceAsync(2)
    assert.deepEqual(ran, ['settled', 'timer 2'])
  })

  it('jumps on the wall without moving the monotonic clock', () => {
    const clock = new FakeClock({ monotonicMs: 7 })
    clock.setWallMs(50)
    assert.deepEqual([clock.monotonicMs(), clock.wallMs()], [7, 50])
  })

  it('names the mistake when a callback queues itself for ever', () => {
    const clock = new FakeClock()
    const again = () => clock.atEndOfTurn(again)
    again()
    assert.throws(() => clock.runTurn(), /for ever/)
  })
})
