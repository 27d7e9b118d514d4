/** So many of the last durations are kept; percentiles of more are no better. */
const KEPT_MAX = 10_000

/** Durations of the last requests, and a line about them now and then. */
export class Timings {
  readonly #name: string
  readonly #every: number
  readonly #tell: (line: string) => void
  readonly #durationsMs: Float64Array
  #count = 0

  /** @param every - after how many it tells; 0: never */
  constructor(name: string, every: number, tell: (line: string) => void) {
    this.#name = name
    this.#every = every
    this.#tell = tell
    this.#durationsMs = new Float64Array(Math.min(every, KEPT_MAX))
  }

  add(durationMs: number): void {
    if (this.#every === 0) return
    this.#durationsMs[this.#count % this.#durationsMs.length] = durationMs
    if (++this.#count < this.#every) return
    this.#count = 0
    this.#tell(this.#line())
  }

  #line(): string {
    const sorted = this.#durationsMs.slice().sort()
    const percentile = (percent: number): string => ms(sorted[Math.ceil((percent / 100) * sorted.length) - 1])
    const average = ms(sorted.reduce((sum, each) => sum + each, 0) / sorted.length)
    return `${this.#name}: finished ${this.#every} - 99th: ${percentile(99)} - 95th: ${percentile(95)} - avg: ${average}`
  }
}

const ms = (durationMs: number): string => `${durationMs.toFixed(2)}ms`
