import type { LatencyStats } from '../contracts/stats.js'
import { LatencyHistogram } from './latency-histogram.js'

/** Where recorders are added up. One for all: whoever uses it is done with it before anybody else runs. */
const sum = new LatencyHistogram()

/**
 * How long messages took, over a window that slides by halves:
 *
 * ```
 *   | previous half | current half …now |        what is older than the previous half is forgotten
 * ```
 */
export class LatencyRecorder {
  readonly #windowMs: number
  #previous: LatencyHistogram | null = null
  #current: LatencyHistogram | null = null
  #currentFromMs = 0
  /** Of all time, which no window forgets. */
  #totalCount = 0
  #totalMs = 0

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  record(latencyMs: number, nowMs: number): void {
    this.#slide(nowMs)
    this.#current ??= new LatencyHistogram()
    this.#current.record(latencyMs)
    this.#totalCount++
    this.#totalMs += Math.max(0, latencyMs)
  }

  /** What several recorders have measured together. */
  static stats(recorders: Iterable<LatencyRecorder>, quantiles: readonly number[], nowMs: number): LatencyStats {
    sum.reset()
    let totalCount = 0
    let totalMs = 0
    for (const recorder of recorders) {
      totalCount += recorder.#totalCount
      totalMs += recorder.#totalMs
      recorder.#slide(nowMs)
      if (recorder.#previous !== null) sum.add(recorder.#previous)
      if (recorder.#current !== null) sum.add(recorder.#current)
    }
    return {
      count: sum.count,
      totalCount,
      totalMs,
      quantiles: quantiles.map((quantile) => ({ quantile, valueNs: sum.valueNs(quantile) })),
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
