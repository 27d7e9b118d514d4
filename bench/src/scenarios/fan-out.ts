import { addUp, Ledger } from '../ledger.js'
import type { Scenario } from '../scenario.js'
import { Consuming, CpuMeter, drawTag, Publishing, perMillion, perSecond } from '../traffic.js'
import { MPUB_BATCH_COUNT, READY_MAX, warmUp } from './warm-up.js'

/** Publishes to one topic while every channel of it is consumed, one consumer each. `flow` has one channel. */
function liveScenario(channelCount: number, naming: Pick<Scenario, 'name' | 'title'>): Scenario {
  return {
    ...naming,
    ceiling: true,
    async run(context) {
      const { bodySizeBytes } = context.scale
      // Fewer messages with more channels, but enough for the 10 ms in which processor time is counted.
      const messageCount = channelCount === 1 ? context.scale.messageCount : context.scale.messageCount / 5
      const deliveredCount = messageCount * channelCount
      const subject = await context.start({ queueSize: messageCount })
      await warmUp(context, subject)
      const tag = drawTag()
      const topic = `${naming.name}-${tag}`
      const ledgers = Array.from({ length: channelCount }, () => new Ledger(messageCount, tag, bodySizeBytes))
      const consuming = await Promise.all(
        ledgers.map((ledger, i) =>
          Consuming.open(subject, { topic, channel: `ch${i}`, connectionCount: 1, ready: READY_MAX, ledger }),
        ),
      )
      const publishing = await Publishing.open(subject, {
        topic,
        tag,
        bodySizeBytes,
        messageCount,
        connectionCount: 2,
        batchCount: MPUB_BATCH_COUNT,
      })
      context.progress('publishing and consuming')
      const meter = new CpuMeter(subject)
      const times = await Promise.all([...consuming.map((one) => one.run()), publishing.run()])
      const elapsedMs = Math.max(...times)
      const clientLoad = meter.clientLoad(elapsedMs)
      await subject.process.settle(context.scale.settleMsMax)
      const fanned = channelCount > 1
      return {
        figures: [
          {
            key: `${naming.name}.rate`,
            title: fanned
              ? `fan-out to ${channelCount} channels, deliveries`
              : 'publish and consume at once, throughput',
            unit: 'msg/s',
            value: perSecond(deliveredCount, elapsedMs),
            better: 'more',
            ...(fanned ? { goal: { memory: 3, disk: 4 } } : {}),
          },
          {
            key: `${naming.name}.cpu`,
            title: fanned ? 'fan-out, broker CPU per delivery' : 'publish and consume at once, broker CPU',
            unit: 's/million',
            value: perMillion(meter.brokerMs(), deliveredCount),
            better: 'less',
            ...(fanned ? {} : { goal: { memory: 0.4, disk: 0.35 } }),
          },
        ],
        verification: addUp(ledgers.map((ledger) => ledger.result())),
        clientLoad,
      }
    },
  }
}

export const fanOut = liveScenario(10, { name: 'fanout', title: 'MPUB to a topic with 10 channels, all consumed' })
export const flow = liveScenario(1, { name: 'flow', title: 'MPUB and consume at the same time, one channel' })
