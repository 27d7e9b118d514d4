const NS_PER_SECOND = 1_000_000_000
const UNITS: readonly (readonly [unit: string, ns: number])[] = [
  ['s', NS_PER_SECOND],
  ['ms', 1_000_000],
  ['µs', 1000],
]

/** A duration as Go prints it: `1h2m3.5s`, `969.09314ms`, `0s`. */
export function toGoDuration(ms: number): string {
  const ns = Math.round(ms * 1_000_000)
  if (ns <= 0) return '0s'
  if (ns < NS_PER_SECOND) {
    const [unit, unitNs] = UNITS.find(([, size]) => ns >= size) ?? ['ns', 1]
    return `${fraction(ns, unitNs)}${unit}`
  }
  const minutes = Math.floor(ns / (60 * NS_PER_SECOND))
  const seconds = `${fraction(ns - minutes * 60 * NS_PER_SECOND, NS_PER_SECOND)}s`
  if (minutes === 0) return seconds
  if (minutes < 60) return `${minutes}m${seconds}`
  return `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`
}

/** `ns` in a larger unit, exactly, without zeros at the end. */
function fraction(ns: number, unitNs: number): string {
  const whole = Math.floor(ns / unitNs)
  const digits = String(unitNs + (ns % unitNs))
    .slice(1)
    .replace(/0+$/, '')
  return digits === '' ? String(whole) : `${whole}.${digits}`
}
