import type { Chooser } from './mode.js'

/** How long a destination that failed is left out: doubled with each failure in a row. */
const LEFT_OUT_MS = 30_000
const LEFT_OUT_MS_MAX = 900_000

interface Host {
  hasFailed: boolean
  leftOutMs: number
  /** On the clock. */
  retryAtMs: number
}

/**
 * One after the other, leaving out those that failed: for 30 s, then one message tries again, and if that fails too, for
 * twice as long, up to 15 minutes. When all have failed, all are tried.
 */
export class HostPool implements Chooser {
  readonly #hosts: readonly Host[]
  readonly #nowMs: () => number
  #next = 0

  constructor(count: number, nowMs: () => number) {
    this.#hosts = Array.from({ length: count }, () => ({ hasFailed: false, leftOutMs: LEFT_OUT_MS, retryAtMs: 0 }))
    this.#nowMs = nowMs
  }

  next(): number {
    const count = this.#hosts.length
    for (let tried = 0; tried < count; tried++) {
      const index = (this.#next + tried) % count
      if (!this.isUsable(index)) continue
      this.use(index)
      this.#next = (index + 1) % count
      return index
    }
    for (const host of this.#hosts) host.hasFailed = false
    const index = this.#next
    this.#next = (index + 1) % count
    return index
  }

  isUsable(index: number): boolean {
    const host = this.#hosts[index]
    return !host.hasFailed || host.retryAtMs <= this.#nowMs()
  }

  /** Of one that failed: this message tries it, the others go on leaving it out. */
  use(index: number): void {
    const host = this.#hosts[index]
    if (!host.hasFailed) return
    host.leftOutMs = Math.min(host.leftOutMs * 2, LEFT_OUT_MS_MAX)
    host.retryAtMs = this.#nowMs() + host.leftOutMs
  }

  succeeded(index: number): void {
    this.#hosts[index].hasFailed = false
  }

  failed(index: number): void {
    const host = this.#hosts[index]
    if (host.hasFailed) return
    host.hasFailed = true
    host.leftOutMs = LEFT_OUT_MS
    host.retryAtMs = this.#nowMs() + LEFT_OUT_MS
  }
}
