import assert from 'node:assert/strict'
import type { SequenceRange } from '@spillway/core'
import { randomBelow, seededRandom } from '@spillway/core/testing'
import { addRange, countOf, difference, without } from '../src/ranges.js'

const END = 60

/** Ranges as a set, and back. */
const setOf = (ranges: readonly SequenceRange[]): Set<number> =>
  new Set(ranges.flatMap(({ first, end }) => Array.from({ length: end - first }, (_, at) => first + at)))

function rangesOf(set: ReadonlySet<number>): SequenceRange[] {
  const ranges: { first: number; end: number }[] = []
  for (const each of [...set].sort((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last?.end === each) last.end++
    else ranges.push({ first: each, end: each + 1 })
  }
  return ranges
}

describe('Ranges', () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
  const random = seededRandom(seed)
  const some = (): SequenceRange => {
    const first = randomBelow(random, END)
    return { first, end: first + randomBelow(random, 12) }
  }

  it(`are like sets (SEED=${seed})`, () => {
    for (let round = 0; round < 300; round++) {
      const ranges: SequenceRange[] = []
      const set = new Set<number>()
      for (let count = randomBelow(random, 15); count > 0; count--) {
        const range = some()
        addRange(ranges, range)
        for (const each of setOf([range])) set.add(each)
      }
      assert.deepEqual(ranges, rangesOf(set))
      assert.equal(countOf(ranges), set.size)

      const { first, end } = some()
      const outside = new Set([...setOf([{ first, end }])].filter((each) => !set.has(each)))
      assert.deepEqual(without(ranges, first, end), rangesOf(outside))

      const others: SequenceRange[] = []
      for (let count = randomBelow(random, 8); count > 0; count--) addRange(others, some())
      const taken = setOf(others)
      const left = difference(ranges, others)
      assert.deepEqual(setOf(left), new Set([...set].filter((each) => !taken.has(each))))
      assert.deepEqual(
        left,
        [...left].sort((a, b) => a.first - b.first),
      )
    }
  })

  it('join where they touch', () => {
    const ranges = [
      { first: 0, end: 2 },
      { first: 4, end: 6 },
    ]
    addRange(ranges, { first: 2, end: 4 })
    assert.deepEqual(ranges, [{ first: 0, end: 6 }])
  })

  it('that are empty change nothing', () => {
    const ranges = [{ first: 3, end: 5 }]
    addRange(ranges, { first: 9, end: 9 })
    assert.deepEqual(ranges, [{ first: 3, end: 5 }])
  })
})
