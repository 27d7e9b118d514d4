import type { Ledgers } from '../ledgers.js'
import type { Life } from '../life.js'
import { OneTopic } from './one-topic.js'
import { batches, consume, openChannel, produce, singles } from './topic-steps.js'

/** One topic, one channel, a few producers and consumers; sometimes the consumers come late, and much has waited for them. */
export class Plain extends OneTopic {
  constructor(ledgers: Ledgers) {
    super('plain', ledgers)
  }

  protected async traffic(life: Life): Promise<void> {
    const { random } = life
    const channel = await openChannel(life, this.topic, 'main')
    if (channel === null) return
    await produce(
      life,
      this.topic,
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
