import type { Sequence, SequenceRange } from '@spillway/core'

/** Adds a range to ascending ranges that do not touch each other; it may overlap and join them. */
export function addRange(ranges: SequenceRange[], added: SequenceRange): void {
  let { first, end } = added
  if (end <= first) return
  let from = ranges.length
  while (from > 0 && ranges[from - 1].end >= first) from--
  let to = from
  while (to < ranges.length && ranges[to].first <= end) {
    first = Math.min(first, ranges[to].first)
    end = Math.max(end, ranges[to].end)
    to++
  }
  ranges.splice(from, to - from, { first, end })
}

/** What is left of `[first, end)` without the ascending `ranges`. */
export function without(ranges: readonly SequenceRange[], first: Sequence, end: Sequence): SequenceRange[] {
  const left: SequenceRange[] = []
  let at = first
  for (const range of ranges) {
    if (range.end <= at) continue
    if (range.first >= end) break
    if (range.first > at) left.push({ first: at, end: range.first })
    at = range.end
  }
  if (at < end) left.push({ first: at, end })
  return left
}

export function countOf(ranges: readonly SequenceRange[]): number {
  return ranges.reduce((sum, { first, end }) => sum + end - first, 0)
}

/** What is left of ascending ranges without others, ascending too. */
export function difference(ranges: readonly SequenceRange[], taken: readonly SequenceRange[]): SequenceRange[] {
  const left: SequenceRange[] = []
  let next = 0
  for (const { first, end } of ranges) {
    let at = first
    while (next < taken.length && taken[next].end <= at) next++
    for (let i = next; i < taken.length && taken[i].first < end && at < end; i++) {
      if (taken[i].first > at) left.push({ first: at, end: taken[i].first })
      at = Math.max(at, taken[i].end)
    }
    if (at < end) left.push({ first: at, end })
  }
  return left
}
