import { readChannels, readDiskShare } from '../broker-stats.js'
import { Footprint, inMb, MB, MIB, watchShrinking } from '../footprint.js'
import { Ledger } from '../ledger.js'
import type { Figure, Scenario, ScenarioContext } from '../scenario.js'
import type { RunningSubject } from '../subject.js'
import { Consuming, drawTag, Publishing, perSecond } from '../traffic.js'
import { crashAndRestart, restartFigure } from './crash.js'
import { diskShareFigure } from './disk-share.js'
import { MPUB_BATCH_COUNT, MPUB_CONNECTION_COUNT, READY_MAX } from './warm-up.js'

const CONSUMER_COUNT = 2
/** Resident memory beside what was granted for messages. */
const RESIDENT_BYTES_BESIDE = 150 * MB
const SPACE_BYTES_MAX = 512 * MIB
const SPACE_MS_MAX = 60_000
/** One in so many is consumed by the process that took them all, before it is killed. */
const BEFORE_CRASH_DIVISOR = 10
/** What may be delivered again after a crash, beside what was in flight. */
const REDELIVERED_COUNT_MAX = 10_000

/** A backlog far beyond memory, built, partly drained, through a crash, and drained. */
class BacklogRun {
  readonly #context: ScenarioContext
  readonly #tag = drawTag()
  readonly #topic = `backlog-${this.#tag}`
  readonly #messageCount: number
  readonly #residentLimitBytes: number
  readonly ledger: Ledger
  readonly figures: Figure[] = []
  readonly notes: string[] = []

  constructor(context: ScenarioContext) {
    const { backlogMessageCount, bodySizeBytes, memoryLimitBytes } = context.scale
    this.#context = context
    this.#messageCount = backlogMessageCount
    this.#residentLimitBytes = memoryLimitBytes + RESIDENT_BYTES_BESIDE
    this.ledger = new Ledger(backlogMessageCount, this.#tag, bodySizeBytes)
  }

  /** Builds the backlog and takes the first of it, in one process. */
  async grow(subject: RunningSubject): Promise<void> {
    const { bodySizeBytes } = this.#context.scale
    const consuming = await this.#consume(subject)
    const publishing = await Publishing.open(subject, {
      topic: this.#topic,
      tag: this.#tag,
      bodySizeBytes,
      messageCount: this.#messageCount,
      connectionCount: MPUB_CONNECTION_COUNT,
      batchCount: MPUB_BATCH_COUNT,
    })
    this.#context.progress(`publishing ${this.#messageCount} messages`)
    const footprint = new Footprint(subject, this.#context.progress)
    const elapsedMs = await publishing.run()
    const grown = footprint.take()
    const diskShare = await readDiskShare(subject, this.#topic)
    this.#context.progress('draining the first part')
    await consuming.runUntil(this.#messageCount / BEFORE_CRASH_DIVISOR)
    const drained = footprint.stop()
    this.#addRate('in', 'MPUB', perSecond(this.#messageCount, elapsedMs))
    this.figures.push(diskShareFigure('backlog', diskShare))
    this.#addResident('growing', 'while it grows', grown.residentBytes)
    this.#addResident('draining', 'while the first part drains', drained.residentBytes)
    this.notes.push(`data path at most ${inMb(Math.max(grown.sizeBytes, drained.sizeBytes))}`)
  }

  async crash(subject: RunningSubject): Promise<RunningSubject> {
    const restarted = await crashAndRestart(this.#context, subject)
    this.ledger.crashed()
    this.figures.push(restartFigure('backlog', 'backlog', restarted))
    const { depth, deferred_count } = await readChannels(restarted, this.#topic)
    const finishedCount = this.#messageCount - depth - deferred_count
    this.notes.push(`${this.ledger.receivedCount} received before kill -9, ${depth} waiting after it`)
    if (finishedCount > this.ledger.receivedCount) {
      throw new Error(`after the restart ${depth} messages wait, and only ${this.ledger.receivedCount} were received`)
    }
    return restarted
  }

  /** Takes the rest, and waits until the broker has given its disk space back. */
  async drain(subject: RunningSubject): Promise<void> {
    const before = this.ledger.receivedCount
    const consuming = await this.#consume(subject)
    this.#context.progress('draining the rest')
    const footprint = new Footprint(subject, this.#context.progress)
    const elapsedMs = await consuming.run()
    const { residentBytes } = footprint.stop()
    this.#addRate('out', 'drained', perSecond(this.ledger.receivedCount - before, elapsedMs))
    this.#addResident('drained', 'while the rest drains, after the restart', residentBytes)
    this.figures.push({
      key: 'backlog.redelivered',
      title: 'backlog, delivered again after kill -9',
      unit: 'messages',
      value: this.ledger.redeliveredCount,
      better: 'less',
      limit: REDELIVERED_COUNT_MAX + CONSUMER_COUNT * READY_MAX,
    })
    this.#context.progress('waiting for disk space')
    const { elapsedMs: underAfterMs, course } = await watchShrinking(
      subject,
      SPACE_BYTES_MAX,
      this.#context.scale.spaceMsMax,
    )
    this.notes.push(`data path after the last FIN: ${course}`)
    this.figures.push({
      key: 'backlog.space',
      title: `backlog, last FIN until the data path is under ${SPACE_BYTES_MAX / MIB} MiB`,
      unit: 's',
      value: underAfterMs / 1000,
      better: 'less',
      limit: SPACE_MS_MAX / 1000,
    })
  }

  #consume(subject: RunningSubject): Promise<Consuming> {
    return Consuming.open(subject, {
      topic: this.#topic,
      channel: 'ch',
      connectionCount: CONSUMER_COUNT,
      ready: READY_MAX,
      ledger: this.ledger,
    })
  }

  #addRate(key: string, what: string, value: number): void {
    this.figures.push({ key: `backlog.${key}`, title: `backlog, ${what}`, unit: 'msg/s', value, better: 'more' })
  }

  #addResident(key: string, when: string, residentBytes: number): void {
    this.figures.push({
      key: `backlog.resident.${key}`,
      title: `backlog, resident at most ${when}`,
      unit: 'MB',
      value: residentBytes / MB,
      better: 'less',
      limit: this.#residentLimitBytes / MB,
    })
  }
}

export const backlog: Scenario = {
  name: 'backlog',
  title: 'a backlog far beyond memory: resident memory, kill -9 and restart, disk space given back',
  ceiling: false,
  durable: true,
  async run(context) {
    const run = new BacklogRun(context)
    const subject = await context.start()
    await run.grow(subject)
    const restarted = await run.crash(subject)
    await run.drain(restarted)
    return { figures: run.figures, verification: run.ledger.result(), notes: run.notes }
  },
}
