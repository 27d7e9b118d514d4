import { readTopics } from '../broker-stats.js'
import { Footprint, inMb } from '../footprint.js'
import { Ledger } from '../ledger.js'
import { prepareTrain, publishPipelined } from '../pipelined-publisher.js'
import type { Scenario } from '../scenario.js'
import { Consuming, drawTag } from '../traffic.js'
import { crashAndRestart, restartFigure } from './crash.js'

const PUBLISHER_COUNT = 4
const READY = 100
const OPENING_AT_ONCE_COUNT = 50

/** Opens so many at once, for no server likes thousands of connections in one moment. */
async function openAll(topics: readonly string[], open: (topic: string) => Promise<Consuming>): Promise<Consuming[]> {
  const opened: Consuming[] = []
  for (let i = 0; i < topics.length; i += OPENING_AT_ONCE_COUNT) {
    opened.push(...(await Promise.all(topics.slice(i, i + OPENING_AT_ONCE_COUNT).map(open))))
  }
  return opened
}

/** Single publishes that are spread over many topics, a crash, and all of them consumed. */
export const restartTopics: Scenario = {
  name: 'restart-topics',
  title: 'single PUBs spread over many topics, kill -9, restart: how long it takes, and everything is there',
  ceiling: false,
  durable: true,
  async run(context) {
    const { scatteredMessageCount: messageCount, scatteredTopicCount, bodySizeBytes } = context.scale
    const subject = await context.start()
    const tag = drawTag()
    const topics = Array.from({ length: scatteredTopicCount }, (_, i) => `scattered-${tag}-${i}`)
    const ledger = new Ledger(messageCount, tag, bodySizeBytes)
    const open = (broker: typeof subject) => (topic: string) =>
      Consuming.open(broker, { topic, channel: 'ch', connectionCount: 1, ready: READY, ledger })
    context.progress(`creating ${topics.length} topics`)
    for (const consuming of await openAll(topics, open(subject))) consuming.close()
    context.progress(`publishing ${messageCount} messages`)
    const footprint = new Footprint(subject, context.progress)
    const share = Math.ceil(topics.length / PUBLISHER_COUNT)
    const trains = Array.from({ length: PUBLISHER_COUNT }, (_, i) => {
      const lines = topics.slice(i * share, (i + 1) * share).map((topic) => `PUB ${topic}`)
      const train = prepareTrain(lines, tag, bodySizeBytes)
      return () => train
    })
    const rate = await publishPipelined(subject.tcpPort, { messageCount, trains })
    const { residentBytes, sizeBytes } = footprint.stop()
    const restarted = await crashAndRestart(context, subject)
    const stats = await readTopics(restarted)
    const waitingCount = stats.flatMap(({ channels }) => channels).reduce((sum, { depth }) => sum + depth, 0)
    if (waitingCount !== messageCount) context.progress(`${waitingCount} of ${messageCount} messages wait`)
    ledger.crashed()
    const consuming = await openAll(topics, open(restarted))
    context.progress('draining')
    await Consuming.runAll(consuming, ledger)
    return {
      figures: [
        {
          key: 'restart-topics.rate',
          title: `PUB to ${topics.length} topics in turn, pipelined`,
          unit: 'msg/s',
          value: rate,
          better: 'more',
        },
        restartFigure('restart-topics', `${topics.length} topics`, restarted),
      ],
      verification: ledger.result(),
      notes: [
        `${waitingCount} messages in ${stats.length} topics after kill -9; before it ${inMb(sizeBytes)} on disk, ${inMb(residentBytes)} resident at most`,
      ],
    }
  },
}
