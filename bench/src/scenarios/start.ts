import { median } from '../report.js'
import type { Scenario } from '../scenario.js'

const NOTHING_SENT = {
  expectedCount: 0,
  receivedCount: 0,
  lostCount: 0,
  corruptCount: 0,
  duplicateCount: 0,
  redeliveredCount: 0,
}

/** How soon a broker with an empty data path takes connections. */
export const start: Scenario = {
  name: 'start',
  title: 'from starting the process to its first connection, empty data path',
  ceiling: false,
  async run(context) {
    const timesMs: number[] = []
    for (let i = 0; i < context.scale.startCount; i++) {
      const subject = await context.start()
      timesMs.push(subject.startedInMs)
      await subject.stop()
    }
    return {
      figures: [
        {
          key: 'start.median',
          title: 'start to listening, median',
          unit: 'ms',
          value: median(timesMs),
          better: 'less',
        },
        {
          key: 'start.max',
          title: 'start to listening, slowest',
          unit: 'ms',
          value: Math.max(...timesMs),
          better: 'less',
        },
      ],
      verification: NOTHING_SENT,
    }
  },
}
