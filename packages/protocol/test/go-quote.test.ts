import assert from 'node:assert/strict'
import { goQuote } from '../src/go-quote.js'

/** What Go's `strconv.Quote` makes of UTF-8 text. */
const QUOTED: readonly [text: string, quoted: string][] = [
  ['', '""'],
  ['plain name', '"plain name"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ['\x07\b\f\n\r\t\v', '"\\a\\b\\f\\n\\r\\t\\v"'],
  ['\x00\x01\x1f\x7f', '"\\x00\\x01\\x1f\\x7f"'],
  ['é ☺ 世界 😀', '"é ☺ 世界 😀"'],
  ['\u00a0\u200b\u2028\ufeff', '"\\u00a0\\u200b\\u2028\\ufeff"'],
  ['\u{e0001}', '"\\U000e0001"'],
  ['\ufffd', '"\ufffd"'],
]

/** What it makes of bytes that are not UTF-8. */
const QUOTED_BYTES: readonly [bytes: string, quoted: string][] = [
  ['\xff', '"\\xff"'],
  ['\x80\xbf', '"\\x80\\xbf"'],
  ['a\xc3', '"a\\xc3"'],
  ['\xe4\xb8x', '"\\xe4\\xb8x"'],
  ['\xf0\x9f\x98', '"\\xf0\\x9f\\x98"'],
  ['\xc0\x80', '"\\xc0\\x80"'],
  ['\xed\xa0\x80', '"\\xed\\xa0\\x80"'],
  ['\xf5\x80\x80\x80', '"\\xf5\\x80\\x80\\x80"'],
]

describe('names in errors', () => {
  for (const [text, quoted] of QUOTED) {
    it(`are quoted as Go quotes them: ${quoted}`, () => {
      const bytes = Buffer.from(text, 'utf8').toString('latin1')
      assert.equal(Buffer.from(goQuote(bytes), 'latin1').toString('utf8'), quoted)
    })
  }

  for (const [bytes, quoted] of QUOTED_BYTES) {
    it(`show bytes that are no text: ${quoted}`, () => {
      assert.equal(goQuote(bytes), quoted)
    })
  }
})
