export interface Percentiles {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

/** Keeps every latency of one phase: a sample per serial number, so percentiles are exact. */
export class LatencyRecorder {
  readonly #samplesMs: Float64Array
  readonly #firstSerial: number
  #count = 0

  /** Serials outside `[firstSerial, firstSerial + count)` are not recorded: warm-up, or another phase. */
  constructor(firstSerial: number, count: number) {
    this.#firstSerial = firstSerial
    this.#samplesMs = new Float64Array(count)
  }

  record(serial: number, latencyMs: number): void {
    const index = serial - this.#firstSerial
    if (index >= 0 && index < this.#samplesMs.length) this.#samplesMs[this.#count++] = latencyMs
  }

  get count(): number {
    return this.#count
  }

  percentiles(): Percentiles {
    const sorted = this.#samplesMs.subarray(0, this.#count).slice().sort()
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]
    return { p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999), maxMs: at(1) }
  }
}
