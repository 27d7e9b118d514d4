const INTERVAL_MS = 1_000
const CLEAR = '\r\u001b[K'

export interface StatusLineOptions {
  /** Writes to the terminal. */
  write(text: string): void
  /** Whether there is a terminal to show it on; else nothing is ever shown. */
  readonly isShown: boolean
  /** Milliseconds that never go back. */
  nowMs(): number
}

/**
 * One line at the bottom of a terminal that says how far the work is: `12,345 messages written, 678/s`.
 * Whatever else goes to that terminal goes through {@link print}, so that the two do not mix.
 */
export class StatusLine {
  readonly #options: StatusLineOptions
  #timer: NodeJS.Timeout | null = null
  #line = ''

  constructor(options: StatusLineOptions) {
    this.#options = options
  }

  /** Shows from now on, once a second, how many there are and how fast they come. @param what - `messages written` */
  start(what: string, count: () => number): void {
    if (!this.#options.isShown || this.#timer !== null) return
    let lastCount = count()
    let lastMs = this.#options.nowMs()
    this.#timer = setInterval(() => {
      const nowMs = this.#options.nowMs()
      const nowCount = count()
      this.#show(rateLine(what, nowCount, ((nowCount - lastCount) * 1_000) / Math.max(1, nowMs - lastMs)))
      lastCount = nowCount
      lastMs = nowMs
    }, INTERVAL_MS)
    this.#timer.unref()
  }

  /** Writes whole lines above the status. */
  print(lines: string): void {
    this.#options.write(this.#line === '' ? lines : `${CLEAR}${lines}${this.#line}`)
  }

  /** Leaves the last status standing. Idempotent. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    if (this.#line !== '') this.#options.write('\n')
    this.#line = ''
  }

  #show(line: string): void {
    this.#line = line
    this.#options.write(`${CLEAR}${line}`)
  }
}

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** `12,345 messages written, 678/s` */
export function rateLine(what: string, count: number, perSecond: number): string {
  return `${grouped.format(count)} ${what}, ${grouped.format(perSecond)}/s`
}
