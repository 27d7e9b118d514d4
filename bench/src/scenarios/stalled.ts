import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from '../connection.js'
import { Consumer } from '../consumer.js'
import { LatencyRecorder } from '../latency-recorder.js'
import { Ledger } from '../ledger.js'
import { publishAtRate } from '../paced-publisher.js'
import type { Figure, Scenario, ScenarioContext } from '../scenario.js'
import type { RunningSubject } from '../subject.js'
import { CpuMeter, drawTag, Publishing, perMillion, perSecond, whileAlive } from '../traffic.js'
import { MPUB_BATCH_COUNT, READY_MAX } from './warm-up.js'

const MB = 1e6
const BODY_SIZE_BYTES = 1000
const CONNECTING_AT_ONCE_COUNT = 100
const MEMORY_SAMPLE_MS = 250
/** After so long without a message, the flood is over for those who read; more than nsqd's output buffer takes. */
const QUIET_MS_MAX = 1000

/** What the consumers that read saw of one half of the run. */
interface Half {
  readonly latency: LatencyRecorder
  readonly floodPerSecond: number
  readonly floodCpuPerMillion: number
  readonly residentBytesMax: number
}

/** One channel with thousands of consumers, some of which stop reading while messages keep coming. */
class StalledRun {
  readonly #context: ScenarioContext
  readonly #subject: RunningSubject
  readonly #tag = drawTag()
  readonly #topic = `stalled-${this.#tag}`
  readonly ledger: Ledger
  readonly #connections: Connection[] = []
  readonly #pacedCount: number
  readonly #paceRatePerSecond: number
  readonly #floodCount: number
  readonly #recorders: LatencyRecorder[] = []
  #nextSerial = 0
  #complete: () => void = () => undefined
  readonly #completed = new Promise<void>((resolve) => {
    this.#complete = resolve
  })

  constructor(context: ScenarioContext, subject: RunningSubject) {
    const { durationMs, ratePerSecond, messageCount } = context.scale
    this.#context = context
    this.#subject = subject
    this.#paceRatePerSecond = ratePerSecond / 4
    this.#pacedCount = Math.floor((durationMs * this.#paceRatePerSecond) / 1000)
    this.#floodCount = messageCount / 10
    this.ledger = new Ledger(2 * this.#pacedCount + 3 * this.#floodCount, this.#tag, BODY_SIZE_BYTES)
  }

  async connect(): Promise<void> {
    const { consumerCount, durationMs } = this.#context.scale
    // Long enough that nothing times out while it is measured, short enough to wait for at the end.
    const identify = { msg_timeout: Math.max(1000, durationMs * 3) }
    const latency = {
      record: (serial: number, latencyMs: number, attempts: number) => {
        // What a stalled consumer held comes after its timeout: that is not the broker's delay.
        if (attempts > 1) return
        for (const recorder of this.#recorders) recorder.record(serial, latencyMs)
      },
    }
    while (this.#connections.length < consumerCount) {
      const count = Math.min(CONNECTING_AT_ONCE_COUNT, consumerCount - this.#connections.length)
      const opened = Array.from({ length: count }, async () => {
        const connection = await Connection.open(this.#subject.tcpPort, identify)
        await connection.subscribe(this.#topic, 'ch')
        new Consumer(connection, this.ledger, this.#complete, { latency })
        connection.setReady(READY_MAX)
        return connection
      })
      this.#connections.push(...(await Promise.all(opened)))
    }
  }

  /** Every connection has carried messages before anything is measured. */
  async warmUp(): Promise<void> {
    await this.#flood()
    await this.#untilQuiet()
  }

  /** Publishes at a fixed rate, then as fast as it goes. */
  async measureHalf(): Promise<Half> {
    const latency = new LatencyRecorder(this.#nextSerial, this.#pacedCount)
    this.#recorders.push(latency)
    let residentBytesMax = 0
    const sampling = setInterval(() => {
      residentBytesMax = Math.max(residentBytesMax, this.#subject.process.readResidentBytes())
    }, MEMORY_SAMPLE_MS)
    await this.#pace()
    await this.#untilQuiet()
    const receivedBefore = this.ledger.receivedCount
    const meter = new CpuMeter(this.#subject)
    const startedAtMs = performance.now()
    await this.#flood()
    const endedAtMs = await this.#untilQuiet()
    const floodPerSecond = perSecond(this.ledger.receivedCount - receivedBefore, endedAtMs - startedAtMs)
    const floodCpuPerMillion = perMillion(meter.brokerMs(), this.#floodCount)
    clearInterval(sampling)
    return { latency, floodPerSecond, floodCpuPerMillion, residentBytesMax }
  }

  stall(): void {
    for (const connection of this.#stalled()) connection.pauseReading()
  }

  /** The stalled ones go; what they held times out and comes to the others. */
  async finish(): Promise<void> {
    for (const connection of this.#stalled()) connection.close()
    const others = this.#connections.slice(this.#context.scale.stalledConsumerCount)
    if (!this.ledger.complete) await whileAlive(others, () => this.ledger.receivedCount, this.#completed)
    for (const connection of others) connection.close()
  }

  #stalled(): Connection[] {
    return this.#connections.slice(0, this.#context.scale.stalledConsumerCount)
  }

  async #pace(): Promise<void> {
    const publisher = await Connection.open(this.#subject.tcpPort)
    await publishAtRate([publisher], {
      topic: this.#topic,
      tag: this.#tag,
      bodySizeBytes: BODY_SIZE_BYTES,
      messageCount: this.#pacedCount,
      firstSerial: this.#nextSerial,
      ratePerSecond: this.#paceRatePerSecond,
    })
    this.#nextSerial += this.#pacedCount
    await this.#untilQuiet()
    publisher.close()
  }

  async #flood(): Promise<void> {
    const publishing = await Publishing.open(this.#subject, {
      topic: this.#topic,
      tag: this.#tag,
      bodySizeBytes: BODY_SIZE_BYTES,
      messageCount: this.#floodCount,
      firstSerial: this.#nextSerial,
      connectionCount: 2,
      batchCount: MPUB_BATCH_COUNT,
    })
    await publishing.run()
    this.#nextSerial += this.#floodCount
  }

  /** Waits until nothing has come for a while; returns when the last message came. */
  async #untilQuiet(): Promise<number> {
    const quietMs = Math.min(QUIET_MS_MAX, this.#context.scale.durationMs)
    let lastAtMs = performance.now()
    let count = this.ledger.receivedCount
    while (performance.now() - lastAtMs < quietMs) {
      await sleep(5)
      if (this.ledger.receivedCount === count) continue
      count = this.ledger.receivedCount
      lastAtMs = performance.now()
    }
    return lastAtMs
  }
}

function halfFigures(when: 'before' | 'after', half: Half): Figure[] {
  const { p50Ms, p99Ms } = half.latency.percentiles()
  const title = `${when === 'before' ? 'all read' : 'some stalled'}, the readers'`
  const key = `stalled.${when}`
  return [
    { key: `${key}.p50`, title: `${title} latency p50`, unit: 'ms', value: p50Ms, better: 'less' },
    { key: `${key}.p99`, title: `${title} latency p99`, unit: 'ms', value: p99Ms, better: 'less' },
    {
      key: `${key}.cpu`,
      title: `${title.split(',')[0]}, broker CPU`,
      unit: 's/million',
      value: half.floodCpuPerMillion,
      better: 'less',
    },
    { key: `${key}.rate`, title: `${title} throughput`, unit: 'msg/s', value: half.floodPerSecond, better: 'more' },
    {
      key: `${key}.resident`,
      title: `${title.split(',')[0]}, resident at most`,
      unit: 'MB',
      value: half.residentBytesMax / MB,
      better: 'less',
    },
  ]
}

export const stalled: Scenario = {
  name: 'stalled',
  title: 'thousands of consumers on a channel, before and after some of them stop reading',
  ceiling: false,
  async run(context) {
    const { consumerCount, stalledConsumerCount } = context.scale
    const subject = await context.start({ queueSize: context.scale.messageCount })
    const emptyBytes = subject.process.readResidentBytes()
    const run = new StalledRun(context, subject)
    context.progress(`connecting ${consumerCount} consumers`)
    await run.connect()
    await subject.process.settle(context.scale.settleMsMax)
    const idleBytes = subject.process.readResidentBytes()
    context.progress('all read')
    await run.warmUp()
    const before = await run.measureHalf()
    context.progress(`${stalledConsumerCount} of ${consumerCount} stop reading`)
    run.stall()
    const after = await run.measureHalf()
    context.progress('waiting for what the stalled ones held')
    await run.finish()
    return {
      figures: [
        {
          key: 'stalled.idle',
          title: `resident, ${consumerCount} idle consumers`,
          unit: 'MB',
          value: idleBytes / MB,
          better: 'less',
        },
        {
          key: 'stalled.connection',
          title: 'resident memory per idle consumer',
          unit: 'bytes',
          value: (idleBytes - emptyBytes) / consumerCount,
          better: 'less',
        },
        ...halfFigures('before', before),
        ...halfFigures('after', after),
      ],
      verification: run.ledger.result(),
    }
  },
}
