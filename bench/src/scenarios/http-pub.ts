import { HttpPublisher } from '../http-publisher.js'
import { Ledger } from '../ledger.js'
import { Serials } from '../publisher.js'
import type { Scenario } from '../scenario.js'
import { waitForListener } from '../subject.js'
import { Consuming, CpuMeter, drawTag, perMillion, perSecond } from '../traffic.js'
import { READY_MAX, warmUp } from './warm-up.js'

const CONNECTION_COUNT = 32
/** Of the scale's messages, one in so many is published. */
const MESSAGE_DIVISOR = 5

/** POST /pub over connections that are kept, each with one request at a time; drained afterwards, to see that everything arrived. */
export const httpPub: Scenario = {
  name: 'http-pub',
  title: `POST /pub, ${CONNECTION_COUNT} keep-alive connections, one request at a time on each`,
  ceiling: false,
  async run(context) {
    const { bodySizeBytes } = context.scale
    const messageCount = context.scale.messageCount / MESSAGE_DIVISOR
    const subject = await context.start({ queueSize: messageCount })
    await waitForListener(subject.httpPort)
    await warmUp(context, subject)
    // HTTP has code of its own that wants to be warm.
    await post(subject.httpPort, { topic: `warm-${drawTag()}`, tag: 1, bodySizeBytes }, messageCount / 10)
    const tag = drawTag()
    const topic = `http-pub-${tag}`
    const ledger = new Ledger(messageCount, tag, bodySizeBytes)
    const consuming = await Consuming.open(subject, {
      topic,
      channel: 'ch',
      connectionCount: 1,
      ready: READY_MAX,
      ledger,
    })
    context.progress('publishing')
    const meter = new CpuMeter(subject)
    const elapsedMs = await post(subject.httpPort, { topic, tag, bodySizeBytes }, messageCount)
    const clientLoad = meter.clientLoad(elapsedMs)
    await subject.process.settle(context.scale.settleMsMax)
    const cpuMs = meter.brokerMs()
    context.progress('draining')
    await consuming.run()
    return {
      figures: [
        {
          key: 'http-pub.rate',
          title: `POST /pub, ${CONNECTION_COUNT} connections, throughput`,
          unit: 'msg/s',
          value: perSecond(messageCount, elapsedMs),
          better: 'more',
          goal: { memory: 1, disk: 1 },
        },
        {
          key: 'http-pub.cpu',
          title: `POST /pub, ${CONNECTION_COUNT} connections, broker CPU`,
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

/** @returns how long it took, in milliseconds */
async function post(
  port: number,
  of: { readonly topic: string; readonly tag: number; readonly bodySizeBytes: number },
  messageCount: number,
): Promise<number> {
  const serials = new Serials(0, Math.round(messageCount))
  let finish = (_error?: Error): void => {}
  const done = new Promise<void>((resolve, reject) => {
    finish = (error) => (error === undefined ? resolve() : reject(error))
  })
  const opening = Array.from({ length: CONNECTION_COUNT }, () =>
    HttpPublisher.open(port, of, serials, (error) => finish(error)),
  )
  const publishers = await Promise.all(opening)
  const startedMs = performance.now()
  for (const publisher of publishers) publisher.send()
  await done
  const elapsedMs = performance.now() - startedMs
  for (const publisher of publishers) publisher.close()
  return elapsedMs
}
