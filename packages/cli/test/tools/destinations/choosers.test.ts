import assert from 'node:assert/strict'
import { type Chooser, chooserFor, type Mode } from '../../../src/tools/destinations/mode.js'

describe('sharing messages out', () => {
  let nowMs: number
  let randoms: number[]

  beforeEach(() => {
    nowMs = 1_000
    randoms = []
  })

  function open(mode: Mode, count: number): Chooser {
    return chooserFor(mode, count, { nowMs: () => nowMs, random: () => randoms.shift() ?? 0.5 })
  }

  const next = (chooser: Chooser, count: number): number[] => Array.from({ length: count }, () => chooser.next())

  for (const mode of ['round-robin', 'hostpool'] as const) {
    it(`${mode}: one after the other`, () => {
      assert.deepEqual(next(open(mode, 3), 7), [0, 1, 2, 0, 1, 2, 0])
      assert.deepEqual(next(open(mode, 1), 3), [0, 0, 0])
    })
  }

  it('round-robin: goes on with one that fails', () => {
    const chooser = open('round-robin', 2)
    chooser.failed(0)
    assert.deepEqual(next(chooser, 4), [0, 1, 0, 1])
  })

  it('hostpool: leaves one out that failed, then tries it with one message, and later if it fails again', () => {
    const chooser = open('hostpool', 2)
    chooser.failed(0)
    assert.deepEqual(next(chooser, 3), [1, 1, 1])
    nowMs += 29_999
    assert.deepEqual(next(chooser, 2), [1, 1])
    nowMs += 1
    assert.deepEqual(next(chooser, 3), [0, 1, 1])
    chooser.failed(0)
    nowMs += 59_999
    assert.deepEqual(next(chooser, 2), [1, 1])
    nowMs += 1
    assert.deepEqual(next(chooser, 3), [0, 1, 1])
    chooser.succeeded(0, 1)
    assert.deepEqual(next(chooser, 3), [0, 1, 0])
  })

  it('hostpool: waits 15 minutes at most', () => {
    const chooser = open('hostpool', 2)
    chooser.failed(0)
    for (let tries = 0; tries < 20; tries++) {
      nowMs += 900_000
      assert.ok(next(chooser, 2).includes(0), `try ${tries}`)
    }
  })

  it('hostpool: tries all when all have failed', () => {
    const chooser = open('hostpool', 3)
    for (const index of [0, 1, 2]) chooser.failed(index)
    assert.deepEqual(next(chooser, 4).sort(), [0, 0, 1, 2])
  })

  it('epsilon-greedy: gives the quicker ones more, in proportion', () => {
    const chooser = open('epsilon-greedy', 2)
    chooser.succeeded(0, 10)
    chooser.succeeded(1, 30)
    const counts = [0, 0]
    for (let draw = 0; draw < 1_000; draw++) {
      randoms = [0.9, draw / 1_000] // not exploring, then even draws
      counts[chooser.next()]++
    }
    assert.deepEqual(counts, [750, 250])
  })

  it('epsilon-greedy: looks around less and less, but never not at all', () => {
    const chooser = open('epsilon-greedy', 2)
    chooser.succeeded(1, 1)
    // Looking around goes in turn, and only that comes to the first one.
    const explores = (draw: number): boolean => {
      randoms = [draw, 0]
      return chooser.next() === 0
    }
    assert.ok(explores(0.29))
    for (let turn = 0; turn < 99; turn++) explores(0)
    assert.ok(!explores(0.02))
    assert.ok(explores(0.009))
  })

  it('epsilon-greedy: forgets how quick one was', () => {
    const chooser = open('epsilon-greedy', 2)
    chooser.succeeded(0, 1_000)
    chooser.succeeded(1, 10)
    nowMs += 20 * 60_000
    chooser.succeeded(0, 1)
    randoms = [0.9, 0.8]
    assert.equal(chooser.next(), 0)
  })

  it('epsilon-greedy: leaves out what failed', () => {
    const chooser = open('epsilon-greedy', 2)
    chooser.succeeded(0, 1)
    chooser.succeeded(1, 1)
    chooser.failed(0)
    for (let draw = 0; draw < 10; draw++) {
      randoms = [0.9, draw / 10]
      assert.equal(chooser.next(), 1)
    }
  })

  it('epsilon-greedy: goes round while nobody has answered', () => {
    randoms = []
    assert.deepEqual(next(open('epsilon-greedy', 3), 4), [0, 1, 2, 0])
  })
})
