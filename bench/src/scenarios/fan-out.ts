import { readDiskShare } from '../broker-stats.js'
import { addUp, Ledger } from '../ledger.js'
import type { Scenario } from '../scenario.js'
import { Consuming, CpuMeter, drawTag, Publishing, perMillion, perSecond } from '../traffic.js'
import { diskShareFigure } from './disk-share.js'
import { MPUB_BATCH_COUNT, READY_MAX, warmUp } from './warm-up.js'

/**
 * Publishes to one topic while every channel of it is consumed, one consumer each. `flow` has one channel. From disk, the
 * fan-out is of a backlog, for whoever keeps up reads what is in memory.
 */
function liveScenario(channelCount: number, naming: Pick<Scenario, 'name' | 'title'>): Scenario {
  return {
    ...naming,
    ceiling: true,
    async run(context) {
      const { bodySizeBytes } = context.scale
      // Fewer messages with more channels, but enough for the 10 ms in which processor time is counted.
      const fanned = channelCount > 1
      const isBacklog = fanned && context.mode === 'disk'
      const messageCount = context.scale.messageCount / (isBacklog ? 2 : fanned ? 5 : 1)
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
      context.progress(isBacklog ? 'building the backlog' : 'publishing and consuming')
      const meter = new CpuMeter(subject)
      let diskShare = 0
      if (isBacklog) {
        await publishing.run()
        await subject.process.settle(context.scale.settleMsMax)
        diskShare = await readDiskShare(subject, topic)
        context.progress('consuming')
      }
      const out = new CpuMeter(subject)
      const times = await Promise.all([...consuming.map((one) => one.run()), ...(isBacklog ? [] : [publishing.run()])])
      const elapsedMs = Math.max(...times)
      const clientLoad = out.clientLoad(elapsedMs)
      await subject.process.settle(context.scale.settleMsMax)
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
          ...(isBacklog ? [diskShareFigure(naming.name, diskShare)] : []),
        ],
        verification: addUp(ledgers.map((ledger) => ledger.result())),
        clientLoad,
      }
    },
  }
}

export const fanOut = liveScenario(10, { name: 'fanout', title: 'MPUB to a topic with 10 channels, all consumed' })
export const flow = liveScenario(1, { name: 'flow', title: 'MPUB and consume at the same time, one channel' })
