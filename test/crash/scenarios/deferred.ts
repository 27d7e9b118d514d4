import type { Ledgers } from '../ledgers.js'
import type { Life } from '../life.js'
import type { TopicLedger } from '../topic-ledger.js'
import type { Scenario, SeenTopics } from './scenario.js'
import { batches, checkExists, consume, deferrals, drain, openChannel, produce } from './topic-steps.js'

/** Long enough that many are due in a later life. */
const DELAY_MS_MAX = 3_000

/** Messages that were published for later, among others that consumers put back, at once or for later. */
export class Deferred implements Scenario {
  readonly name = 'deferred'
  readonly ledgers: readonly TopicLedger[]
  readonly #topic: TopicLedger

  constructor(ledgers: Ledgers) {
    this.#topic = ledgers.create('deferred')
    this.ledgers = [this.#topic]
  }

  checkRestarted(seen: SeenTopics): void {
    checkExists(seen, this.#topic)
  }

  async run(life: Life): Promise<void> {
    const { random } = life
    this.#topic.began(life)
    if (life.isDraining) return drain(life, this.#topic)
    const one = await openChannel(life, this.#topic, 'one')
    const other = await openChannel(life, this.#topic, 'other')
    if (one === null || other === null) return
    const shares = { requeuedNow: 0.03, requeuedLater: 0.1, requeueDelayMsMax: DELAY_MS_MAX, held: 0.005 }
    await Promise.all([
      consume(life, one, { readyCount: 200, ...shares }, { readyCount: 200, ...shares }),
      consume(life, other, { readyCount: 50, finishAfterMs: 2, ...shares }),
      produce(
        life,
        this.#topic,
        deferrals(random.between(200, 1_000), DELAY_MS_MAX),
        deferrals(random.between(200, 1_000), 300),
        batches(random.between(300, 1_500), random.between(2, 30)),
      ),
    ])
  }
}
