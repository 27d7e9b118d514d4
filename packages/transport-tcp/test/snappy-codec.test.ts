import assert from 'node:assert/strict'
import { SnappyEncoder, type SnappyLibrary, snappyLibrary } from '@spillway/snappy'
import { SnappyCodec } from '../src/snappy-codec.js'

const library = snappyLibrary() as SnappyLibrary

/** What a peer sends, a chunk for each text. */
function encoded(texts: readonly string[]): Buffer {
  const encoder = new SnappyEncoder(library)
  return Buffer.concat(texts.map((text) => encoder.encode(Buffer.from(text))))
}

describe('snappy', () => {
  /** What it has handed on and said, in order. */
  let events: string[]
  let codec: SnappyCodec
  /** Pauses as soon as this is handed on. */
  let pausesAt: string

  beforeEach(() => {
    events = []
    pausesAt = ''
    codec = new SnappyCodec(library, {
      send: () => assert.fail('nothing was encoded'),
      received: (chunk) => {
        events.push(chunk.toString())
        if (chunk.toString() === pausesAt) codec.pause()
      },
      readingWanted: () => {},
      encoded: () => {},
      ended: (error) => events.push(error === null ? 'ended' : error.message),
      failed: (error) => assert.fail(error),
    })
  })

  it('hands nothing on while it is paused: 64 kB of a read may hold megabytes', () => {
    pausesAt = 'b'
    codec.decode(encoded(['a', 'b', 'c', 'd']))
    assert.deepEqual(events, ['a', 'b'])
    pausesAt = 'c'
    codec.resume()
    assert.deepEqual(events, ['a', 'b', 'c'])
    codec.resume()
    assert.deepEqual(events, ['a', 'b', 'c', 'd'])
  })

  it('keeps what comes while it is paused, however it is split', () => {
    const bytes = encoded(['a', 'b', 'c', 'd'])
    codec.pause()
    for (const byte of bytes) codec.decode(Buffer.from([byte]))
    assert.deepEqual(events, [])
    codec.resume()
    assert.deepEqual(events, ['a', 'b', 'c', 'd'])
  })

  it('keeps no part of the buffer that was read into', () => {
    const bytes = encoded(['a', 'b', 'c'])
    pausesAt = 'a'
    codec.decode(bytes)
    bytes.fill(0)
    codec.resume()
    assert.deepEqual(events, ['a', 'b', 'c'])
  })

  it('tells of the end behind all that came before', () => {
    pausesAt = 'a'
    codec.decode(encoded(['a', 'b']))
    codec.inputEnded()
    assert.deepEqual(events, ['a'])
    codec.resume()
    assert.deepEqual(events, ['a', 'b', 'ended'])
  })

  it('tells of what cannot be decoded behind all that came before', () => {
    pausesAt = 'a'
    codec.decode(Buffer.concat([encoded(['a', 'b']), Buffer.from([0x02, 0, 0, 0])]))
    codec.inputEnded()
    assert.deepEqual(events, ['a'])
    codec.resume()
    assert.deepEqual(events, ['a', 'b', 'snappy: unknown chunk type 2'])
  })
})
