import type { Ledgers } from '../ledgers.js'
import type { Life } from '../life.js'
import { OneTopic } from './one-topic.js'
import { batches, consume, deferrals, openChannel, produce } from './topic-steps.js'

/** Long enough that many are due in a later life. */
const DELAY_MS_MAX = 3_000

/** Messages that were published for later, among others that consumers put back, at once or for later. */
export class Deferred extends OneTopic {
  constructor(ledgers: Ledgers) {
    super('deferred', ledgers)
  }

  protected async traffic(life: Life): Promise<void> {
    const { random } = life
    const one = await openChannel(life, this.topic, 'one')
    const other = await openChannel(life, this.topic, 'other')
    if (one === null || other === null) return
    const shares = { requeuedNow: 0.03, requeuedLater: 0.1, requeueDelayMsMax: DELAY_MS_MAX, held: 0.005 }
    await Promise.all([
      consume(life, one, { readyCount: 200, ...shares }, { readyCount: 200, ...shares }),
      consume(life, other, { readyCount: 50, finishAfterMs: 2, ...shares }),
      produce(
        life,
        this.topic,
        deferrals(random.between(200, 1_000), DELAY_MS_MAX),
        deferrals(random.between(200, 1_000), 300),
        batches(random.between(300, 1_500), random.between(2, 30)),
      ),
    ])
  }
}
