import { setTimeout as sleep } from 'node:timers/promises'
import { Ledger } from '../ledger.js'
import type { Scenario } from '../scenario.js'
import { Consuming, drawTag, Publishing } from '../traffic.js'
import { MPUB_BATCH_COUNT, MPUB_CONNECTION_COUNT, READY_MAX } from './warm-up.js'

const MB = 1e6

/** Resident memory of the broker for each message that waits in a channel, above what it has when idle. */
export const memory: Scenario = {
  name: 'memory',
  title: 'resident memory per queued message',
  ceiling: false,
  async run(context) {
    const { messageCount, bodySizeBytes, restMs } = context.scale
    const subject = await context.start({ queueSize: messageCount })
    const tag = drawTag()
    const topic = `memory-${tag}`
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
      connectionCount: MPUB_CONNECTION_COUNT,
      batchCount: MPUB_BATCH_COUNT,
    })
    await subject.process.settle(context.scale.settleMsMax)
    const idleBytes = subject.process.readResidentBytes()
    context.progress('publishing')
    await publishing.run()
    context.progress(`resting ${restMs / 1000} s`)
    await sleep(restMs)
    const fullBytes = subject.process.readResidentBytes()
    context.progress('draining')
    await consuming.run()
    return {
      figures: [
        { key: 'memory.idle', title: 'resident, idle', unit: 'MB', value: idleBytes / MB, better: 'less' },
        { key: 'memory.full', title: 'resident, all queued', unit: 'MB', value: fullBytes / MB, better: 'less' },
        {
          key: 'memory.message',
          title: 'resident memory per queued message',
          unit: 'bytes',
          value: (fullBytes - idleBytes) / messageCount,
          better: 'less',
          goal: { memory: 0.75 },
        },
      ],
      verification: ledger.result(),
    }
  },
}
