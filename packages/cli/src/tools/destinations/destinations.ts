import type { Chooser } from './mode.js'
import { Timings } from './timings.js'

/**
 * Several places that messages go to: one is chosen for each message, and what comes of it counts for the next choice and
 * for the status lines.
 */
export class Destinations {
  readonly #names: readonly string[]
  readonly #chooser: Chooser
  readonly #nowMs: () => number
  readonly #all: Timings
  readonly #each: readonly Timings[]

  /**
   * @param statusEvery - after how many messages a status line is told, for each of several destinations and for all; 0: none
   * @param tell - gets the status lines
   */
  constructor(
    names: readonly string[],
    chooser: Chooser,
    nowMs: () => number,
    statusEvery: number,
    tell: (line: string) => void,
  ) {
    this.#names = names
    this.#chooser = chooser
    this.#nowMs = nowMs
    this.#all = new Timings('[aggregate]', statusEvery, tell)
    const isAlone = names.length === 1
    this.#each = names.map((name) => new Timings(`[${name}]`, isAlone ? 0 : statusEvery, tell))
  }

  /** Does `send` with the destination whose turn it is. Rejects as it does, saying which that was. */
  async send(send: (index: number) => Promise<void>): Promise<void> {
    const index = this.#chooser.next()
    const startedMs = this.#nowMs()
    try {
      await send(index)
    } catch (error) {
      this.#chooser.failed(index)
      throw new Error(`${this.#names[index]}: ${(error as Error).message}`, { cause: error })
    }
    const tookMs = this.#nowMs() - startedMs
    this.#chooser.succeeded(index, tookMs)
    this.#each[index].add(tookMs)
    this.#all.add(tookMs)
  }
}
