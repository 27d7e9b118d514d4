import { Ledger } from '../ledger.js'
import type { Figure, Scenario } from '../scenario.js'
import { Consuming, CpuMeter, drawTag, Publishing, perMillion, perSecond } from '../traffic.js'
import { READY_MAX, warmUp } from './warm-up.js'

interface PublishingScenario {
  readonly name: string
  readonly title: string
  /** What the figures are of, as the table names it. */
  readonly figureTitle: string
  readonly goal: NonNullable<Figure['goal']>
  /** Of the scale's messages, one in so many is published. */
  readonly messageDivisor: number
  readonly publisherCount: number
  readonly batchCount: number
  readonly consumerCount: number
}

/** Publishes to a topic whose channel nobody reads from meanwhile; drained afterwards, to see that everything arrived. */
export function publishingScenario(of: PublishingScenario): Scenario {
  const { name, title, figureTitle, goal } = of
  return {
    name,
    title,
    ceiling: true,
    async run(context) {
      const { bodySizeBytes } = context.scale
      const messageCount = context.scale.messageCount / of.messageDivisor
      const subject = await context.start({ queueSize: messageCount })
      await warmUp(context, subject)
      const tag = drawTag()
      const topic = `${name}-${tag}`
      const ledger = new Ledger(messageCount, tag, bodySizeBytes)
      const consuming = await Consuming.open(subject, {
        topic,
        channel: 'ch',
        connectionCount: of.consumerCount,
        ready: READY_MAX,
        ledger,
      })
      const publishing = await Publishing.open(subject, {
        topic,
        tag,
        bodySizeBytes,
        messageCount,
        connectionCount: of.publisherCount,
        batchCount: of.batchCount,
      })
      context.progress('publishing')
      const meter = new CpuMeter(subject)
      const elapsedMs = await publishing.run()
      const clientLoad = meter.clientLoad(elapsedMs)
      await subject.process.settle(context.scale.settleMsMax)
      const cpuMs = meter.brokerMs()
      context.progress('draining')
      await consuming.run()
      return {
        figures: [
          {
            key: `${name}.rate`,
            title: `${figureTitle}, throughput`,
            unit: 'msg/s',
            value: perSecond(messageCount, elapsedMs),
            better: 'more',
            goal,
          },
          {
            key: `${name}.cpu`,
            title: `${figureTitle}, broker CPU`,
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
