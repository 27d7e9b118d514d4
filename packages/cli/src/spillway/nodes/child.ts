import { PROCESS_OUTPUT } from '../../output.js'
import type { Lifetime } from '../../run-node.js'
import { startBroker } from '../start.js'
import { type FromNode, type NodeOrder, rawConfigOf, type ToNode } from './messages.js'

/** A node whose supervisor is gone, and that has not stopped in order by then, ends anyhow. */
const ORPHAN_MS_MAX = 60_000

/**
 * The process of one node: runs what its supervisor orders until that says so, is gone, or until SIGTERM.
 * SIGINT is the supervisor's alone: a terminal sends it to all of them.
 * @returns the exit code
 */
export async function spillwayNode(): Promise<number> {
  if (process.send === undefined) {
    process.stderr.write('spillway: this is a part of spillway start --nodes, which starts it\n')
    return 2
  }
  // With the supervisor goes whoever reads what is written here.
  process.stderr.on('error', () => {})
  process.stdout.on('error', () => {})
  const supervisor = new SupervisorChannel()
  const order = await supervisor.order
  if (order === null) return 1
  const { logFormat, logLevel, nodesOnMachine } = order
  const options = { logFormat, logLevel, nodesOnMachine, output: PROCESS_OUTPUT, lifetime: supervisor }
  return startBroker(() => Promise.resolve(rawConfigOf(order)), options)
}

/** What the supervisor says, and that it is still there. */
class SupervisorChannel implements Lifetime {
  /** What to run; `null` when the supervisor was gone before it said so. */
  readonly order: Promise<NodeOrder | null>
  readonly over: Promise<string>
  #reload: (reason: string) => void = () => {}

  constructor() {
    let begin = (_order: NodeOrder | null): void => {}
    let end = (_reason: string): void => {}
    this.order = new Promise((resolve) => {
      begin = resolve
    })
    this.over = new Promise((resolve) => {
      end = resolve
    })
    process.on('message', (message: ToNode) => {
      if (message.kind === 'start') begin(message.order)
      else if (message.kind === 'stop') end(message.reason)
      else this.#reload(message.reason)
    })
    process.once('disconnect', () => {
      setTimeout(() => process.exit(1), ORPHAN_MS_MAX).unref()
      begin(null)
      end('the supervisor is gone')
    })
    process.on('SIGINT', () => {})
    let isSecond = false
    process.on('SIGTERM', () => {
      if (isSecond) process.exit(128 + 15)
      isSecond = true
      end('SIGTERM')
    })
  }

  started(): void {
    const message: FromNode = { kind: 'listening' }
    // It may be gone by now; that is told by the end of the channel.
    process.send?.(message, () => {})
  }

  canReload(reload: (reason: string) => void): void {
    this.#reload = reload
  }
}
