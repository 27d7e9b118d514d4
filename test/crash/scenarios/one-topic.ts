import type { Ledgers } from '../ledgers.js'
import type { Life } from '../life.js'
import type { TopicLedger } from '../topic-ledger.js'
import type { Scenario, SeenTopics } from './scenario.js'
import { checkExists, drain } from './topic-steps.js'

/** A scenario with one topic of its name, which exists over all lives. */
export abstract class OneTopic implements Scenario {
  readonly name: string
  readonly ledgers: readonly TopicLedger[]
  protected readonly topic: TopicLedger

  constructor(name: string, ledgers: Ledgers, options?: { readonly isLarge: boolean }) {
    this.name = name
    this.topic = ledgers.create(name, options)
    this.ledgers = [this.topic]
  }

  checkRestarted(seen: SeenTopics): void {
    checkExists(seen, this.topic)
  }

  async run(life: Life): Promise<void> {
    this.topic.began(life)
    if (life.isDraining) return drain(life, this.topic)
    await this.traffic(life)
  }

  /** What producers and consumers do in a life that is not for draining. */
  protected abstract traffic(life: Life): Promise<void>
}
