import { setTimeout as sleep } from 'node:timers/promises'
import { readChannels } from '../broker-stats.js'
import { Footprint, inMb, MB } from '../footprint.js'
import { Ledger } from '../ledger.js'
import { type CommandTrain, prepareTrain, publishPipelined } from '../pipelined-publisher.js'
import type { Figure, Scenario, ScenarioContext } from '../scenario.js'
import type { RunningSubject } from '../subject.js'
import { Consuming, drawTag } from '../traffic.js'
import { crashAndRestart, restartFigure } from './crash.js'
import { READY_MAX } from './warm-up.js'

const HOUR_MS = 3_600_000
const PUBLISHER_COUNT = 4
const TRAIN_COUNT = 200
const RESIDENT_BYTES_MAX = 250 * MB
const LATE_MS_MAX = 2000
/** Clocks are read in milliseconds, and a delay begins when the broker has read the command. */
const EARLY_MS_MAX = 20

/** When the messages that are due came, beside the moment at which they are. */
class Arrivals {
  readonly #dueAtMs: number
  earliestMs = Number.POSITIVE_INFINITY
  latestMs = Number.NEGATIVE_INFINITY

  constructor(dueAtMs: number) {
    this.#dueAtMs = dueAtMs
  }

  record(): void {
    const lateMs = performance.now() - this.#dueAtMs
    if (lateMs < this.earliestMs) this.earliestMs = lateMs
    if (lateMs > this.latestMs) this.latestMs = lateMs
  }
}

class DeferredRun {
  readonly #context: ScenarioContext
  readonly #tag = drawTag()
  readonly #topic = `deferred-${this.#tag}`
  readonly #messageCount: number
  readonly #dueCount: number
  readonly ledger: Ledger
  readonly figures: Figure[] = []
  readonly notes: string[] = []
  #dueAtMs = 0

  constructor(context: ScenarioContext) {
    const { deferredMessageCount, dueMessageCount, bodySizeBytes } = context.scale
    this.#context = context
    this.#messageCount = deferredMessageCount
    this.#dueCount = dueMessageCount
    this.ledger = new Ledger(dueMessageCount, this.#tag, bodySizeBytes)
  }

  /** Publishes what is deferred by an hour, and reads resident memory once the broker has come to rest. */
  async deferForLong(subject: RunningSubject): Promise<void> {
    const { restMs } = this.#context.scale
    const created = await this.#consume(subject, new Arrivals(0))
    created.close()
    this.#context.progress(`deferring ${this.#messageCount} messages by an hour`)
    const footprint = new Footprint(subject, this.#context.progress)
    // Their serials are above those that the ledger expects: one that came early would be seen as foreign.
    const rate = await this.#publish(subject, this.#dueCount, this.#messageCount, () => HOUR_MS)
    await sleep(restMs)
    const { residentBytes, sizeBytes } = footprint.stop()
    const restingBytes = subject.process.readResidentBytes()
    await this.#expectDeferred(subject, this.#messageCount, 'after publishing')
    this.notes.push(`resident at most ${inMb(residentBytes)} while publishing, ${inMb(sizeBytes)} on disk`)
    this.figures.push(
      { key: 'deferred.rate', title: 'DPUB, pipelined', unit: 'msg/s', value: rate, better: 'more' },
      {
        key: 'deferred.resident',
        title: `deferred by an hour, resident after ${restMs / 1000} s`,
        unit: 'MB',
        value: restingBytes / MB,
        better: 'less',
        limit: RESIDENT_BYTES_MAX / MB,
      },
    )
  }

  /** Publishes what is due at one moment, each with the delay that is left until then. */
  async deferBriefly(subject: RunningSubject): Promise<void> {
    this.#dueAtMs = performance.now() + this.#context.scale.dueInMs
    const delayMs = () => Math.max(1, Math.ceil(this.#dueAtMs - performance.now()))
    await this.#publish(subject, 0, this.#dueCount, delayMs)
  }

  async crash(subject: RunningSubject): Promise<RunningSubject> {
    const restarted = await crashAndRestart(this.#context, subject)
    await this.#expectDeferred(restarted, this.#messageCount + this.#dueCount, 'after the restart')
    this.figures.push(restartFigure('deferred', 'deferred', restarted))
    return restarted
  }

  /** Everything that is due comes, none of it early, and the rest still waits. */
  async receiveDue(subject: RunningSubject): Promise<void> {
    const arrivals = new Arrivals(this.#dueAtMs)
    const consuming = await this.#consume(subject, arrivals)
    this.#context.progress(`due in ${((this.#dueAtMs - performance.now()) / 1000).toFixed(1)} s`)
    const footprint = new Footprint(subject, this.#context.progress)
    await consuming.run()
    const { residentBytes } = footprint.stop()
    const { earliestMs, latestMs } = arrivals
    this.notes.push(
      `of ${this.#dueCount} due at one moment, the first came after ${earliestMs.toFixed(0)} ms; resident at most ${inMb(residentBytes)} then`,
    )
    if (earliestMs < -EARLY_MS_MAX) throw new Error(`a message came ${-earliestMs.toFixed(0)} ms before it was due`)
    await this.#expectDeferred(subject, this.#messageCount, 'after those that were due')
    this.figures.push({
      key: 'deferred.last',
      title: `${this.#dueCount} due at one moment, the last one after`,
      unit: 'ms',
      value: latestMs,
      better: 'less',
      limit: LATE_MS_MAX,
    })
  }

  #publish(subject: RunningSubject, firstSerial: number, messageCount: number, delayMs: () => number): Promise<number> {
    const { bodySizeBytes } = this.#context.scale
    const nextTrain = (): (() => CommandTrain) => {
      let train: CommandTrain | null = null
      let trainDelayMs = 0
      return () => {
        const nowDelayMs = delayMs()
        if (train !== null && trainDelayMs === nowDelayMs) return train
        trainDelayMs = nowDelayMs
        const line = `DPUB ${this.#topic} ${nowDelayMs}`
        train = prepareTrain(new Array<string>(TRAIN_COUNT).fill(line), this.#tag, bodySizeBytes)
        return train
      }
    }
    const trains = Array.from({ length: PUBLISHER_COUNT }, nextTrain)
    return publishPipelined(subject.tcpPort, { messageCount, firstSerial, trains })
  }

  #consume(subject: RunningSubject, latency: Arrivals): Promise<Consuming> {
    const { ledger } = this
    const options = { topic: this.#topic, channel: 'ch', connectionCount: 1, ready: READY_MAX, ledger, latency }
    return Consuming.open(subject, options)
  }

  async #expectDeferred(subject: RunningSubject, count: number, when: string): Promise<void> {
    const { deferred_count, depth } = await readChannels(subject, this.#topic)
    if (deferred_count !== count) {
      throw new Error(`${when} ${deferred_count} messages are deferred and ${depth} wait, where ${count} were deferred`)
    }
  }
}

export const deferred: Scenario = {
  name: 'deferred',
  title: 'messages deferred by an hour: resident memory, kill -9 and restart; and many due at one moment',
  ceiling: false,
  durable: true,
  async run(context) {
    const run = new DeferredRun(context)
    const subject = await context.start()
    await run.deferForLong(subject)
    await run.deferBriefly(subject)
    const restarted = await run.crash(subject)
    await run.receiveDue(restarted)
    return { figures: run.figures, verification: run.ledger.result(), notes: run.notes }
  },
}
