import type { Figure, Scenario } from '../scenario.js'
import { publishingScenario } from './publishing.js'

/** PUB, the next one when the broker has answered, on so many connections at once. */
function pubScenario(connectionCount: number, goal: NonNullable<Figure['goal']>): Scenario {
  return publishingScenario({
    name: `pub${connectionCount}`,
    title: `PUB one at a time, ${connectionCount} connections`,
    figureTitle: `PUB, ${connectionCount} connections`,
    goal,
    messageDivisor: 5,
    publisherCount: connectionCount,
    batchCount: 1,
    consumerCount: 1,
  })
}

export const pub2 = pubScenario(2, { memory: 1, disk: 0.85 })
export const pub32 = pubScenario(32, { memory: 1.5, disk: 1.5 })
