import { setTimeout as sleep } from 'node:timers/promises'
import { HttpClient } from '../http-client.js'
import type { Scenario } from '../scenario.js'

const MB = 1e6
const HTTP_CONNECTION_COUNT = 8

interface Stats {
  readonly topics: readonly { readonly channels: readonly unknown[] }[]
}

/** Many topics with one channel each, all of them idle. */
export const topics: Scenario = {
  name: 'topics',
  title: 'resident memory with many idle topics, one channel each',
  ceiling: false,
  async run(context) {
    const { topicCount, restMs } = context.scale
    const subject = await context.start()
    const idleBytes = subject.process.readResidentBytes()
    const http = new HttpClient(subject.httpPort, HTTP_CONNECTION_COUNT)
    context.progress(`creating ${topicCount} topics`)
    const startedAtMs = performance.now()
    let next = 0
    const create = async () => {
      while (next < topicCount) {
        const topic = `idle-${next++}`
        if (next % 2000 === 0) context.progress(`${next} topics`)
        await http.call('POST', `/topic/create?topic=${topic}`)
        await http.call('POST', `/channel/create?topic=${topic}&channel=ch`)
      }
    }
    await Promise.all(Array.from({ length: HTTP_CONNECTION_COUNT }, create))
    const elapsedMs = performance.now() - startedAtMs
    const stats = JSON.parse(await http.call('GET', '/stats?format=json&include_clients=false')) as Stats
    http.close()
    await subject.process.settle(context.scale.settleMsMax)
    await sleep(restMs)
    const fullBytes = subject.process.readResidentBytes()
    const completeCount = stats.topics.filter(({ channels }) => channels.length === 1).length
    return {
      figures: [
        {
          key: 'topics.resident',
          title: `resident, ${topicCount} idle topics`,
          unit: 'MB',
          value: fullBytes / MB,
          better: 'less',
        },
        {
          key: 'topics.each',
          title: 'resident memory per idle topic',
          unit: 'bytes',
          value: (fullBytes - idleBytes) / topicCount,
          better: 'less',
        },
        {
          key: 'topics.create',
          title: 'creating a topic and its channel over HTTP',
          unit: 'ms',
          value: elapsedMs / topicCount,
          better: 'less',
        },
      ],
      verification: {
        expectedCount: topicCount,
        receivedCount: completeCount,
        lostCount: topicCount - completeCount,
        corruptCount: 0,
        duplicateCount: 0,
        redeliveredCount: 0,
      },
    }
  },
}
