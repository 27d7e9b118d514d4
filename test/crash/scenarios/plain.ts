import type { Ledgers } from '../ledgers.js'
import type { Life } from '../life.js'
import type { TopicLedger } from '../topic-ledger.js'
import type { Scenario, SeenTopics } from './scenario.js'
import { batches, checkExists, consume, drain, openChannel, produce, singles } from './topic-steps.js'

/** One topic, one channel, a few producers and consumers; sometimes the consumers come late, and much has waited for them. */
export class Plain implements Scenario {
  readonly name = 'plain'
  readonly ledgers: readonly TopicLedger[]
  readonly #topic: TopicLedger

  constructor(ledgers: Ledgers) {
    this.#topic = ledgers.create('plain')
    this.ledgers = [this.#topic]
  }

  checkRestarted(seen: SeenTopics): void {
    checkExists(seen, this.#topic)
  }

  async run(life: Life): Promise<void> {
    const { random } = life
    this.#topic.began(life)
    if (life.isDraining) return drain(life, this.#topic)
    const channel = await openChannel(life, this.#topic, 'main')
    if (channel === null) return
    await produce(
      life,
      this.#topic,
      singles(random.between(200, 1_500)),
      singles(random.between(200, 1_500)),
      batches(random.between(1_000, 4_000), random.between(2, 100)),
      batches(random.between(1_000, 4_000), random.between(2, 100)),
    )
    await life.pause(random.pick([0, 0, 0, 200, 400, 800]))
    const readyCount = random.pick([1, 20, 200, 2_500])
    const held = random.pick([0, 0.002])
    await consume(life, channel, { readyCount, held }, { readyCount, held }, { readyCount: 100 })
  }
}
