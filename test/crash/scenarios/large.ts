import type { Ledgers } from '../ledgers.js'
import type { Life } from '../life.js'
import { OneTopic } from './one-topic.js'
import { batches, consume, openChannel, produce } from './topic-steps.js'

/** Bodies of some 10 kB and a channel that stays behind: so much that a storage has to move data while it is killed. */
export class Large extends OneTopic {
  constructor(ledgers: Ledgers) {
    super('large', ledgers, { isLarge: true })
  }

  protected async traffic(life: Life): Promise<void> {
    const { random } = life
    const fast = await openChannel(life, this.topic, 'fast')
    const slow = await openChannel(life, this.topic, 'slow')
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
      produce(life, this.topic, batches(random.between(500, 2_500), 10), batches(random.between(500, 2_500), 20)),
    ])
  }
}
