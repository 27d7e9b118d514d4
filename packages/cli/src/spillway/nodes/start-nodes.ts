import type { Logger } from '@spillway/core'
import { type LoadedConfig, type RawConfig, SpillwayNode, SystemClock } from '@spillway/core/node'
import { describeRefusal } from '../../describe-refusal.js'
import { describeStartError } from '../../describe-start-error.js'
import { openLogger } from '../../log/open-logger.js'
import { loadRunnable } from '../load.js'
import type { StartOptions } from '../start.js'
import { lookAtDataPath } from './data-paths.js'
import { nameLine } from './log-lines.js'
import { LogOutput } from './log-output.js'
import { sourceOf } from './messages.js'
import { launchNode } from './node-process.js'
import { type NodePlan, type PlanOptions, planNodes } from './plan.js'
import { Supervisor } from './supervisor.js'

type Options = StartOptions & PlanOptions

/** The supervisor's lines go the way of the nodes', so that none gets into the middle of another. */
const OWN_LOG = { prefix: '[supervisor] ', isShared: true }

/** How long the last lines may take. */
const FLUSH_MS_MAX = 1_000

/** Runs several brokers on this machine, each a process of its own, until SIGINT or SIGTERM. @returns the exit code */
export async function startNodes(read: () => Promise<RawConfig>, options: Options): Promise<number> {
  let raw: RawConfig
  let plans: NodePlan[]
  let logger: Logger
  const log = new LogOutput(process.stderr, (count) =>
    logger.warn(`whoever reads this log is too slow: ${count} lines are missing here`),
  )
  try {
    raw = await read()
    const loaded = await loadRunnable(raw)
    const level = options.logLevel ?? loaded.node.logLevel
    logger = await openLogger(options.logFormat, level, { err: (line) => log.write(line) }, OWN_LOG)
    plans = checkedPlans(raw, loaded, options, logger)
  } catch (error) {
    const reason = describeStartError(error)
    if (reason === null) throw error
    options.output.err(describeRefusal(error, reason))
    return 1
  }
  const code = await supervise(raw, plans, options, logger, log)
  await log.flushed(FLUSH_MS_MAX)
  return code
}

/** @throws BrokerError whatever can be found out before anything is started */
function checkedPlans(raw: RawConfig, loaded: LoadedConfig, options: Options, logger: Logger): NodePlan[] {
  const plans = planNodes(raw, loaded, options)
  new SpillwayNode(loaded, { logger, nodesOnMachine: options.nodeCount }) // makes every plugin, opens none
  for (const name of lookAtDataPath(loaded, options.nodeCount)) {
    logger.warn(`${name} is in the data path and not among these nodes: its messages are not delivered`)
  }
  return plans
}

async function supervise(
  raw: RawConfig,
  plans: readonly NodePlan[],
  options: Options,
  logger: Logger,
  log: LogOutput,
): Promise<number> {
  const { logFormat, logLevel, nodeCount } = options
  const orders = new Map(
    plans.map(({ name, config }) => [
      name,
      { config, source: sourceOf(raw), nodesOnMachine: nodeCount, logFormat, logLevel },
    ]),
  )
  const supervisor = new Supervisor({
    names: [...orders.keys()],
    clock: new SystemClock(),
    logger,
    launch: (name, events) => {
      const order = orders.get(name)
      if (order === undefined) throw new Error(`no node ${name}`)
      return launchNode(name, order, events, (line) => log.write(nameLine(logFormat, name, line, new Date())))
    },
  })
  for (const { name, addresses, dataPath } of plans) {
    const listeners = Object.fromEntries(addresses.map(({ transport, address }) => [transport, address]))
    logger.debug(`${name} will be`, { dataPath, ...listeners })
  }
  const signals = obeySignals(supervisor, logger)
  // Between the end of a node and its next start nothing else would.
  const keptAlive = setInterval(() => {}, 2 ** 30)
  const code = await supervisor.run()
  clearInterval(keptAlive)
  if (signals.second !== null) return signals.second
  logger.info('all nodes have stopped')
  return code
}

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const

/** How long the system may take to remove processes that were killed. */
const KILL_MS_MAX = 2_000

/** The first signal stops in order, a second one at once. @returns the exit code that the second one asks for, once it came */
function obeySignals(supervisor: Supervisor, logger: Logger): { readonly second: number | null } {
  const seen = { first: false, second: null as number | null }
  for (const [signal, number] of Object.entries(SIGNAL_NUMBERS)) {
    process.on(signal, () => {
      if (seen.first) {
        seen.second = 128 + number
        supervisor.kill()
        setTimeout(() => process.exit(128 + number), KILL_MS_MAX).unref()
        return
      }
      seen.first = true
      logger.info(`${signal}: stopping all nodes`)
      supervisor.stop(signal)
    })
  }
  process.on('SIGHUP', () => {
    logger.info('SIGHUP: all nodes reload')
    supervisor.reload('SIGHUP')
  })
  process.on('SIGUSR1', () => logger.info('SIGUSR1: nothing to do'))
  return seen
}
