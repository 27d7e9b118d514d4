import type { ScenarioResult } from './scenario.js'
import { runOrder, type ScenarioOrder } from './scenario-order.js'
import { SCENARIOS } from './scenarios/index.js'

/**
 * The client's process: it runs one scenario against one subject and ends, so that no run inherits another's heap.
 * Its parent sends the order; what it sends back is a {@link ScenarioReport}.
 */
export type ScenarioReport =
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'result'; readonly result: ScenarioResult }
  | { readonly kind: 'failure'; readonly reason: string }

const send = (report: ScenarioReport): Promise<void> =>
  new Promise((resolve) => process.send?.(report, () => resolve()))

process.once('message', (order: ScenarioOrder) => {
  const scenario = SCENARIOS.find(({ name }) => name === order.scenario)
  const run =
    scenario === undefined
      ? Promise.reject(new Error(`no scenario ${order.scenario}`))
      : runOrder(scenario, order, (text) => void send({ kind: 'progress', text }))
  run
    .then((result) => send({ kind: 'result', result }))
    .catch((error: unknown) =>
      send({ kind: 'failure', reason: error instanceof Error ? error.message : String(error) }),
    )
    .finally(() => process.exit())
})
// However it ends, brokers end with it: they are killed when this process exits in an orderly way.
process.once('disconnect', () => process.exit(1))
process.once('SIGINT', () => process.exit(1))
process.once('SIGTERM', () => process.exit(1))
