import { Ledger } from '../ledger.js'
import type { Scenario } from '../scenario.js'
import { Consuming, CpuMeter, drawTag, Publishing, perMillion, perSecond } from '../traffic.js'
import { READY_MAX, warmUp } from './warm-up.js'

/** PUB, the next one when the broker has answered, on so many connections at once. */
function pubScenario(connectionCount: number, goal: { memory: number; disk: number }): Scenario {
  const name = `pub${connectionCount}`
  return {
    name,
    title: `PUB one at a time, ${connectionCount} connections`,
    ceiling: true,
    async run(context) {
      const { bodySizeBytes } = context.scale
      const messageCount = context.scale.messageCount / 5
      const subject = await context.start({ queueSize: messageCount })
      await warmUp(context, subject)
      const tag = drawTag()
      const topic = `${name}-${tag}`
      const ledger = new Ledger(messageCount, tag, bodySizeBytes)
      const consuming = await Consuming.open(subject, {
        topic,
        channel: 'ch',
        connectionCount: 1,
        ready: READY_MAX,
        ledger,
      })
      const publishing = await Publishing.open(subject, {
        topic,
        tag,
        bodySizeBytes,
        messageCount,
        connectionCount,
        batchCount: 1,
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
            title: `PUB, ${connectionCount} connections, throughput`,
            unit: 'msg/s',
            value: perSecond(messageCount, elapsedMs),
            better: 'more',
            goal,
          },
          {
            key: `${name}.cpu`,
            title: `PUB, ${connectionCount} connections, broker CPU`,
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

export const pub2 = pubScenario(2, { memory: 1, disk: 0.85 })
export const pub32 = pubScenario(32, { memory: 1.5, disk: 1.5 })
