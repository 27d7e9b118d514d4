import assert from 'node:assert/strict'
import { DueHeap } from '../../src/engine/due-heap.js'
import { seededRandom } from '../../src/testing/index.js'

describe('DueHeap', () => {
  it('gives out the earliest first, without those that were taken out', () => {
    const random = seededRandom(3)
    const heap = new DueHeap()
    const times = new Map<number, number>()
    for (let sequence = 0; sequence < 1000; sequence++) {
      const time = Math.floor(random() * 100)
      times.set(sequence, time)
      heap.push(time, sequence)
    }
    heap.removeRange(100, 900)
    assert.equal(heap.size, 200)
    const taken: number[] = []
    while (heap.size > 0) {
      const { earliest } = heap
      const sequence = heap.pop()
      assert.equal(times.get(sequence), earliest)
      taken.push(sequence)
    }
    const expected = [...times.keys()].filter((sequence) => sequence < 100 || sequence >= 900)
    assert.deepEqual(
      taken.map((sequence) => times.get(sequence)),
      expected.map((sequence) => times.get(sequence)).sort((a, b) => Number(a) - Number(b)),
    )
    assert.deepEqual(
      taken.sort((a, b) => a - b),
      expected,
    )
  })
})
