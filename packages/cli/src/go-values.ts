/** Values as Go reads them from text. Each throws an Error that says in a few words what is wrong. */

const NANOSECONDS_PER_UNIT: Record<string, number> = {
  ns: 1,
  us: 1e3,
  µs: 1e3, // U+00B5
  μs: 1e3, // U+03BC
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}

/** A duration such as `5s`, `1m30s` or `250ms`, in milliseconds. A number without a unit is an error, except 0. */
export function parseGoDurationMs(text: string): number {
  const [, sign, body] = /^([+-]?)(.+)$/s.exec(text) ?? []
  if (body === undefined) throw new Error('parse error')
  if (body === '0') return 0
  const parts = [...body.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy)]
  const isWhole = parts.reduce((length, [part]) => length + part.length, 0) === body.length
  if (parts.length === 0 || !isWhole) throw new Error('parse error')
  const nanoseconds = parts.reduce((sum, [, number, unit]) => sum + Number(number) * NANOSECONDS_PER_UNIT[unit], 0)
  return (sign === '-' ? -nanoseconds : nanoseconds) / 1e6
}

/** A whole number: decimal, or with Go's prefixes `0x`, `0o`, `0b` and a plain leading `0` for octal; `_` between digits. */
export function parseGoInteger(text: string): number {
  const [, sign, digits] =
    /^([+-]?)(0[xX]_?[\da-fA-F]+(?:_[\da-fA-F]+)*|0[oObB]_?\d+(?:_\d+)*|\d+(?:_\d+)*)$/.exec(text) ?? []
  if (digits === undefined) throw new Error('parse error')
  const plain = digits.replaceAll('_', '')
  const value = Number(/^0\d/.test(plain) ? `0o${plain.slice(1)}` : plain)
  if (Number.isNaN(value)) throw new Error('parse error')
  if (!Number.isSafeInteger(value)) throw new Error('value out of range')
  return sign === '-' ? -value : value
}

/** `1`, `t`, `true` and their like; `0`, `f`, `false` and theirs. */
export function parseGoBoolean(text: string): boolean {
  if (/^(?:1|t|T|true|TRUE|True)$/.test(text)) return true
  if (/^(?:0|f|F|false|FALSE|False)$/.test(text)) return false
  throw new Error('parse error')
}
