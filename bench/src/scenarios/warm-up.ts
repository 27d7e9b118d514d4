import { setTimeout as sleep } from 'node:timers/promises'
import { Ledger } from '../ledger.js'
import type { ScenarioContext } from '../scenario.js'
import type { RunningSubject } from '../subject.js'
import { Consuming, drawTag, Publishing } from '../traffic.js'

/** MPUB as everybody measures it. */
export const MPUB_BATCH_COUNT = 200
export const MPUB_CONNECTION_COUNT = 4
export const READY_MAX = 2500
const READY_HEAD_START_MS = 20

/**
 * Brings broker and client into the state of a server that has run for a while, so that a figure says nothing about
 * just-in-time compilers: a topic of its own is published to, singly and in batches, and consumed.
 */
export async function warmUp(context: ScenarioContext, subject: RunningSubject): Promise<void> {
  const { warmUpMessageCount, bodySizeBytes } = context.scale
  if (warmUpMessageCount === 0) return
  context.progress('warming up')
  for (const batchCount of [MPUB_BATCH_COUNT, 1]) {
    const tag = drawTag()
    const topic = `warm-up-${tag}`
    const messageCount = batchCount === 1 ? warmUpMessageCount / 10 : warmUpMessageCount
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
      batchCount,
    })
    const consumed = consuming.run()
    // Consumers are ready first: the sink passes single messages on only to those that are.
    await sleep(READY_HEAD_START_MS)
    await Promise.all([publishing.run(), consumed])
  }
  await subject.process.settle(context.scale.settleMsMax)
}
