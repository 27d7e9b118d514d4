import { publishingScenario } from './publishing.js'
import { MPUB_BATCH_COUNT, MPUB_CONNECTION_COUNT } from './warm-up.js'

export const mpub = publishingScenario({
  name: 'mpub',
  title: `MPUB of ${MPUB_BATCH_COUNT} messages, ${MPUB_CONNECTION_COUNT} connections`,
  figureTitle: 'MPUB',
  goal: { memory: 1.3, disk: 2.5, 'durable-vs-memory': 1 },
  messageDivisor: 1,
  publisherCount: MPUB_CONNECTION_COUNT,
  batchCount: MPUB_BATCH_COUNT,
  consumerCount: 2,
})
