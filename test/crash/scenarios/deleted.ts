import type { ChannelLedger } from '../channel-ledger.js'
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
  produceFor,
  singles,
  topicQuery,
} from './topic-steps.js'

const TOPIC = 'deleted-topic'
const DELETED_CHANNEL = 'dropped'

/** Whether something exists: null when the broker died before it answered. */
type Existence = boolean | null

/** A topic, and a channel of another topic, that are deleted with all they hold and created again, over and over. */
export class Deleted implements Scenario {
  readonly name = 'deleted'
  readonly #ledgers: Ledgers
  /** The present life of the topic that is deleted as a whole. */
  #whole: TopicLedger
  #wholeExists: Existence = false
  readonly #part: TopicLedger
  #partExists: Existence = false

  constructor(ledgers: Ledgers) {
    this.#ledgers = ledgers
    this.#whole = ledgers.create(TOPIC)
    this.#part = ledgers.create('deleted-channel')
  }

  get ledgers(): readonly TopicLedger[] {
    return this.#wholeExists === true ? [this.#whole, this.#part] : [this.#part]
  }

  checkRestarted(seen: SeenTopics): void {
    const { violations } = this.#ledgers
    for (const topic of this.ledgers) checkExists(seen, topic)
    if (this.#wholeExists === false && seen.has(TOPIC)) violations.add('a deleted topic is back', TOPIC)
    const channels = seen.get(this.#part.name)?.channels ?? []
    if (this.#partExists === false && channels.some(({ channel_name }) => channel_name === DELETED_CHANNEL))
      violations.add('a deleted channel is back', DELETED_CHANNEL)
  }

  async run(life: Life): Promise<void> {
    this.#part.began(life)
    this.#whole.began(life)
    if (life.isDraining) {
      for (const topic of this.ledgers) await drain(life, topic)
      return
    }
    await Promise.all([this.#runWhole(life), this.#runPart(life)])
  }

  async #runWhole(life: Life): Promise<void> {
    while (!life.isOver) {
      if (this.#wholeExists === null && !(await this.#deleteWhole(life))) return
      if (this.#wholeExists === false) {
        this.#whole = this.#ledgers.create(TOPIC)
        this.#whole.began(life)
        this.#wholeExists = null
      }
      const channel = await openChannel(life, this.#whole, 'main')
      if (channel === null) return
      this.#wholeExists = true
      await this.#use(life, this.#whole, channel)
      if (life.isOver || !(await this.#deleteWhole(life))) return
      if (life.random.chance(0.3)) life.wantKill()
      await life.pause(life.random.between(0, 50))
    }
  }

  /** Returns whether the broker has answered. */
  async #deleteWhole(life: Life): Promise<boolean> {
    const wasKnown = this.#wholeExists === true
    this.#wholeExists = null
    const path = `/topic/delete?${topicQuery(this.#whole)}`
    // When an earlier request got no answer, the topic may be gone already.
    const isDone = wasKnown ? await life.change(path) : await this.#deleteIfThere(life, path)
    if (isDone) this.#wholeExists = false
    return isDone
  }

  async #deleteIfThere(life: Life, path: string): Promise<boolean> {
    try {
      return [200, 404].includes((await life.http.post(path)).status)
    } catch {
      return false
    }
  }

  async #runPart(life: Life): Promise<void> {
    const topic = this.#part
    const kept = await openChannel(life, topic, 'kept')
    if (kept === null) return
    await consume(life, kept, { readyCount: 200 })
    while (!life.isOver) {
      if (this.#partExists === null && !(await this.#deletePart(life))) return
      if (this.#partExists === false) {
        this.#partExists = null
        // Nobody publishes at the moment: the channel begins behind everything that was ever sent.
        if (!(await life.change(`/channel/create?${channelQuery(topic, DELETED_CHANNEL)}`))) return
        topic.addChannel(DELETED_CHANNEL, { notBelow: topic.next })
        this.#partExists = true
      }
      const dropped = topic.channels.get(DELETED_CHANNEL)
      if (dropped === undefined) throw new Error('the channel exists and has no ledger')
      await this.#use(life, topic, dropped)
      if (life.isOver || !(await this.#deletePart(life))) return
      if (life.random.chance(0.3)) life.wantKill()
    }
  }

  async #deletePart(life: Life): Promise<boolean> {
    const wasKnown = this.#partExists === true
    this.#partExists = null
    this.#part.removeChannel(DELETED_CHANNEL)
    const path = `/channel/delete?${channelQuery(this.#part, DELETED_CHANNEL)}`
    const isDone = wasKnown ? await life.change(path) : await this.#deleteIfThere(life, path)
    if (isDone) this.#partExists = false
    return isDone
  }

  /** Publishes and consumes for a while; then every publish was answered, and much is not consumed. */
  async #use(life: Life, topic: TopicLedger, channel: ChannelLedger): Promise<void> {
    const { random } = life
    const consumers = await consume(life, channel, { readyCount: 50, finishAfterMs: 10, held: 0.01 })
    await produceFor(life, topic, random.between(50, 400), singles(500), batches(2_000, random.between(2, 40)))
    for (const consumer of consumers) consumer.mayEnd()
  }
}
