import assert from 'node:assert/strict'
import { FakeClock } from '@spillway/core/testing'
import { TurnQueue, type TurnTask } from '../src/turn-queue.js'

/** Moves on by itself whenever it is looked at. */
class TiringClock extends FakeClock {
  stepMs = 0
  #elapsedMs = 0

  override monotonicMs(): number {
    this.#elapsedMs += this.stepMs
    return super.monotonicMs() + this.#elapsedMs
  }
}

function taskOf(run: () => void): TurnTask {
  return { isQueued: false, endTurn: run }
}

describe('the end of a turn', () => {
  it('runs each task once, however often it was added, and what a task adds as well', () => {
    const clock = new FakeClock()
    const queue = new TurnQueue(clock)
    const ran: string[] = []
    const late = taskOf(() => ran.push('late'))
    const early = taskOf(() => {
      ran.push('early')
      queue.add(late)
    })
    queue.add(early)
    queue.add(early)
    assert.deepEqual(ran, [])
    clock.runTurn()
    assert.deepEqual(ran, ['early', 'late'])
    clock.flush()
    assert.equal(ran.length, 2)
    queue.add(early)
    clock.flush()
    assert.equal(ran.length, 4)
  })

  it('leaves to the next turn what would take too long, and forgets none of it', () => {
    const clock = new TiringClock()
    const queue = new TurnQueue(clock)
    let ranCount = 0
    for (let index = 0; index < 100; index++) queue.add(taskOf(() => ranCount++))
    clock.stepMs = 3
    clock.runTurn()
    assert.ok(ranCount > 0 && ranCount < 100, `${ranCount} tasks`)
    clock.flush()
    assert.equal(ranCount, 100)
  })
})
