import type { SequenceRange } from '@spillway/core'

/** Adds a range to ascending ranges that lie apart from each other; it may overlap them, and joins those that it touches. */
export function addRange(ranges: SequenceRange[], { first, end }: SequenceRange): void {
  const from = ranges.findIndex((range) => range.end >= first)
  if (from === -1) {
    ranges.push({ first, end })
    return
  }
  let to = from
  while (to < ranges.length && ranges[to].first <= end) to++
  const joined = ranges.slice(from, to)
  ranges.splice(from, to - from, {
    first: Math.min(first, joined[0]?.first ?? first),
    end: Math.max(end, joined.at(-1)?.end ?? end),
  })
}
