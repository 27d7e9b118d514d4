import type { Ledgers } from '../ledgers.js'
import type { Life } from '../life.js'
import { OneTopic } from './one-topic.js'
import { batches, consume, openChannel, produce } from './topic-steps.js'

const PROBE_INTERVAL_MS = 5

/** Much is published in one life, and consumed as fast as can be in another, until the kill comes somewhere in the middle. */
export class Backlog extends OneTopic {
  constructor(ledgers: Ledgers) {
    super('backlog', ledgers)
  }

  protected async traffic(life: Life): Promise<void> {
    const { random } = life
    const channel = await openChannel(life, this.topic, 'main')
    if (channel === null) return
    const owedCount = channel.outstandingCount
    if (owedCount < 5_000) {
      await produce(life, this.topic, batches(15_000, 200), batches(15_000, 150))
      return
    }
    await consume(life, channel, { readyCount: 2_500 }, { readyCount: 2_500 }, { readyCount: 500 })
    const leftCount = random.between(0, owedCount)
    while (!life.isOver && channel.outstandingCount > leftCount) await life.pause(PROBE_INTERVAL_MS)
    life.wantKill()
  }
}
