import assert from 'node:assert/strict'
import { buildBody, patchSerial } from '../src/body.js'
import { complaintOf, Ledger } from '../src/ledger.js'

const TAG = 0x1234abcd
const SIZE_BYTES = 200

function bodyOf(serial: number, tag = TAG, sizeBytes = SIZE_BYTES): Buffer {
  const body = buildBody(tag, sizeBytes)
  patchSerial(viewOf(body), 0, sizeBytes, serial)
  return body
}

const viewOf = (body: Buffer) => new DataView(body.buffer, body.byteOffset, body.length)

function record(ledger: Ledger, body: Buffer, attempts = 1): number {
  return ledger.record(body, viewOf(body), 0, body.length, attempts)
}

describe('a ledger', () => {
  it('is complete and content when every message came once, in any order', () => {
    const ledger = new Ledger(3, TAG, SIZE_BYTES)
    for (const serial of [2, 0, 1]) assert.equal(record(ledger, bodyOf(serial)), serial)
    assert.equal(ledger.complete, true)
    assert.equal(complaintOf(ledger.result()), null)
  })

  it('counts what is missing as lost', () => {
    const ledger = new Ledger(3, TAG, SIZE_BYTES)
    record(ledger, bodyOf(1))
    assert.equal(ledger.complete, false)
    assert.equal(complaintOf(ledger.result()), 'of 3 messages 2 lost, 0 corrupt, 0 delivered twice')
  })

  it('forgives a second delivery that the broker has counted as one, and no other', () => {
    const ledger = new Ledger(1, TAG, SIZE_BYTES)
    record(ledger, bodyOf(0))
    assert.equal(record(ledger, bodyOf(0), 2), -1)
    assert.equal(complaintOf(ledger.result()), null)
    assert.equal(ledger.result().redeliveredCount, 1)
    record(ledger, bodyOf(0), 1)
    assert.equal(complaintOf(ledger.result()), 'of 1 messages 0 lost, 0 corrupt, 1 delivered twice')
  })

  it('forgives any second delivery after a crash', () => {
    const ledger = new Ledger(1, TAG, SIZE_BYTES)
    record(ledger, bodyOf(0))
    ledger.crashed()
    record(ledger, bodyOf(0), 1)
    assert.equal(complaintOf(ledger.result()), null)
    assert.equal(ledger.result().redeliveredCount, 1)
  })

  const damages: readonly [string, (body: Buffer) => Buffer][] = [
    ['a tag of another run', () => bodyOf(0, TAG + 1)],
    ['a body that is too short', (body) => body.subarray(0, -1)],
    ['a serial that was never given out', () => bodyOf(16)],
    ['a serial below 0', () => bodyOf(-1)],
    ['a changed last byte', (body) => change(body, SIZE_BYTES - 1)],
    ['a changed serial', (body) => change(body, 7)],
    ['a changed byte in the middle', (body) => change(body, 100)],
  ]
  for (const [what, damage] of damages) {
    it(`notices ${what}`, () => {
      const ledger = new Ledger(16, TAG, SIZE_BYTES)
      assert.equal(record(ledger, damage(bodyOf(0))), -1)
      assert.equal(ledger.corruptCount, 1)
      assert.equal(ledger.receivedCount, 0)
    })
  }
})

function change(body: Buffer, at: number): Buffer {
  body[at] ^= 1
  return body
}
