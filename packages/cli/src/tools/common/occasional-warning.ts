const INTERVAL_MS = 10_000

/** Tells what happens again and again: the first time, and from then on at most every 10 s, with how often it was meanwhile. */
export class OccasionalWarning {
  readonly #tell: (line: string) => void
  readonly #nowMs: () => number
  #toldMs = Number.NEGATIVE_INFINITY
  #untoldCount = 0

  constructor(tell: (line: string) => void, nowMs: () => number) {
    this.#tell = tell
    this.#nowMs = nowMs
  }

  say(line: string): void {
    const nowMs = this.#nowMs()
    if (nowMs - this.#toldMs < INTERVAL_MS) {
      this.#untoldCount++
      return
    }
    this.#tell(this.#untoldCount === 0 ? line : `${line} (and ${this.#untoldCount} more since the last such line)`)
    this.#toldMs = nowMs
    this.#untoldCount = 0
  }
}
