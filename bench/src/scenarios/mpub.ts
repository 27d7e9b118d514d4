import { Ledger } from '../ledger.js'
import type { Scenario } from '../scenario.js'
import { Consuming, CpuMeter, drawTag, Publishing, perMillion, perSecond } from '../traffic.js'
import { MPUB_BATCH_COUNT, MPUB_CONNECTION_COUNT, READY_MAX, warmUp } from './warm-up.js'

/** Batches into a topic whose channel nobody reads from; drained afterwards, to see that everything arrived. */
export const mpub: Scenario = {
  name: 'mpub',
  title: `MPUB of ${MPUB_BATCH_COUNT} messages, ${MPUB_CONNECTION_COUNT} connections`,
  ceiling: true,
  async run(context) {
    const { messageCount, bodySizeBytes } = context.scale
    const subject = await context.start({ queueSize: messageCount })
    await warmUp(context, subject)
    const tag = drawTag()
    const topic = `mpub-${tag}`
    const ledger = new Ledger(messageCount, tag, bodySizeBytes)
    const consuming = await Consuming.open(subject, {
      topic,
      channel: 'ch',
      connectionCount: 2,
      ready: READY_MAX,
      ledger,
    })
    const publishing = await Publishing.open(subject, {
      topic,
      tag,
      bodySizeBytes,
      messageCount,
      connectionCount: MPUB_CONNECTION_COUNT,
      batchCount: MPUB_BATCH_COUNT,
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
          key: 'mpub.rate',
          title: 'MPUB, throughput',
          unit: 'msg/s',
          value: perSecond(messageCount, elapsedMs),
          better: 'more',
          goal: { memory: 1.3, disk: 2.5 },
        },
        {
          key: 'mpub.cpu',
          title: 'MPUB, broker CPU',
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
