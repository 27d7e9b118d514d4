import type { TopicStats } from '../../support/http-client.js'
import type { Life } from '../life.js'
import type { TopicLedger } from '../topic-ledger.js'

/** What the broker says exists, by topic. */
export type SeenTopics = ReadonlyMap<string, TopicStats>

/** One kind of traffic on topics of its own. Its state goes on from life to life; not every life runs every scenario. */
export interface Scenario {
  readonly name: string
  /** The topics whose messages are owed. */
  readonly ledgers: readonly TopicLedger[]
  /** Complains of what a restarted broker says of the scenario's topics. Nobody has connected yet. */
  checkRestarted(seen: SeenTopics): void
  /** Lets happen what happens in one life; may return early or go on until it is over. In a draining life it only consumes. */
  run(life: Life): Promise<void>
}
