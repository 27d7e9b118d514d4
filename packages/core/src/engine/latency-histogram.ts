/** What takes longer than a week counts as a week, what takes less than a microsecond as one. */
const US_MAX = 7 * 24 * 3600 * 1e6
/** Buckets of one octave: each is at most 1/64 of its values wide, so that its middle is within 1 % of them. */
const OCTAVE_BUCKETS = 64
const OCTAVE_BITS = 6
/** Cut off from what has more than 31 bits. */
const HIGH_BITS = 16
const NO_COUNTS = new Uint32Array(0)

/**
 * How many latencies there were of each size, in buckets that get wider with it:
 *
 * ```
 *   µs   0 … 127, one each | 128 … 255, two each | 256 … 511, four each | …
 *        octaves 0 and 1     octave 2              octave 3
 * ```
 *
 * Only the octaves between the shortest and the longest latency take memory, 256 bytes each; a usual channel has ten to
 * twenty. Node's own histogram takes 34 kB natively for the same range, and about four times as long
 * for one latency.
 */
export class LatencyHistogram {
  #count = 0
  /** Buckets from `#first`, the beginning of an octave. */
  #counts = NO_COUNTS
  #first = 0

  get count(): number {
    return this.#count
  }

  record(latencyMs: number): void {
    const bucket = bucketOf(Math.min(US_MAX, Math.max(1, Math.round(latencyMs * 1000))))
    const at = bucket - this.#first
    if (at < 0 || at >= this.#counts.length) this.#include(bucket, bucket + 1)
    this.#counts[bucket - this.#first]++
    this.#count++
  }

  /** Counts all that `other` has counted. */
  add(other: LatencyHistogram): void {
    if (other.#count === 0) return
    const { length } = other.#counts
    this.#include(other.#first, other.#first + length)
    const offset = other.#first - this.#first
    for (let at = 0; at < length; at++) this.#counts[offset + at] += other.#counts[at]
    this.#count += other.#count
  }

  /** Forgets everything, and keeps its memory. */
  reset(): void {
    this.#counts.fill(0)
    this.#count = 0
  }

  /** The latency that the share `quantile` of all did not exceed, within 1 %; 0 when there are none. */
  valueNs(quantile: number): number {
    if (this.#count === 0) return 0
    let left = Math.max(1, Math.ceil(quantile * this.#count))
    let at = 0
    for (;;) {
      left -= this.#counts[at]
      if (left <= 0) return middleUs(this.#first + at) * 1000
      at++
    }
  }

  /** Makes room for the buckets `[first, end)`. */
  #include(first: number, end: number): void {
    const hasNone = this.#counts.length === 0
    const from = Math.min(hasNone ? first : this.#first, first - (first % OCTAVE_BUCKETS))
    const needed = Math.max(hasNone ? 0 : this.#first + this.#counts.length, end)
    const to = Math.ceil(needed / OCTAVE_BUCKETS) * OCTAVE_BUCKETS
    if (from === this.#first && to - from === this.#counts.length) return
    const counts = new Uint32Array(to - from)
    if (!hasNone) counts.set(this.#counts, this.#first - from)
    this.#counts = counts
    this.#first = from
  }
}

/** The bucket of a whole number of microseconds from 1 on. */
function bucketOf(us: number): number {
  if (us < 2 * OCTAVE_BUCKETS) return us
  if (us < 2 ** 31) {
    const shift = 31 - OCTAVE_BITS - Math.clz32(us)
    return OCTAVE_BUCKETS * shift + (us >>> shift)
  }
  // Operators on bits see 32 of them, and a week has 40. The bits that are cut off decide nothing.
  return OCTAVE_BUCKETS * HIGH_BITS + bucketOf(Math.floor(us / 2 ** HIGH_BITS))
}

function middleUs(bucket: number): number {
  if (bucket < 2 * OCTAVE_BUCKETS) return bucket
  const shift = Math.floor(bucket / OCTAVE_BUCKETS) - 1
  const firstUs = (bucket - OCTAVE_BUCKETS * shift) * 2 ** shift
  return firstUs + (2 ** shift - 1) / 2
}
