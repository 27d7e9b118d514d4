import assert from 'node:assert/strict'
import { decodeHead, encodeHead } from '../../src/engine/cursor-codec.js'

describe('the head of a saved cursor', () => {
  const CHANNEL = 7
  /** As releases before runs have written it. */
  const OLD_HEAD = Buffer.from('013c826b9100000007405ec000000000004063400000000000', 'hex')

  it('opens as it was written before there were runs', () => {
    assert.deepEqual(decodeHead(CHANNEL, OLD_HEAD), { floor: 123, deliveredUpTo: 154, finishedRun: null })
  })

  it('is written as ever where there is no run, so that an older release opens it', () => {
    const head = encodeHead(CHANNEL, { floor: 123, deliveredUpTo: 154, finishedRun: null })
    assert.deepEqual(Buffer.from(head), OLD_HEAD)
  })

  it('has another version with a run, so that an older release does not give out what is finished', () => {
    const head = { floor: 123, deliveredUpTo: 154, finishedRun: { first: 200, end: 2 ** 40 } }
    const bytes = encodeHead(CHANNEL, head)
    assert.equal(bytes[0], 2)
    assert.deepEqual(decodeHead(CHANNEL, bytes), head)
  })

  it('is refused when any of its bits is another, or any byte is missing', () => {
    for (const finishedRun of [null, { first: 200, end: 300 }]) {
      const bytes = Buffer.from(encodeHead(CHANNEL, { floor: 123, deliveredUpTo: 154, finishedRun }))
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const damaged = Buffer.from(bytes)
        damaged[bit >> 3] ^= 1 << (bit & 7)
        assert.throws(() => decodeHead(CHANNEL, damaged), { code: 'E_STORAGE_CORRUPT' }, `bit ${bit}`)
      }
      for (let size = 0; size < bytes.length; size++) {
        assert.throws(
          () => decodeHead(CHANNEL, bytes.subarray(0, size)),
          { code: 'E_STORAGE_CORRUPT' },
          `${size} bytes`,
        )
      }
    }
  })
})
