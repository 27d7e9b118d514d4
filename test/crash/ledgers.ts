import { tagOf } from './message-body.js'
import { TopicLedger } from './topic-ledger.js'
import type { Violations } from './violations.js'

/** All ledgers of a run, those of deleted topics too. */
export class Ledgers {
  readonly violations: Violations
  readonly #all: TopicLedger[] = []

  constructor(violations: Violations) {
    this.violations = violations
  }

  /** A new life of a topic. */
  create(name: string, { isLarge = false } = {}): TopicLedger {
    const ledger = new TopicLedger(name, tagOf(this.#all.length + 1, isLarge), this.violations)
    this.#all.push(ledger)
    return ledger
  }

  get all(): readonly TopicLedger[] {
    return this.#all
  }
}
