import { readChannels } from '../broker-stats.js'
import { Connection } from '../connection.js'
import type { Requeueing } from '../consumer.js'
import { readFolderBytes } from '../data-path.js'
import { Footprint, inMb, MB, MIB, watchShrinking } from '../footprint.js'
import { Holder } from '../holder.js'
import { Ledger } from '../ledger.js'
import type { Scenario, ScenarioContext } from '../scenario.js'
import type { RunningSubject } from '../subject.js'
import { Consuming, drawTag, Publishing } from '../traffic.js'
import { MPUB_BATCH_COUNT, MPUB_CONNECTION_COUNT, READY_MAX } from './warm-up.js'

const CONSUMER_COUNT = 2
const ROUND_COUNT = 10
const SPACE_BYTES_MAX = 512 * MIB
/** Longer than the scenario takes; the longest that a broker allows unless told otherwise. */
const MSG_TIMEOUT_MS = 900_000
const HOUR_MS = 3_600_000
const SAMPLE_MS = 250

/** Compares the data path with what must be in it, for as long as it runs. */
class ExcessWatch {
  readonly #subject: RunningSubject
  readonly #topic: string
  readonly #bodySizeBytes: number
  readonly #timer: NodeJS.Timeout
  #isReading = false
  /** The most by which the data path was larger than twice the live data. */
  excessBytes = 0
  liveCount = 0

  constructor(subject: RunningSubject, topic: string, bodySizeBytes: number) {
    this.#subject = subject
    this.#topic = topic
    this.#bodySizeBytes = bodySizeBytes
    this.#timer = setInterval(() => {
      if (!this.#isReading) this.sample().catch(() => undefined)
    }, SAMPLE_MS)
  }

  async sample(): Promise<void> {
    this.#isReading = true
    try {
      const { depth, in_flight_count, deferred_count } = await readChannels(this.#subject, this.#topic)
      this.liveCount = depth + in_flight_count + deferred_count
      const excessBytes = readFolderBytes(this.#subject.dataPath) - 2 * this.liveCount * this.#bodySizeBytes
      if (excessBytes > this.excessBytes) this.excessBytes = excessBytes
    } finally {
      this.#isReading = false
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

interface StuckVariant {
  readonly name: string
  readonly title: string
  /** What the figures are about. */
  readonly what: string
  /** Whether a consumer holds the first message all the while. */
  readonly holds: boolean
  readonly requeueing?: Requeueing
}

/** Messages pass in rounds, each of them a backlog that is then drained, while a few stay. */
class StuckRun {
  readonly #context: ScenarioContext
  readonly #subject: RunningSubject
  readonly #variant: StuckVariant
  readonly #tag = drawTag()
  readonly #topic: string
  readonly #roundMessageCount: number
  readonly #heldCount: number
  readonly ledger: Ledger
  #nextSerial = 0
  readonly #watch: ExcessWatch

  constructor(context: ScenarioContext, subject: RunningSubject, variant: StuckVariant) {
    const { passingMessageCount, bodySizeBytes } = context.scale
    this.#context = context
    this.#subject = subject
    this.#variant = variant
    this.#topic = `${variant.name}-${this.#tag}`
    this.#roundMessageCount = passingMessageCount / ROUND_COUNT
    this.#heldCount = variant.holds ? 1 : 0
    this.ledger = new Ledger(this.#heldCount + passingMessageCount, this.#tag, bodySizeBytes)
    this.#watch = new ExcessWatch(subject, this.#topic, bodySizeBytes)
  }

  /** One message is published, and kept by a consumer. */
  async hold(): Promise<{ release(): Promise<void> }> {
    const connection = await Connection.open(this.#subject.tcpPort, { msg_timeout: MSG_TIMEOUT_MS })
    await connection.subscribe(this.#topic, 'ch')
    const holder = new Holder(connection)
    await this.#publish(1, 1, 1)
    await holder.hold()
    return {
      release: async () => {
        await holder.release()
        const rest = await this.#consume()
        await rest.run()
        connection.close()
      },
    }
  }

  async pass(): Promise<void> {
    for (let round = 1; round <= ROUND_COUNT; round++) {
      this.#context.progress(
        `round ${round} of ${ROUND_COUNT}, ${inMb(readFolderBytes(this.#subject.dataPath))} on disk`,
      )
      const consuming = await this.#consume()
      await this.#publish(this.#roundMessageCount, MPUB_BATCH_COUNT, MPUB_CONNECTION_COUNT)
      await this.#watch.sample()
      await consuming.runUntil(this.#heldCount === 0 ? this.#nextSerial : this.#nextSerial - 1)
      await this.#watch.sample()
      consuming.close()
    }
  }

  stop(): ExcessWatch {
    this.#watch.stop()
    return this.#watch
  }

  async #publish(messageCount: number, batchCount: number, connectionCount: number): Promise<void> {
    const publishing = await Publishing.open(this.#subject, {
      topic: this.#topic,
      tag: this.#tag,
      bodySizeBytes: this.#context.scale.bodySizeBytes,
      messageCount,
      firstSerial: this.#nextSerial,
      connectionCount,
      batchCount,
    })
    await publishing.run()
    this.#nextSerial += messageCount
  }

  #consume(): Promise<Consuming> {
    const { requeueing } = this.#variant
    return Consuming.open(this.#subject, {
      topic: this.#topic,
      channel: 'ch',
      connectionCount: CONSUMER_COUNT,
      ready: READY_MAX,
      ledger: this.ledger,
      ...(requeueing === undefined ? {} : { requeueing }),
    })
  }
}

function stuckScenario(variant: StuckVariant): Scenario {
  const { name, what } = variant
  return {
    name,
    title: variant.title,
    ceiling: false,
    durable: true,
    async run(context) {
      const subject = await context.start()
      const run = new StuckRun(context, subject, variant)
      const held = variant.holds ? await run.hold() : null
      const footprint = new Footprint(subject, () => undefined)
      const startedAtMs = performance.now()
      await run.pass()
      const rate = (run.ledger.receivedCount * 1000) / (performance.now() - startedAtMs)
      const { residentBytes, sizeBytes } = footprint.stop()
      const { excessBytes, liveCount } = run.stop()
      const limitBytes = SPACE_BYTES_MAX + 2 * liveCount * context.scale.bodySizeBytes
      const shrinking = await watchShrinking(subject, limitBytes, context.scale.spaceMsMax / 6)
      await held?.release()
      return {
        figures: [
          { key: `${name}.rate`, title: `${what}, others in and out`, unit: 'msg/s', value: rate, better: 'more' },
          {
            key: `${name}.excess`,
            title: `${what}, data path above twice the live data, at most`,
            unit: 'MB',
            value: excessBytes / MB,
            better: 'less',
            limit: SPACE_BYTES_MAX / MB,
          },
        ],
        verification: run.ledger.result(),
        notes: [
          `${liveCount} messages stay; data path at most ${inMb(sizeBytes)}, resident at most ${inMb(residentBytes)}`,
          `data path after the last FIN: ${shrinking.course}`,
        ],
      }
    },
  }
}

export const stuck = stuckScenario({
  name: 'stuck',
  title: 'one message is never finished while others pass: disk space',
  what: 'one stuck message',
  holds: true,
})

export const requeued = stuckScenario({
  name: 'requeued',
  title: 'one message in a hundred is requeued with a delay of an hour while the others pass: disk space',
  what: 'one in 100 requeued',
  holds: false,
  requeueing: { every: 100, delayMs: HOUR_MS },
})
