import type { Ledgers } from '../ledgers.js'
import type { Life } from '../life.js'
import type { TopicLedger } from '../topic-ledger.js'
import type { Scenario, SeenTopics } from './scenario.js'
import { batches, channelQuery, checkExists, consume, drain, openChannel, produce, singles } from './topic-steps.js'

const SUFFIX = '#ephemeral'

/** An ephemeral topic, and an ephemeral channel beside a durable one: a crash must leave nothing of either. */
export class Ephemeral implements Scenario {
  readonly name = 'ephemeral'
  readonly ledgers: readonly TopicLedger[]
  readonly #ledgers: Ledgers
  readonly #lasting: TopicLedger

  constructor(ledgers: Ledgers) {
    this.#ledgers = ledgers
    this.#lasting = ledgers.create('ephemeral-channel')
    this.ledgers = [this.#lasting]
  }

  checkRestarted(seen: SeenTopics): void {
    checkExists(seen, this.#lasting)
    for (const { topic_name, channels } of seen.values()) {
      for (const name of [topic_name, ...channels.map(({ channel_name }) => channel_name)]) {
        if (name.endsWith(SUFFIX)) this.#ledgers.violations.add('something ephemeral is left', `${topic_name}: ${name}`)
      }
    }
  }

  async run(life: Life): Promise<void> {
    this.#lasting.began(life)
    if (life.isDraining) return drain(life, this.#lasting)
    await Promise.all([this.#runChannel(life), this.#runTopic(life)])
  }

  async #runChannel(life: Life): Promise<void> {
    const topic = this.#lasting
    const main = await openChannel(life, topic, 'main')
    if (main === null) return
    const name = `side${SUFFIX}`
    if (!(await life.change(`/channel/create?${channelQuery(topic, name)}`))) return
    const side = topic.addChannel(name, { notBelow: topic.next })
    topic.removeChannel(name) // it may drop messages
    await Promise.all([
      consume(life, main, { readyCount: 200 }),
      consume(life, side, { readyCount: 100, held: 0.005 }),
      produce(life, topic, singles(300), batches(1_000, 20)),
    ])
  }

  async #runTopic(life: Life): Promise<void> {
    const topic = this.#ledgers.create(`brief${SUFFIX}`)
    topic.began(life)
    const channel = await openChannel(life, topic, 'main')
    if (channel === null) return
    await Promise.all([consume(life, channel, { readyCount: 20 }), produce(life, topic, singles(300))])
  }
}
