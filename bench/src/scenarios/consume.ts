import { readDiskShare } from '../broker-stats.js'
import { Ledger } from '../ledger.js'
import type { Scenario } from '../scenario.js'
import { Consuming, CpuMeter, drawTag, Publishing, perMillion, perSecond } from '../traffic.js'
import { diskShareFigure } from './disk-share.js'
import { MPUB_BATCH_COUNT, MPUB_CONNECTION_COUNT, READY_MAX, warmUp } from './warm-up.js'

const CONSUMER_COUNT = 2

/** A backlog is built, then drained by two consumers. The broker's CPU of both halves is the primary figure. */
export const consume: Scenario = {
  name: 'consume',
  title: `a backlog drained by ${CONSUMER_COUNT} consumers at RDY ${READY_MAX}, and the broker's CPU in + out`,
  ceiling: true,
  async run(context) {
    const { messageCount, bodySizeBytes } = context.scale
    const subject = await context.start({ queueSize: messageCount })
    await warmUp(context, subject)
    const tag = drawTag()
    const topic = `consume-${tag}`
    const ledger = new Ledger(messageCount, tag, bodySizeBytes)
    const consuming = await Consuming.open(subject, {
      topic,
      channel: 'ch',
      connectionCount: CONSUMER_COUNT,
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
    context.progress('building the backlog')
    const both = new CpuMeter(subject)
    await publishing.run()
    await subject.process.settle(context.scale.settleMsMax)
    const diskShare = context.mode === 'disk' ? await readDiskShare(subject, topic) : 0
    context.progress('consuming')
    const out = new CpuMeter(subject)
    const elapsedMs = await consuming.run()
    const clientLoad = out.clientLoad(elapsedMs)
    await subject.process.settle(context.scale.settleMsMax)
    return {
      figures: [
        {
          key: 'cpu.in-out',
          title: 'broker CPU, in + out',
          unit: 's/million',
          value: perMillion(both.brokerMs(), messageCount),
          better: 'less',
          goal: { memory: 0.4, disk: 0.35 },
        },
        {
          key: 'consume.rate',
          title: `consume at RDY ${READY_MAX}, throughput`,
          unit: 'msg/s',
          value: perSecond(messageCount, elapsedMs),
          better: 'more',
          goal: { memory: 2.5, disk: 2.5, 'durable-vs-memory': 1 },
        },
        {
          key: 'consume.cpu',
          title: 'consume, broker CPU',
          unit: 's/million',
          value: perMillion(out.brokerMs(), messageCount),
          better: 'less',
        },
        ...(context.mode === 'disk' ? [diskShareFigure('consume', diskShare)] : []),
      ],
      verification: ledger.result(),
      clientLoad,
    }
  },
}
