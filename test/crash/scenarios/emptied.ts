import type { ChannelLedger } from '../channel-ledger.js'
import type { Consumer } from '../consumer.js'
import type { Ledgers } from '../ledgers.js'
import type { Life } from '../life.js'
import type { TopicLedger } from '../topic-ledger.js'
import type { Scenario, SeenTopics } from './scenario.js'
import {
  batches,
  channelQuery,
  checkExists,
  consume,
  deferrals,
  drain,
  openChannel,
  produceFor,
  singles,
  topicQuery,
} from './topic-steps.js'

/** A channel that is emptied, and a topic without channels that is. What comes after stays. */
export class Emptied implements Scenario {
  readonly name = 'emptied'
  readonly ledgers: readonly TopicLedger[]
  readonly #topic: TopicLedger
  /** The channel was emptied, and nothing was published since. */
  #channelIsEmpty = false
  readonly #waiting: TopicLedger
  #waitingExists = false
  /** The first serial that waits at the topic; null when that is not known. */
  #waitingFrom: number | null = 0

  constructor(ledgers: Ledgers) {
    this.#topic = ledgers.create('emptied-channel')
    this.#waiting = ledgers.create('emptied-topic')
    this.ledgers = [this.#topic, this.#waiting]
  }

  checkRestarted(seen: SeenTopics): void {
    for (const topic of this.ledgers) checkExists(seen, topic)
    const { violations } = this.#topic
    if (this.#channelIsEmpty) {
      const main = seen.get(this.#topic.name)?.channels.find(({ channel_name }) => channel_name === 'main')
      if (main?.depth !== 0 || main.deferred_count !== 0)
        violations.add('an emptied channel is not empty', `depth ${main?.depth}, deferred ${main?.deferred_count}`)
    }
    if (!this.#waitingExists || this.#waitingFrom === null) return
    const depth = seen.get(this.#waiting.name)?.depth ?? -1
    const depthMax = this.#waiting.next - this.#waitingFrom
    let depthMin = 0
    for (let serial = this.#waitingFrom; serial < this.#waiting.next; serial++) {
      if (this.#waiting.isAcknowledged(serial)) depthMin++
    }
    if (depth < depthMin || depth > depthMax)
      violations.add('a topic has the wrong depth', `${depth}, not from ${depthMin} to ${depthMax}`)
  }

  async run(life: Life): Promise<void> {
    for (const topic of this.ledgers) topic.began(life)
    if (life.isDraining) await this.#drain(life)
    else await Promise.all([this.#runChannel(life), this.#runWaiting(life)])
  }

  async #drain(life: Life): Promise<void> {
    // The first channel of a topic gets everything that waits at it. Only the last life may give it one.
    if (life.isLast && this.#waitingExists) {
      const channel = await this.#openFirstChannel(life)
      if (channel === null) return
    }
    for (const topic of this.ledgers) await drain(life, topic)
  }

  async #openFirstChannel(life: Life): Promise<ChannelLedger | null> {
    if (!(await life.change(`/channel/create?${channelQuery(this.#waiting, 'late')}`))) return null
    const { next } = this.#waiting
    const from = this.#waitingFrom ?? next
    return this.#waiting.addChannel('late', { requiredFrom: from, notBelow: this.#waitingFrom ?? 0 })
  }

  async #runChannel(life: Life): Promise<void> {
    const { random } = life
    const channel = await openChannel(life, this.#topic, 'main')
    if (channel === null) return
    const consumers: Consumer[] = await consume(life, channel, {
      readyCount: 50,
      finishAfterMs: 10,
      requeuedLater: 0.1,
      requeueDelayMsMax: 1_000,
      held: 0.01,
    })
    while (!life.isOver) {
      this.#channelIsEmpty = false
      await produceFor(
        life,
        this.#topic,
        random.between(50, 300),
        singles(500),
        batches(2_000, random.between(2, 40)),
        deferrals(100, 1_000),
      )
      if (life.isOver) return
      for (const consumer of consumers) consumer.mayEnd()
      const isDone = await life.change(`/channel/empty?${channelQuery(this.#topic, 'main')}`)
      if (!isDone) return channel.perhapsEmptied()
      channel.emptied(life)
      this.#channelIsEmpty = true
      if (random.chance(0.4)) life.wantKill()
      await life.pause(random.between(0, 300))
    }
  }

  async #runWaiting(life: Life): Promise<void> {
    const { random } = life
    if (!this.#waitingExists) {
      if (!(await life.change(`/topic/create?${topicQuery(this.#waiting)}`))) return
      this.#waitingExists = true
    }
    while (!life.isOver) {
      if (this.#waitingFrom !== null)
        await produceFor(life, this.#waiting, random.between(50, 300), singles(300), batches(500, 20))
      if (life.isOver) return
      if (this.#waitingFrom === null || random.chance(0.4)) {
        this.#waitingFrom = null
        const isDone = await life.change(`/topic/empty?${topicQuery(this.#waiting)}`)
        if (!isDone) return
        this.#waitingFrom = this.#waiting.next
        if (random.chance(0.4)) life.wantKill()
      }
      await life.pause(random.between(0, 200))
    }
  }
}
