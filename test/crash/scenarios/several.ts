import type { Ledgers } from '../ledgers.js'
import type { Life } from '../life.js'
import type { TopicLedger } from '../topic-ledger.js'
import type { Scenario, SeenTopics } from './scenario.js'
import { batches, checkExists, consume, drain, openChannel, produce, singles } from './topic-steps.js'

/** Two topics with three channels each, one of which is always far behind the others. */
export class Several implements Scenario {
  readonly name = 'several'
  readonly ledgers: readonly TopicLedger[]

  constructor(ledgers: Ledgers) {
    this.ledgers = [ledgers.create('several-a'), ledgers.create('several-b')]
  }

  checkRestarted(seen: SeenTopics): void {
    for (const topic of this.ledgers) checkExists(seen, topic)
  }

  async run(life: Life): Promise<void> {
    await Promise.all(this.ledgers.map((topic) => this.#runTopic(life, topic)))
  }

  async #runTopic(life: Life, topic: TopicLedger): Promise<void> {
    const { random } = life
    topic.began(life)
    if (life.isDraining) return drain(life, topic)
    const fast = await openChannel(life, topic, 'fast')
    const picky = await openChannel(life, topic, 'picky')
    const slow = await openChannel(life, topic, 'slow')
    if (fast === null || picky === null || slow === null) return
    await Promise.all([
      consume(life, fast, { readyCount: 300 }, { readyCount: 300 }),
      consume(life, picky, { readyCount: 100, held: 0.005, requeuedNow: 0.02 }),
      consume(life, slow, { readyCount: 20, finishAfterMs: random.between(5, 40) }),
      produce(
        life,
        topic,
        singles(random.between(100, 800)),
        batches(random.between(500, 2_500), random.between(2, 50)),
      ),
    ])
  }
}
