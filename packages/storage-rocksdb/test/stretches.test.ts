import assert from 'node:assert/strict'
import type { Chunk, SequenceRange } from '@spillway/core'
import { BrokerError } from '@spillway/core'
import { randomBelow, recordsOf, seededRandom, sequencesOf } from '@spillway/core/testing'
import { addRange } from '../src/ranges.js'
import { StretchBuilder } from '../src/stretch-builder.js'
import { chunksOf, decodeStretchEntry, encodeStretchEntry } from '../src/stretch-codec.js'
import { YoungRecords } from '../src/young-records.js'
import { chunkAt, includes } from './sample-log.js'

const LOG = 5

/** What a stretch with these chunks, but for what was erased, gives back. */
function through(chunks: readonly Chunk[], erased: readonly SequenceRange[]): readonly Chunk[] {
  const builder = new StretchBuilder()
  for (const chunk of chunks) builder.add(chunk, erased)
  const frames = Buffer.from(builder.frames())
  const end = chunks[chunks.length - 1].first + chunks[chunks.length - 1].count
  const entry = decodeStretchEntry(LOG, encodeStretchEntry(LOG, frames, builder.pieces, end), 'here')
  assert.equal(entry.end, end)
  assert.equal(entry.framesBytes, builder.framesBytes)
  return chunksOf(entry, frames, 'here')
}

describe('A stretch', () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))

  it(`gives back all records that were not erased, with what belongs to them (SEED=${seed})`, () => {
    const random = seededRandom(seed)
    for (let round = 0; round < 100; round++) {
      const chunks: Chunk[] = []
      let next = randomBelow(random, 1000)
      for (let count = 1 + randomBelow(random, 6); count > 0; count--) {
        if (random() < 0.2) next += randomBelow(random, 5)
        chunks.push(chunkAt(LOG, next, 1 + randomBelow(random, 30)))
        next += chunks[chunks.length - 1].count
      }
      const erased: SequenceRange[] = []
      for (let count = randomBelow(random, 8); count > 0; count--) {
        const first = chunks[0].first + randomBelow(random, next - chunks[0].first)
        addRange(erased, { first, end: first + randomBelow(random, 20) })
      }
      const expected = recordsOf(chunks).filter(({ sequence }) => !includes(erased, sequence))
      if (expected.length === 0) continue
      const found = through(chunks, erased)
      assert.deepEqual(recordsOf(found), expected)
      for (const { first, count, attributes } of found) {
        const own = chunkAt(LOG, first, count).attributes
        assert.deepEqual(attributes && Buffer.from(attributes), own)
      }
    }
  })

  it('knows of every changed byte', () => {
    const chunk = chunkAt(LOG, 100, 20)
    const frames = Buffer.from(chunk.frames)
    const pieces = [{ first: 100, count: 20, framesBytes: frames.length, attributes: chunk.attributes }]
    const entry = encodeStretchEntry(LOG, frames, pieces, 120)
    const isCorrupt = (error: unknown): boolean =>
      error instanceof BrokerError && error.code === 'E_STORAGE_CORRUPT' && error.detail.startsWith('here: ')
    for (let at = 0; at < entry.length; at++) {
      const spoilt = Buffer.from(entry)
      spoilt[at] ^= 4
      assert.throws(() => decodeStretchEntry(LOG, spoilt, 'here'), isCorrupt, `byte ${at}`)
    }
    for (let length = 0; length < entry.length; length++) {
      assert.throws(() => decodeStretchEntry(LOG, entry.subarray(0, length), 'here'), isCorrupt, `${length} bytes`)
    }
    assert.throws(() => decodeStretchEntry(LOG + 1, entry, 'here'), isCorrupt)
    const decoded = decodeStretchEntry(LOG, entry, 'here')
    for (let at = 0; at < frames.length; at += 7) {
      const spoilt = Buffer.from(frames)
      spoilt[at] ^= 4
      assert.throws(() => chunksOf(decoded, spoilt, 'here'), isCorrupt, `byte ${at}`)
    }
  })
})

describe('YoungRecords', () => {
  /** Plain records that lie behind each other in one buffer, as publishes of one at a time do. */
  function inOneSlab(first: number, count: number): Chunk[] {
    const chunks = Array.from({ length: count }, (_, at) => ({ ...chunkAt(LOG, first + at, 1), attributes: null }))
    const slab = Buffer.concat(chunks.map(({ frames }) => frames))
    let at = 0
    return chunks.map((chunk) => {
      at += chunk.frames.length
      return { ...chunk, frames: slab.subarray(at - chunk.frames.length, at) }
    })
  }

  function read(young: YoungRecords, from = 0): readonly number[] {
    const chunks: Chunk[] = []
    young.read(from, Infinity, Infinity, chunks, 0)
    return sequencesOf(chunks)
  }

  it('joins what lies behind each other, and forgets part of that when it was refused', () => {
    const young = new YoungRecords()
    let sizeBytes = 0
    for (const chunk of inOneSlab(0, 10)) sizeBytes += young.append(chunk, 1, true)
    const chunks: Chunk[] = []
    young.read(0, Infinity, Infinity, chunks, 0)
    assert.equal(chunks.length, 1)
    sizeBytes -= young.dropFrom(6)
    assert.deepEqual(read(young), [0, 1, 2, 3, 4, 5])
    assert.equal(young.sizeBytes, sizeBytes)
    young.append({ ...chunkAt(LOG, 6, 2), attributes: null }, 2, true)
    assert.deepEqual(read(young), [0, 1, 2, 3, 4, 5, 6, 7])
    assert.equal(young.sizeBytes - young.dropBelow(8), 0)
    assert(young.isEmpty)
  })

  it('joins nothing to what is being stored', () => {
    const young = new YoungRecords()
    const [one, two] = inOneSlab(0, 2)
    young.append(one, 1, true)
    assert.equal(young.freeze(Infinity, Infinity).length, 1)
    young.append(two, 1, true)
    young.dropBelow(1)
    assert.deepEqual(read(young), [1])
  })

  it('freezes what the journal should be rid of, and no more', () => {
    const young = new YoungRecords()
    for (let at = 0; at < 4; at++) young.append(chunkAt(LOG, at * 10, 10), at + 1, true)
    assert.deepEqual(
      young.freeze(Infinity, 3).map(({ first }) => first),
      [0, 10],
    )
    assert.deepEqual(
      young.freeze(10, Infinity).map(({ first }) => first),
      [0],
    )
    young.dropBelow(20)
    assert.equal(young.oldestJournalFile, 3)
  })
})
