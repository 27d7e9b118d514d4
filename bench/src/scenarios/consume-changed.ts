import type { StreamChange } from '../connection.js'
import { Ledger } from '../ledger.js'
import type { Scenario } from '../scenario.js'
import { Consuming, CpuMeter, drawTag, Publishing, perMillion, perSecond } from '../traffic.js'
import { MPUB_BATCH_COUNT, MPUB_CONNECTION_COUNT, READY_MAX, warmUp } from './warm-up.js'

const CONSUMER_COUNT = 2
/** Of the scale's messages, one in so many: the client decodes them as well. */
const MESSAGE_DIVISOR = 2

/** A backlog is drained over connections that were changed. */
function consumeChanged(change: StreamChange): Scenario {
  const title = `consume over ${change === 'tls' ? 'TLS' : change}`
  return {
    name: `consume-${change}`,
    title: `a backlog drained by ${CONSUMER_COUNT} consumers over ${change === 'tls' ? 'TLS' : change}`,
    ceiling: false,
    async run(context) {
      const { bodySizeBytes } = context.scale
      const messageCount = context.scale.messageCount / MESSAGE_DIVISOR
      const subject = await context.start({ queueSize: messageCount, tls: true })
      await warmUp(context, subject)
      const tag = drawTag()
      const topic = `consume-${change}-${tag}`
      const ledger = new Ledger(messageCount, tag, bodySizeBytes)
      const consuming = await Consuming.open(subject, {
        topic,
        channel: 'ch',
        connectionCount: CONSUMER_COUNT,
        ready: READY_MAX,
        ledger,
        change,
      })
      const publishing = await Publishing.open(subject, {
        topic,
        tag,
        bodySizeBytes,
        messageCount,
        connectionCount: MPUB_CONNECTION_COUNT,
        batchCount: MPUB_BATCH_COUNT,
      })
      await publishing.run()
      await subject.process.settle(context.scale.settleMsMax)
      context.progress('consuming')
      const meter = new CpuMeter(subject)
      const elapsedMs = await consuming.run()
      const clientLoad = meter.clientLoad(elapsedMs)
      await subject.process.settle(context.scale.settleMsMax)
      return {
        figures: [
          {
            key: `consume-${change}.rate`,
            title: `${title}, throughput`,
            unit: 'msg/s',
            value: perSecond(messageCount, elapsedMs),
            better: 'more',
          },
          {
            key: `consume-${change}.cpu`,
            title: `${title}, broker CPU`,
            unit: 's/million',
            value: perMillion(meter.brokerMs(), messageCount),
            better: 'less',
          },
        ],
        verification: ledger.result(),
        clientLoad,
      }
    },
  }
}

export const consumeTls = consumeChanged('tls')
export const consumeDeflate = consumeChanged('deflate')
export const consumeSnappy = consumeChanged('snappy')
