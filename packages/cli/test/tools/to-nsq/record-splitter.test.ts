import assert from 'node:assert/strict'
import { RecordSplitter, RecordTooLongError } from '../../../src/tools/to-nsq/record-splitter.js'

const LINE_FEED = 10

function recordsOf(chunks: readonly string[], recordSizeBytesMax = 100): string[] {
  const splitter = new RecordSplitter(LINE_FEED, recordSizeBytesMax)
  const records = chunks.flatMap((chunk) => [...splitter.split(Buffer.from(chunk))])
  const last = splitter.end()
  return [...records, ...(last === null ? [] : [last])].map(String)
}

describe('records of a stream', () => {
  it('end at the delimiter, wherever the chunks end', () => {
    const text = 'one\ntwo\n\nthree and more\n'
    for (let size = 1; size <= text.length; size++) {
      const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
        text.slice(at * size, (at + 1) * size),
      )
      assert.deepEqual(recordsOf(chunks), ['one', 'two', 'three and more'], `chunks of ${size}`)
    }
  })

  it('may end without a delimiter at the end of the stream, and lose nothing then', () => {
    assert.deepEqual(recordsOf(['first\nlast']), ['first', 'last'])
    assert.deepEqual(recordsOf(['x']), ['x'])
    assert.deepEqual(recordsOf(['a\nb', 'c']), ['a', 'bc'])
    assert.deepEqual(recordsOf([]), [])
  })

  it('may be any bytes, and any byte may end them', () => {
    const splitter = new RecordSplitter(0, 100)
    const bytes = Buffer.from([0xff, 0x0a, 0x00, 0xc3, 0x00])
    assert.deepEqual([...splitter.split(bytes)], [Buffer.from([0xff, 0x0a]), Buffer.from([0xc3])])
  })

  it('may be as long as they may be and no longer, in one chunk or in several', () => {
    assert.deepEqual(recordsOf(['12345\n'], 5), ['12345'])
    assert.deepEqual(recordsOf(['123', '45', '\n'], 5), ['12345'])
    for (const chunks of [['ok\n123456\n'], ['ok\n123', '456'], ['ok\n', '1234', '56']]) {
      assert.throws(() => recordsOf(chunks, 5), new RecordTooLongError(2, 5))
    }
  })
})
