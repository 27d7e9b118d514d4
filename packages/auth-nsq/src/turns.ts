/** Lets a few in at the same time; others wait in order, within a bound. */
export class Turns {
  readonly #waitingMax: number
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(countMax: number, waitingMax: number) {
    this.#free = countMax
    this.#waitingMax = waitingMax
  }

  /** @returns what resolves when it is one's turn, to be followed by {@link give}; `null` when too many wait */
  take(): Promise<void> | null {
    if (this.#free > 0) {
      this.#free--
      return Promise.resolve()
    }
    if (this.#waiting.length >= this.#waitingMax) return null
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  give(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}
