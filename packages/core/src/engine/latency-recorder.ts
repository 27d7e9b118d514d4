import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { LatencyStats } from '../contracts/stats.js'

/** Measured in microseconds, to two digits; what takes longer than a week counts as a week. */
const US_MAX = 7 * 24 * 3600 * 1e6
const DIGITS = 2

const newHistogram = (): RecordableHistogram => createHistogram({ lowest: 1, highest: US_MAX, figures: DIGITS })

/**
 * How long messages took, over a window that slides by halves:
 *
 * ```
 *   | previous half | current half …now |        what is older than the previous half is forgotten
 * ```
 */
export class LatencyRecorder {
  readonly #windowMs: number
  #previous: RecordableHistogram | null = null
  #current: RecordableHistogram | null = null
  #currentFromMs = 0
  /** Of all time, which no window forgets. */
  #totalCount = 0
  #totalMs = 0

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  record(latencyMs: number, nowMs: number): void {
    this.#slide(nowMs)
    this.#current ??= newHistogram()
    this.#totalCount++
    this.#totalMs += Math.max(0, latencyMs)
    this.#current.record(Math.min(US_MAX, Math.max(1, Math.round(latencyMs * 1000))))
  }

  /** What several recorders have measured together. */
  static stats(recorders: Iterable<LatencyRecorder>, quantiles: readonly number[], nowMs: number): LatencyStats {
    const all = newHistogram()
    let totalCount = 0
    let totalMs = 0
    for (const recorder of recorders) {
      totalCount += recorder.#totalCount
      totalMs += recorder.#totalMs
      recorder.#slide(nowMs)
      for (const half of [recorder.#previous, recorder.#current]) if (half !== null) all.add(half)
    }
    const { count } = all
    const valueNsOf = (quantile: number): number => (count === 0 ? 0 : all.percentile(quantile * 100) * 1000)
    return {
      count,
      totalCount,
      totalMs,
      quantiles: quantiles.map((quantile) => ({ quantile, valueNs: valueNsOf(quantile) })),
    }
  }

  #slide(nowMs: number): void {
    const halfMs = this.#windowMs / 2
    if (nowMs < this.#currentFromMs + halfMs) return
    this.#previous = nowMs < this.#currentFromMs + this.#windowMs ? this.#current : null
    this.#current = null
    this.#currentFromMs = nowMs
  }
}
