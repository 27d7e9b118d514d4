import assert from 'node:assert/strict'
import type { Chunk } from '@spillway/core'
import { seededRandom } from '@spillway/core/testing'
import { MemoryRecords } from '../src/memory-records.js'

const FRAME_SIZE_BYTES = 4

/** Records `first … first + count - 1` where the engine would put them: record n of a log at byte 4 n of its slab. */
function chunkIn(slab: Uint8Array, first: number, count: number, attributes: Uint8Array | null = null): Chunk {
  return {
    first,
    count,
    frames: slab.subarray(first * FRAME_SIZE_BYTES, (first + count) * FRAME_SIZE_BYTES),
    attributes,
  }
}

/** A log whose entries are two records each, kept apart by a slab of their own. */
function recordsOf(entryCount: number): MemoryRecords {
  const records = new MemoryRecords()
  for (let i = 0; i < entryCount; i++) {
    records.append({ first: i * 2, count: 2, frames: new Uint8Array(8).fill(i), attributes: null })
  }
  return records
}

const shapeOf = (chunks: readonly Chunk[]) => chunks.map(({ first, count }) => [first, count])

describe('MemoryRecords', () => {
  it('keeps the very bytes that it was given', () => {
    const slab = new Uint8Array(64)
    const records = new MemoryRecords()
    records.append(chunkIn(slab, 1, 2))
    const [{ frames }] = records.read(0, 1)
    assert.equal(frames.buffer, slab.buffer)
    assert.deepEqual([frames.byteOffset, frames.length], [4, 8])
  })

  it('joins runs that follow each other in one slab', () => {
    const slab = new Uint8Array(64)
    const records = new MemoryRecords()
    for (let sequence = 0; sequence < 10; sequence++) records.append(chunkIn(slab, sequence, 1))
    const chunks = records.read(0, 1_000)
    assert.deepEqual(shapeOf(chunks), [[0, 10]])
    assert.equal(chunks[0].frames.length, 40)
    assert.equal(records.sizeBytes, 40)
  })

  it('joins nothing over a gap in the sequences, a gap in the slab, attributes, or another slab', () => {
    const slab = new Uint8Array(64)
    const other = new Uint8Array(64)
    const records = new MemoryRecords()
    records.append(chunkIn(slab, 0, 1))
    records.append({ ...chunkIn(slab, 1, 1), first: 2 })
    records.append({ ...chunkIn(slab, 4, 1), first: 3 })
    records.append(chunkIn(slab, 5, 1, Uint8Array.of(1)))
    records.append(chunkIn(slab, 6, 1))
    records.append(chunkIn(other, 7, 1))
    assert.deepEqual(
      records.read(0, 1_000).map((chunk) => chunk.first),
      [0, 2, 3, 5, 6, 7],
    )
    assert.equal(records.sizeBytes, 6 * FRAME_SIZE_BYTES + 1)
  })

  it('lets a joined run grow to 1 MiB and begins another', () => {
    const slab = new Uint8Array(3 * 1024 * 1024)
    const count = 64 * 1024
    const records = new MemoryRecords()
    for (let first = 0; first < 12 * count; first += count) records.append(chunkIn(slab, first, count))
    assert.deepEqual(shapeOf(records.read(0, slab.length)), [
      [0, 4 * count],
      [4 * count, 4 * count],
      [8 * count, 4 * count],
    ])
  })

  it('reads on correctly however much was trimmed and appended in between', () => {
    const records = recordsOf(5_000)
    for (let before = 0; before < 10_000; before += 7) {
      records.trim(before)
      assert.equal(records.read(0, 1)[0].first, before - (before % 2))
      assert.equal(records.sizeBytes, (5_000 - Math.floor(before / 2)) * 8)
    }
    records.append({ first: 10_000, count: 1, frames: new Uint8Array(4), attributes: null })
    assert.equal(records.read(9_999, 8).length, 1)
    assert.equal(records.read(10_000, 8)[0].first, 10_000)
  })

  it('begins a new entry behind a trim that emptied it', () => {
    const slab = new Uint8Array(64)
    const records = new MemoryRecords()
    records.append(chunkIn(slab, 0, 2))
    records.trim(2)
    assert.equal(records.sizeBytes, 0)
    records.append(chunkIn(slab, 2, 1))
    assert.deepEqual(shapeOf(records.read(0, 100)), [[2, 1]])
  })

  it('refuses an append below the end of the log, which would be a mistake of the engine', () => {
    const records = recordsOf(2)
    assert.throws(() => records.append({ first: 3, count: 1, frames: new Uint8Array(4), attributes: null }), RangeError)
  })

  it('lets go of an entry once all of it was erased, in whatever pieces', () => {
    const records = recordsOf(3)
    records.erase([{ first: 2, end: 3 }])
    assert.equal(records.sizeBytes, 24)
    records.erase([{ first: 3, end: 5 }])
    assert.equal(records.sizeBytes, 16)
    assert.deepEqual(shapeOf(records.read(0, 100)), [
      [0, 2],
      [4, 2],
    ])
    assert.deepEqual(shapeOf(records.read(2, 1)), [[4, 2]])
    records.erase([{ first: 0, end: 6 }])
    assert.deepEqual([records.sizeBytes, records.next, records.trimmedBefore], [0, 6, 0])
    assert.deepEqual(records.read(0, 100), [])
  })

  it('keeps the last entry open for what follows, unless all of it was erased', () => {
    const slab = new Uint8Array(64)
    const records = new MemoryRecords()
    records.append(chunkIn(slab, 0, 2))
    records.erase([{ first: 0, end: 1 }])
    records.append(chunkIn(slab, 2, 1))
    records.erase([{ first: 1, end: 2 }])
    assert.deepEqual(shapeOf(records.read(0, 100)), [[0, 3]])
    records.erase([{ first: 2, end: 3 }])
    records.append(chunkIn(slab, 3, 1))
    assert.deepEqual(shapeOf(records.read(0, 100)), [[3, 1]])
  })

  it('has exactly the entries that were neither erased nor trimmed, whatever came in which order', () => {
    const random = seededRandom(5)
    const entryCount = 6_000
    const records = recordsOf(entryCount)
    const isGone = new Uint8Array(2 * entryCount)
    let trimmed = 0
    for (let round = 0; round < 3_000; round++) {
      const first = Math.floor(random() * 2 * entryCount)
      const end = Math.min(2 * entryCount, first + 1 + Math.floor(random() * 20))
      records.erase([{ first, end }])
      isGone.fill(1, first, end)
      if (round % 100 !== 99) continue
      trimmed += Math.floor(random() * 100)
      records.trim(trimmed)
      const left: number[] = []
      for (let entry = Math.floor(trimmed / 2); entry < entryCount; entry++) {
        if (isGone[entry * 2] === 0 || isGone[entry * 2 + 1] === 0) left.push(entry * 2)
      }
      const found = records.read(0, Number.POSITIVE_INFINITY)
      assert.deepEqual(
        found.map((chunk) => chunk.first),
        left,
      )
      assert.equal(records.sizeBytes, left.length * 8)
      assert.ok(found.every(({ first: at, frames }) => frames.every((byte) => byte === (at / 2) % 256)))
    }
    assert.equal(records.next, 2 * entryCount)
  })

  it('gives side tables alone, as many bytes at a time as asked for', () => {
    const slab = new Uint8Array(64)
    const records = new MemoryRecords()
    for (let n = 0; n < 6; n++) records.append(chunkIn(slab, n, 1, n % 2 === 0 ? null : new Uint8Array(10).fill(n)))
    const found = (from: number, sizeBytesMax: number) =>
      records.readAttributes(from, sizeBytesMax).map(({ first, attributes }) => [first, attributes[0]])
    assert.deepEqual(found(0, 100), [
      [1, 1],
      [3, 3],
      [5, 5],
    ])
    assert.deepEqual(found(2, 20), [
      [3, 3],
      [5, 5],
    ])
    assert.deepEqual(found(2, 0), [[3, 3]])
    records.erase([{ first: 3, end: 4 }])
    assert.deepEqual(found(2, 0), [[5, 5]])
    assert.deepEqual(found(6, 0), [])
  })
})
