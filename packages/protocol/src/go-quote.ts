const NAMED_ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x07, '\\a'],
  [0x08, '\\b'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0b, '\\v'],
  [0x0c, '\\f'],
  [0x0d, '\\r'],
  [0x22, '\\"'],
  [0x5c, '\\\\'],
])
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u
const REPLACEMENT_CODE_POINT = 0xfffd

/**
 * Quotes bytes as Go's `%q` does, since nsqd's errors quote names so: `"`, then printable UTF-8 as it is and everything
 * else escaped, then `"`.
 *
 * @param text - a byte string: one character per byte
 * @returns a byte string
 */
export function goQuote(text: string): string {
  const bytes = Buffer.from(text, 'latin1')
  let quoted = '"'
  let at = 0
  while (at < bytes.length) {
    const sizeBytes = codePointSizeBytes(bytes, at)
    quoted += sizeBytes === 0 ? hexEscape('x', bytes[at], 2) : quoteCodePoint(bytes.subarray(at, at + sizeBytes))
    at += Math.max(1, sizeBytes)
  }
  return `${quoted}"`
}

function quoteCodePoint(utf8: Buffer): string {
  const character = utf8.toString('utf8')
  const codePoint = character.codePointAt(0) as number
  const named = NAMED_ESCAPES.get(codePoint)
  if (named !== undefined) return named
  if (PRINTABLE.test(character)) return utf8.toString('latin1')
  if (codePoint < 0x80) return hexEscape('x', codePoint, 2)
  return codePoint < 0x10000 ? hexEscape('u', codePoint, 4) : hexEscape('U', codePoint, 8)
}

/** How many bytes the well-formed UTF-8 sequence at `at` has; 0 when there is none. */
function codePointSizeBytes(bytes: Buffer, at: number): number {
  const lead = bytes[at]
  const sizeBytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  const character = bytes.subarray(at, at + sizeBytes).toString('utf8')
  const isWhole = character.length === (sizeBytes === 4 ? 2 : 1)
  if (!isWhole) return 0
  // A malformed sequence also decodes to one U+FFFD; only the real one has these three bytes.
  if (character.codePointAt(0) !== REPLACEMENT_CODE_POINT) return sizeBytes
  return sizeBytes === 3 && lead === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd ? 3 : 0
}

function hexEscape(kind: 'x' | 'u' | 'U', value: number, digitCount: number): string {
  return `\\${kind}${value.toString(16).padStart(digitCount, '0')}`
}
