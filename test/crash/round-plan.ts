import type { Random } from '../support/random.js'

/** What one round does before its kill. */
export type RoundPlan = RoundTraffic & {
  /** Whether the kill is a loss of power too, in a run that has such: after other kills nothing is lost yet, but not synced either. */
  readonly losesPower: boolean
}

export type RoundTraffic =
  /** The broker is killed before it listens: recovering must survive that too. */
  | { readonly kind: 'killedWhileStarting'; readonly killAfterMs: number }
  /** These scenarios run, and the kill comes after this time, or when one of them asks for it. */
  | {
      readonly kind: 'traffic'
      readonly scenarioIndexes: readonly number[]
      readonly killAfterMs: number
      /** How much longer every sync takes, where that can be had. */
      readonly syncDelayMs: number
    }
  /** Nobody comes, until the broker has tidied up what it had put off, or is killed in the middle of that. */
  | { readonly kind: 'quiet'; readonly killAfterMs: number }
  /** All that waits is consumed, and the kill comes when nothing is left. */
  | { readonly kind: 'drain' }

const SCENARIOS_PER_ROUND_MIN = 2
const SCENARIOS_PER_ROUND_MAX = 3
const KILL_AFTER_MS_MIN = 150
const KILL_AFTER_MS_MAX = 1_500
const DRAIN_EVERY_ROUNDS = 10
const LOSES_POWER_CHANCE = 0.7
const SLOW_SYNC_CHANCE = 0.25
const SLOW_SYNC_MS_MAX = 400
const QUIET_CHANCE = 0.06
const KILLED_WHILE_STARTING_CHANCE = 0.08

/** Draws rounds: every scenario has had its turn before one has its next. */
export class RoundPlanner {
  readonly #random: Random
  readonly #scenarioCount: number
  readonly #left: number[] = []
  #roundCount = 0

  constructor(random: Random, scenarioCount: number) {
    this.#random = random
    this.#scenarioCount = scenarioCount
  }

  next(): RoundPlan {
    return { ...this.#traffic(), losesPower: this.#random.chance(LOSES_POWER_CHANCE) }
  }

  #traffic(): RoundTraffic {
    const random = this.#random
    this.#roundCount++
    if (this.#roundCount % DRAIN_EVERY_ROUNDS === 0) return { kind: 'drain' }
    // The first rounds are for what a short run has to see.
    if (this.#roundCount > 3 && random.chance(KILLED_WHILE_STARTING_CHANCE))
      return { kind: 'killedWhileStarting', killAfterMs: random.between(20, 600) }
    if (this.#roundCount > 3 && random.chance(QUIET_CHANCE))
      return { kind: 'quiet', killAfterMs: random.between(4_900, 7_000) }
    const count = this.#roundCount <= 3 ? SCENARIOS_PER_ROUND_MAX : this.#drawCount()
    const scenarioIndexes = Array.from({ length: count }, () => this.#draw())
    return {
      kind: 'traffic',
      scenarioIndexes: [...new Set(scenarioIndexes)],
      killAfterMs: random.between(KILL_AFTER_MS_MIN, KILL_AFTER_MS_MAX),
      syncDelayMs: random.chance(SLOW_SYNC_CHANCE) ? random.between(20, SLOW_SYNC_MS_MAX) : 0,
    }
  }

  #drawCount(): number {
    return this.#random.between(SCENARIOS_PER_ROUND_MIN, SCENARIOS_PER_ROUND_MAX)
  }

  #draw(): number {
    if (this.#left.length === 0) this.#left.push(...Array(this.#scenarioCount).keys())
    const [drawn = 0] = this.#left.splice(this.#random.between(0, this.#left.length - 1), 1)
    return drawn
  }
}
