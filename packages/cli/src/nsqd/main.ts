import type { Logger } from '@spillway/core'
import {
  ConfigError,
  configFromValue,
  contradictingLimits,
  loadConfig,
  NSQ_VERSION,
  SpillwayNode,
  SystemClock,
} from '@spillway/core/node'
import { describeStartError } from '../describe-start-error.js'
import { describeFlags, type ParsedFlags, parseGoFlags, UsageError } from '../go-flags.js'
import { TextLogger } from '../log/text-logger.js'
import { type Output, PROCESS_OUTPUT } from '../output.js'
import { requireListener } from '../require-listener.js'
import { runNode } from '../run-node.js'
import { configFileRefusal, refusalOf, unparsablePercentile, warningsOf } from './check-flags.js'
import { describeFlagProblem } from './describe-problem.js'
import { NSQD_FLAGS, type NsqdFlag } from './flags.js'
import { configOfFlags } from './to-config.js'

/** Runs `nsqd` with its arguments. @returns the exit code */
export async function nsqd(args: readonly string[], output: Output = PROCESS_OUTPUT): Promise<number> {
  let parsed: ParsedFlags<typeof NSQD_FLAGS>
  try {
    parsed = parseGoFlags(NSQD_FLAGS, args)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    output.err(`${error.message}\n${usage()}`)
    return 2
  }
  const { values, wantsHelp } = parsed
  if (wantsHelp) output.out(usage())
  else if (values.version) output.out(`${versionLine()}\n`)
  else return start(parsed, output)
  return 0
}

async function start({ values, texts, rest }: ParsedFlags<typeof NSQD_FLAGS>, output: Output): Promise<number> {
  const percentile = unparsablePercentile(values)
  if (percentile !== undefined) {
    output.err(`Could not parse: ${percentile}\n`)
    return 1
  }
  const logger = new TextLogger({
    level: values['log-level'] ?? 'info',
    prefix: values['log-prefix'] ?? '[nsqd] ',
    clock: new SystemClock(),
    write: output.err,
  })
  logger.info(versionLine())
  const fileRefusal = configFileRefusal(values)
  if (fileRefusal !== null) {
    logger.fatal(fileRefusal)
    return 1
  }
  const refusal = refusalOf(values)
  if (refusal !== null) return refuse(logger, refusal)
  for (const line of warningsOf(values)) logger.warn(line)
  if (rest.length > 0) logger.warn(`arguments from ${JSON.stringify(rest[0])} on are ignored: it is no flag`)
  try {
    const raw = configFromValue(configOfFlags(values), 'nsqd', process.cwd())
    const config = await loadConfig(raw, { pluginsFrom: [import.meta.url], allowsContradictingLimits: true })
    requireListener(config)
    // nsqd runs with these, so somebody does.
    for (const problem of contradictingLimits(config.node, config.source))
      logger.warn(describeFlagProblem(problem, values, texts))
    const node = new SpillwayNode(config, { logger })
    return await runNode(node, logger)
  } catch (error) {
    if (error instanceof ConfigError)
      return refuse(logger, ...error.problems.map((problem) => describeFlagProblem(problem, values, texts)))
    const reason = describeStartError(error)
    if (reason === null) throw error
    return refuse(logger, reason)
  }
}

function refuse(logger: Logger, ...reasons: readonly string[]): number {
  for (const reason of reasons) logger.fatal(`failed to instantiate nsqd - ${reason}`)
  return 1
}

const versionLine = (): string => `nsqd v${NSQ_VERSION} (built w/node${process.versions.node})`

/** What stands behind flags that do not do what nsqd's do. */
const EFFECT_NOTES = {
  effective: '',
  later: ' [no effect yet]',
  never: ' [no effect]',
  refused: ' [refused in this version]',
} as const

function usage(): string {
  const flags = Object.entries<NsqdFlag>(NSQD_FLAGS)
  const noted = flags.map(([name, flag]) => [name, { ...flag, usage: `${flag.usage}${EFFECT_NOTES[flag.effect]}` }])
  return `Usage of nsqd:\n${describeFlags(Object.fromEntries(noted))}\n`
}
