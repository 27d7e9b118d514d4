import type { HostPool } from './host-pool.js'
import type { Chooser, ChooserSurroundings } from './mode.js'

/** The share of messages that look around instead of going where it was quick: at first, and what it falls to with each of them. */
const EXPLORING = 0.3
const EXPLORING_MIN = 0.01
const EXPLORING_FACTOR = 0.9

/** Response times count half of what they counted after that. */
const HALF_LIFE_MS = 60_000

/**
 * Prefers the destinations that answer quickly: each gets messages in inverse proportion to its average response time, of
 * which the recent ones count most. Some messages go to all in turn, to see how quick those have become. Destinations that
 * failed are left out as {@link HostPool} does.
 */
export class EpsilonGreedy implements Chooser {
  readonly #pool: HostPool
  readonly #nowMs: () => number
  readonly #random: () => number
  readonly #averages: readonly Average[]
  #exploring = EXPLORING

  constructor(pool: HostPool, count: number, { nowMs, random }: ChooserSurroundings) {
    this.#pool = pool
    this.#nowMs = nowMs
    this.#random = random
    this.#averages = Array.from({ length: count }, () => new Average())
  }

  next(): number {
    if (this.#random() < this.#exploring) {
      this.#exploring = Math.max(EXPLORING_MIN, this.#exploring * EXPLORING_FACTOR)
      return this.#pool.next()
    }
    let total = 0
    for (let index = 0; index < this.#averages.length; index++) total += this.#weight(index)
    let left = this.#random() * total
    for (let index = 0; index < this.#averages.length; index++) {
      const weight = this.#weight(index)
      left -= weight
      if (weight === 0 || left >= 0) continue
      this.#pool.use(index)
      return index
    }
    // Nobody has answered yet.
    return this.#pool.next()
  }

  succeeded(index: number, tookMs: number): void {
    this.#pool.succeeded(index)
    this.#averages[index].add(tookMs, this.#nowMs())
  }

  failed(index: number): void {
    this.#pool.failed(index)
  }

  /** 0: not to be chosen, or not known yet. */
  #weight(index: number): number {
    const average = this.#averages[index]
    return average.isKnown && this.#pool.isUsable(index) ? 1 / average.valueMs : 0
  }
}

/** What is quicker than that is all the same. */
const TOOK_MS_MIN = 0.01

/** A mean whose older values count less and less. */
class Average {
  #sumMs = 0
  #weight = 0
  #addedAtMs = 0

  get isKnown(): boolean {
    return this.#weight > 0
  }

  get valueMs(): number {
    return this.#sumMs / this.#weight
  }

  add(tookMs: number, nowMs: number): void {
    const kept = 0.5 ** ((nowMs - this.#addedAtMs) / HALF_LIFE_MS)
    this.#sumMs = this.#sumMs * kept + Math.max(TOOK_MS_MIN, tookMs)
    this.#weight = this.#weight * kept + 1
    this.#addedAtMs = nowMs
  }
}
