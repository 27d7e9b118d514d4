import assert from 'node:assert/strict'
import { ReadyShare, type ReadyTarget } from '../src/ready-share.js'
import { FakeClock } from './support/fake-clock.js'
import { freshSeed, seededRandom } from './support/random.js'

class Target implements ReadyTarget {
  readyCount = 0
  lastMessageMs = 0
  constructor(readonly readyCountMax = 2_500) {}
  setReady(count: number): void {
    this.readyCount = count
  }
}

const IDLE_MS = 10_000
const TURN_MS = 30_000

function share(maxInFlight: number, clock = new FakeClock(), random = () => 0): ReadyShare {
  const options = { idleTimeoutMs: IDLE_MS, turnTimeoutMs: TURN_MS, nowMs: () => clock.nowMs(), random }
  return new ReadyShare(maxInFlight, options)
}

const countsOf = (targets: readonly Target[]): number[] => targets.map(({ readyCount }) => readyCount)
const sumOf = (targets: readonly Target[]): number => countsOf(targets).reduce((sum, count) => sum + count, 0)

function added(to: ReadyShare, count: number, readyCountMax?: number): Target[] {
  const targets = Array.from({ length: count }, () => new Target(readyCountMax))
  for (const target of targets) to.add(target)
  return targets
}

describe('ready share', () => {
  it('gives all of maxInFlight to one connection, and equal parts to several, with nothing left over', () => {
    const shared = share(100)
    const targets = added(shared, 1)
    assert.deepEqual(countsOf(targets), [100])
    targets.push(...added(shared, 2))
    assert.equal(sumOf(targets), 100)
    assert.deepEqual(countsOf(targets).sort(), [33, 33, 34])
    shared.remove(targets[0])
    assert.deepEqual(countsOf(targets.slice(1)), [50, 50])
  })

  it('never gives a node more than it allows, and gives the rest to the others', () => {
    const shared = share(100)
    const small = added(shared, 1, 10)
    const large = added(shared, 2)
    assert.deepEqual(countsOf([...small, ...large]), [10, 45, 45])
  })

  it('gives one message each to as many connections as may have one, when there are more', () => {
    const targets = added(share(3), 5)
    assert.deepEqual(countsOf(targets), [1, 1, 1, 0, 0])
  })

  it('lets whoever has waited longest have the next turn, when a node is idle', () => {
    const clock = new FakeClock()
    const shared = share(1, clock)
    const targets = added(shared, 3)
    const turns: number[] = []
    for (let turn = 0; turn < 7; turn++) {
      turns.push(targets.findIndex(({ readyCount }) => readyCount === 1))
      clock.advance(IDLE_MS)
      shared.takeTurns()
    }
    assert.deepEqual(turns, [0, 1, 2, 0, 1, 2, 0])
  })

  it('lets a busy node keep its turn until it is over', () => {
    const clock = new FakeClock()
    const shared = share(1, clock)
    const [busy, other] = added(shared, 2)
    for (let elapsedMs = 5_000; elapsedMs < TURN_MS; elapsedMs += 5_000) {
      clock.advance(5_000)
      busy.lastMessageMs = clock.nowMs()
      shared.takeTurns()
      assert.equal(busy.readyCount, 1)
    }
    clock.advance(5_000)
    shared.takeTurns()
    assert.deepEqual(countsOf([busy, other]), [0, 1])
  })

  it('gives nothing while it is stopped, and one message to one connection while it is probing', () => {
    const shared = share(100)
    const targets = added(shared, 4)
    shared.mode = 'stopped'
    assert.equal(sumOf(targets), 0)
    shared.mode = 'probing'
    assert.equal(sumOf(targets), 1)
    shared.mode = 'full'
    assert.deepEqual(countsOf(targets), [25, 25, 25, 25])
  })

  it('moves the test message to another connection when its own is lost', () => {
    const shared = share(100)
    const targets = added(shared, 2)
    shared.mode = 'probing'
    const prober = targets.find(({ readyCount }) => readyCount === 1) as Target
    shared.remove(prober)
    assert.equal(targets.find((target) => target !== prober)?.readyCount, 1)
  })

  it('is never above maxInFlight, whatever happens, and starves nobody', () => {
    const seed = freshSeed()
    const random = seededRandom(seed)
    const clock = new FakeClock()
    const shared = share(7, clock, random)
    let targets: Target[] = []
    for (let step = 0; step < 3_000; step++) {
      const what = Math.floor(random() * 6)
      if (what === 0 && targets.length < 20) targets = [...targets, ...added(shared, 1, 1 + Math.floor(random() * 5))]
      else if (what === 1 && targets.length > 0) {
        const [gone] = targets.splice(Math.floor(random() * targets.length), 1)
        shared.remove(gone)
      } else if (what === 2) shared.maxInFlight = Math.floor(random() * 10)
      else if (what === 3) shared.mode = (['full', 'stopped', 'probing'] as const)[Math.floor(random() * 3)]
      else {
        clock.advance(random() * 20_000)
        shared.takeTurns()
      }
      assert.ok(sumOf(targets) <= shared.maxInFlight, `seed ${seed}, step ${step}`)
      for (const { readyCount, readyCountMax } of targets) assert.ok(readyCount <= readyCountMax, `seed ${seed}`)
    }
    shared.mode = 'full'
    shared.maxInFlight = 2
    const all = added(shared, 9)
    const served = new Set<Target>()
    for (let turn = 0; turn < 40; turn++) {
      for (const target of all) if (target.readyCount > 0) served.add(target)
      clock.advance(IDLE_MS)
      shared.takeTurns()
    }
    assert.equal(served.size, all.length, `seed ${seed}`)
  })
})
