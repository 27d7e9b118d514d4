import type { Ledgers } from '../ledgers.js'
import type { Life } from '../life.js'
import type { TopicLedger } from '../topic-ledger.js'
import type { Scenario, SeenTopics } from './scenario.js'
import {
  batches,
  channelQuery,
  checkExists,
  consume,
  drain,
  openChannel,
  produce,
  singles,
  topicQuery,
} from './topic-steps.js'

const PAUSED_CHANNEL = 'main'

/** One topic that is paused and unpaused as a whole, and one of whose channels one is; consumers are there all the time. */
export class Paused implements Scenario {
  readonly name = 'paused'
  readonly ledgers: readonly TopicLedger[]
  readonly #whole: TopicLedger
  readonly #part: TopicLedger
  /** By topic: null when the broker died before it answered. */
  readonly #isPaused = new Map<TopicLedger, boolean | null>()

  constructor(ledgers: Ledgers) {
    this.#whole = ledgers.create('paused-topic')
    this.#part = ledgers.create('paused-channel')
    this.ledgers = [this.#whole, this.#part]
  }

  checkRestarted(seen: SeenTopics): void {
    for (const topic of this.ledgers) {
      checkExists(seen, topic)
      const expected = this.#isPaused.get(topic) ?? null
      const stats = seen.get(topic.name)
      if (expected === null || stats === undefined) continue
      const paused =
        topic === this.#whole
          ? stats.paused
          : stats.channels.find(({ channel_name }) => channel_name === PAUSED_CHANNEL)?.paused
      if (paused !== expected)
        topic.violations.add('pausing was forgotten', `${topic.name}: paused ${paused} instead of ${expected}`)
    }
  }

  async run(life: Life): Promise<void> {
    await Promise.all(this.ledgers.map((topic) => this.#runTopic(life, topic)))
  }

  async #runTopic(life: Life, topic: TopicLedger): Promise<void> {
    const { random } = life
    topic.began(life)
    if (life.isDraining) {
      if (this.#isPaused.get(topic) !== false) await this.#unpause(life, topic)
      return drain(life, topic)
    }
    const main = await openChannel(life, topic, PAUSED_CHANNEL)
    const other = await openChannel(life, topic, 'other')
    if (main === null || other === null) return
    await Promise.all([
      consume(life, main, { readyCount: 100, held: 0.005 }),
      consume(life, other, { readyCount: 100 }),
      produce(
        life,
        topic,
        singles(random.between(100, 600)),
        batches(random.between(300, 1_500), random.between(2, 30)),
      ),
    ])
    while (!life.isOver) {
      await life.pause(random.between(30, 400))
      if (this.#isPaused.get(topic) === true) await this.#unpause(life, topic)
      else await this.#pause(life, topic)
      if (random.chance(0.15)) life.wantKill()
    }
  }

  async #pause(life: Life, topic: TopicLedger): Promise<void> {
    if (life.isOver) return
    this.#isPaused.set(topic, null)
    if (!(await life.change(this.#path(topic, 'pause')))) return
    this.#isPaused.set(topic, true)
    const channel = topic.channels.get(PAUSED_CHANNEL)
    if (topic === this.#whole) topic.pausedFrom = topic.next
    else if (channel !== undefined) channel.pausedIn = life
  }

  async #unpause(life: Life, topic: TopicLedger): Promise<void> {
    if (life.isOver) return
    this.#isPaused.set(topic, null)
    topic.pausedFrom = Infinity
    const channel = topic.channels.get(PAUSED_CHANNEL)
    if (channel !== undefined) channel.pausedIn = null
    if (channel !== undefined && (await life.change(this.#path(topic, 'unpause')))) this.#isPaused.set(topic, false)
  }

  #path(topic: TopicLedger, verb: 'pause' | 'unpause'): string {
    if (topic === this.#whole) return `/topic/${verb}?${topicQuery(topic)}`
    return `/channel/${verb}?${channelQuery(topic, PAUSED_CHANNEL)}`
  }
}
