import { Connection } from '../connection.js'
import { LatencyRecorder } from '../latency-recorder.js'
import { Ledger } from '../ledger.js'
import { publishAtRate } from '../paced-publisher.js'
import type { Figure, Scenario } from '../scenario.js'
import { Consuming, CpuMeter, drawTag, perMillion } from '../traffic.js'
import { READY_MAX, warmUp } from './warm-up.js'

const PUBLISHER_COUNT = 4
/** Sent at the same rate before recording begins. */
const LEAD_IN_MS = 1000

interface LatencyVariant {
  readonly name: string
  readonly title: string
  readonly ready: number
  /** With RDY 1 a consumer waits for each message's turn, so there are enough of them to carry the rate. */
  readonly consumerCount: number
  readonly identify?: Readonly<Record<string, unknown>>
}

/** From the moment a message was written to its socket until the consumer has read it, at a fixed rate. */
function latencyScenario(variant: LatencyVariant): Scenario {
  const { name, ready, consumerCount, identify } = variant
  return {
    name,
    title: `publish-to-receive latency at a fixed rate, ${variant.title}`,
    ceiling: true,
    async run(context) {
      const { ratePerSecond, bodySizeBytes, durationMs } = context.scale
      const leadInCount = Math.floor((LEAD_IN_MS * ratePerSecond) / 1000)
      const recordedCount = Math.floor((durationMs * ratePerSecond) / 1000)
      const messageCount = leadInCount + recordedCount
      const subject = await context.start({ queueSize: messageCount })
      await warmUp(context, subject)
      const tag = drawTag()
      const topic = `${name}-${tag}`
      const ledger = new Ledger(messageCount, tag, bodySizeBytes)
      const latency = new LatencyRecorder(leadInCount, recordedCount)
      const consuming = await Consuming.open(subject, {
        topic,
        channel: 'ch',
        connectionCount: consumerCount,
        ready,
        ledger,
        latency,
        ...(identify === undefined ? {} : { identify }),
      })
      const publishers = await Promise.all(
        Array.from({ length: PUBLISHER_COUNT }, () => Connection.open(subject.tcpPort)),
      )
      context.progress(`${ratePerSecond} msg/s`)
      const meter = new CpuMeter(subject)
      const pacing = { topic, tag, bodySizeBytes, messageCount, ratePerSecond }
      const [elapsedMs] = await Promise.all([consuming.run(), publishAtRate(publishers, pacing)])
      const clientLoad = meter.clientLoad(elapsedMs)
      const cpuMs = meter.brokerMs()
      for (const publisher of publishers) publisher.close()
      const { p50Ms, p99Ms, p999Ms, maxMs } = latency.percentiles()
      const figure = (part: string, value: number): Figure => {
        const goal = part === 'p99' || part === 'p99.9' ? { goal: { memory: 1, disk: 1.2 } } : {}
        return {
          key: `${name}.${part}`,
          title: `latency ${variant.title}, ${part}`,
          unit: 'ms',
          value,
          better: 'less',
          ...goal,
        }
      }
      return {
        figures: [
          figure('p50', p50Ms),
          figure('p99', p99Ms),
          figure('p99.9', p999Ms),
          figure('max', maxMs),
          {
            key: `${name}.cpu`,
            title: `latency ${variant.title}, broker CPU`,
            unit: 's/million',
            value: perMillion(cpuMs, messageCount),
            better: 'less',
          },
        ],
        verification: ledger.result(),
        clientLoad,
      }
    },
  }
}

export const latency = latencyScenario({ name: 'latency', title: 'RDY 2500', ready: READY_MAX, consumerCount: 1 })
export const latencyReady1 = latencyScenario({ name: 'latency-rdy1', title: 'RDY 1', ready: 1, consumerCount: 64 })
export const latency25Ms = latencyScenario({
  name: 'latency-25ms',
  title: 'output_buffer_timeout 25 ms',
  ready: READY_MAX,
  consumerCount: 1,
  identify: { output_buffer_timeout: 25 },
})
