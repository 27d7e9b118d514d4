import assert from 'node:assert/strict'
import { SystemClock } from '../../src/node/system-clock.js'

/** A clock whose two sources stand where the test puts them. */
function clockAt(start: { wallMs: number; monotonicMs: number }) {
  const time = { ...start }
  const clock = new SystemClock({ wallMs: () => Math.floor(time.wallMs), monotonicMs: () => time.monotonicMs })
  const pass = (ms: number): void => {
    time.wallMs += ms
    time.monotonicMs += ms
  }
  return { time, clock, pass }
}

describe('SystemClock', () => {
  describe('wallMs', () => {
    it('has fractions, never runs back, and stays in the millisecond that the system names', () => {
      const { time, clock, pass } = clockAt({ wallMs: 1_000_000.4, monotonicMs: 17.3 })
      let before = 0
      const seen = new Set<number>()
      for (let step = 0; step < 1_000; step++) {
        pass(0.013)
        const wallMs = clock.wallMs()
        assert.ok(wallMs >= before, `${wallMs} after ${before}`)
        assert.equal(Math.floor(wallMs), Math.floor(time.wallMs))
        before = wallMs
        seen.add(wallMs)
      }
      assert.ok(seen.size > 900, `${seen.size} different times in 1000 steps`)
    })

    it('has fractions from the first reading on where the source knows the offset', () => {
      const clock = new SystemClock({ wallMs: () => 1_000_017, monotonicMs: () => 17.25, offsetMs: 1_000_000.125 })
      assert.equal(clock.wallMs(), 1_000_017.375)
    })

    it('follows a step of the system clock at once, in both directions', () => {
      const { time, clock } = clockAt({ wallMs: 1_000_000, monotonicMs: 0 })
      time.wallMs += 3_600_000
      assert.equal(Math.floor(clock.wallMs()), 4_600_000)
      time.wallMs -= 7_200_000
      assert.equal(Math.floor(clock.wallMs()), -2_600_000)
    })

    it('follows a system clock that runs slower or faster', () => {
      for (const speed of [0.999, 1.001]) {
        const { time, clock } = clockAt({ wallMs: 5_000_000, monotonicMs: 0 })
        for (let step = 0; step < 10_000; step++) {
          time.monotonicMs += 1
          time.wallMs += speed
          assert.equal(Math.floor(clock.wallMs()), Math.floor(time.wallMs))
        }
      }
    })
  })

  describe('turns', () => {
    it('runs callbacks in the order in which they were given, and those given meanwhile in the same turn', async () => {
      const clock = new SystemClock()
      const ran: string[] = []
      clock.atEndOfTurn(() => {
        ran.push('first')
        clock.atEndOfTurn(() => ran.push('third'))
      })
      clock.atEndOfTurn(() => ran.push('second'))
      assert.deepEqual(ran, [])
      await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual(ran, ['first', 'second', 'third'])
    })

    it('leaves what is given for the next turn to it', async () => {
      const clock = new SystemClock()
      const ran: string[] = []
      clock.inNextTurn(() => ran.push('next'))
      clock.atEndOfTurn(() => {
        ran.push('this')
        clock.inNextTurn(() => ran.push('next again'))
      })
      await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual(ran, ['this'])
      await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual(ran, ['this', 'next', 'next again'])
    })
  })

  describe('setTimer', () => {
    it('calls once, not before its time, and not at all once cancelled', async () => {
      const clock = new SystemClock()
      const startMs = clock.monotonicMs()
      const cancelled = clock.setTimer(1, () => assert.fail('it was cancelled'))
      cancelled.cancel()
      const calls: number[] = []
      await new Promise<void>((resolve) => {
        const keepsAlive = setInterval(() => {}, 1_000)
        clock.setTimer(4.5, () => {
          calls.push(clock.monotonicMs() - startMs)
          clearInterval(keepsAlive)
          resolve()
        })
      })
      assert.equal(calls.length, 1)
      assert.ok(calls[0] >= 4, `${calls[0]} ms`)
    })

    it('does not fire at once when the delay is longer than Node can wait', async () => {
      const clock = new SystemClock()
      const timer = clock.setTimer(2 ** 40, () => assert.fail('that was no 35 years'))
      await new Promise((resolve) => setTimeout(resolve, 5))
      timer.cancel()
    })
  })
})
