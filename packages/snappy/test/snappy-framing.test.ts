import assert from 'node:assert/strict'
import { SnappyDecoder, SnappyEncoder, type SnappyLibrary, snappyLibrary } from '../src/index.js'

const library = snappyLibrary() as SnappyLibrary

function decodeAll(chunks: readonly Uint8Array[]): Buffer {
  const parts: Buffer[] = []
  const decoder = new SnappyDecoder(library, (bytes) => void parts.push(bytes))
  for (const chunk of chunks) decoder.decode(Buffer.from(chunk))
  return Buffer.concat(parts)
}

/** Compressible at first, then not. */
const TEXT = Buffer.concat([
  Buffer.from('hello '.repeat(20_000)),
  Buffer.from(Array.from({ length: 100_000 }, (_, index) => Math.imul(index, 2_654_435_761) >>> 24)),
])

describe('snappy framing', () => {
  before(function () {
    if (snappyLibrary() instanceof Error) this.skip()
  })

  it('decodes what it has encoded, one write after the other', () => {
    const encoder = new SnappyEncoder(library)
    const writes = [TEXT.subarray(0, 10), TEXT.subarray(10, 70_000), TEXT.subarray(70_000)]
    assert.deepEqual(decodeAll(writes.map((write) => encoder.encode(write))), TEXT)
  })

  it('decodes it however it is split', () => {
    const encoded = new SnappyEncoder(library).encode(Buffer.from('hello '.repeat(50)))
    for (let at = 0; at <= encoded.length; at++) {
      assert.equal(
        decodeAll([encoded.subarray(0, at), encoded.subarray(at)]).toString(),
        'hello '.repeat(50),
        `at ${at}`,
      )
    }
  })

  it('refuses a stream without its name, and one whose checksum does not match', () => {
    const encoded = new SnappyEncoder(library).encode(Buffer.from('hello'))
    assert.throws(() => decodeAll([encoded.subarray(10)]), /does not begin with its name/)
    encoded[encoded.length - 1] ^= 1
    assert.throws(() => decodeAll([encoded]), /checksum|snappy/)
  })
})
