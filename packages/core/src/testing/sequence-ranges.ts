import type { Sequence, SequenceRange } from '../contracts/sequence.js'

/** What is left of `[first, end)` without the `ranges`, which may be in any order and overlap. */
export function withoutRanges(ranges: readonly SequenceRange[], first: Sequence, end: Sequence): SequenceRange[] {
  let left: SequenceRange[] = [{ first, end }]
  for (const range of ranges) {
    if (range.end <= first || range.first >= end) continue
    left = left.flatMap((part) => [
      { first: part.first, end: Math.min(part.end, range.first) },
      { first: Math.max(part.first, range.end), end: part.end },
    ])
    left = left.filter((part) => part.first < part.end)
  }
  return left
}
