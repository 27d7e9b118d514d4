import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Chunk, decodeChunk, encodeChunkHeader } from '../../src/index.js'

const bytes = fc.uint8Array({ minLength: 0, maxLength: 200 })
const chunks: fc.Arbitrary<Chunk> = fc.record({
  first: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  count: fc.integer({ min: 1, max: 0xffffffff }),
  frames: bytes,
  attributes: fc.option(fc.uint8Array({ minLength: 1, maxLength: 50 })),
})

const store = (log: number, chunk: Chunk): Buffer =>
  Buffer.concat([encodeChunkHeader(log, chunk), chunk.frames, chunk.attributes ?? Buffer.alloc(0)])

describe('a stored chunk', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(chunks, fc.integer({ min: 1, max: 0xffffffff }), (chunk, log) => {
        const read = decodeChunk(log, store(log, chunk), 'here')
        assert.equal(read.first, chunk.first)
        assert.equal(read.count, chunk.count)
        assert.deepEqual(Buffer.from(read.frames), Buffer.from(chunk.frames))
        assert.deepEqual(
          read.attributes && Buffer.from(read.attributes),
          chunk.attributes && Buffer.from(chunk.attributes),
        )
      }),
    )
  })

  it('is refused by name when any byte of it has changed, or its end is missing', () => {
    fc.assert(
      fc.property(chunks, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean(), (chunk, place, change, cut) => {
        const stored = store(7, chunk)
        const at = place % stored.length
        if (at === 2 || at === 3) return // reserved
        if (!cut) stored[at] ^= change
        const value = cut ? stored.subarray(0, at) : stored
        assert.throws(() => decodeChunk(7, value, 'log 7'), { code: 'E_STORAGE_CORRUPT', message: /log 7: chunk / })
      }),
    )
  })

  it('is refused in another log', () => {
    const chunk = { first: 1, count: 1, frames: Buffer.from('x'), attributes: null }
    assert.throws(() => decodeChunk(8, store(7, chunk), 'log 8'), /belongs to log 7/)
  })
})
