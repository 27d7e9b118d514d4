import type { Ledgers } from '../ledgers.js'
import type { Life } from '../life.js'
import type { TopicLedger } from '../topic-ledger.js'
import type { Scenario, SeenTopics } from './scenario.js'
import { batches, checkExists, consume, drain, openChannel, produce } from './topic-steps.js'

/** Bodies of some 10 kB and a channel that stays behind: so much that a storage has to move data while it is killed. */
export class Large implements Scenario {
  readonly name = 'large'
  readonly ledgers: readonly TopicLedger[]
  readonly #topic: TopicLedger

  constructor(ledgers: Ledgers) {
    this.#topic = ledgers.create('large', { isLarge: true })
    this.ledgers = [this.#topic]
  }

  checkRestarted(seen: SeenTopics): void {
    checkExists(seen, this.#topic)
  }

  async run(life: Life): Promise<void> {
    const { random } = life
    this.#topic.began(life)
    if (life.isDraining) return drain(life, this.#topic)
    const fast = await openChannel(life, this.#topic, 'fast')
    const slow = await openChannel(life, this.#topic, 'slow')
    if (fast === null || slow === null) return
    await Promise.all([
      consume(life, fast, { readyCount: 200 }),
      // What it holds and requeues lies scattered among much that is finished.
      consume(life, slow, {
        readyCount: 100,
        finishAfterMs: 80,
        held: 0.05,
        requeuedLater: 0.02,
        requeueDelayMsMax: 3_000,
      }),
      produce(life, this.#topic, batches(random.between(500, 2_500), 10), batches(random.between(500, 2_500), 20)),
    ])
  }
}
