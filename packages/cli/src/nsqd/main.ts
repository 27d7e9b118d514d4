import type { BrokerError, Logger } from '@spillway/core'
import {
  ConfigError,
  configFromValue,
  contradictingLimits,
  loadConfig,
  NSQ_VERSION,
  SpillwayNode,
  SystemClock,
} from '@spillway/core/node'
import { isNsqdDataPath } from '@spillway/import-nsqd/data-path'
import { describeStartError } from '../describe-start-error.js'
import { describeFlags, type ParsedFlags, parseGoFlags, UsageError } from '../go-flags.js'
import { TextLogger } from '../log/text-logger.js'
import { type Output, PROCESS_OUTPUT } from '../output.js'
import { requireListener } from '../require-listener.js'
import { runNode } from '../run-node.js'
import { dataPathRefusal, orphanedQueuesWarning, refusalOf, unparsablePercentile, warningsOf } from './check-flags.js'
import type { ConfigFile } from './config-file.js'
import { describeFlagProblem } from './describe-problem.js'
import { NSQD_FLAGS, type NsqdFlag } from './flags.js'
import { settingsOf } from './settings.js'
import { configOfFlags, type NsqdValues } from './to-config.js'

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
  // nsqd would ignore the word and run, in whatever folder this is.
  if (wantsHelp || parsed.rest[0] === 'help') output.out(usage())
  else if (values.version) output.out(`${versionLine()}\n`)
  else return start(parsed, output)
  return 0
}

async function start(
  { values: flagValues, texts, rest }: ParsedFlags<typeof NSQD_FLAGS>,
  output: Output,
): Promise<number> {
  let file: ConfigFile
  try {
    // The library is loaded only where there is a file.
    file = flagValues.config ? (await import('./config-file.js')).readConfigFile(flagValues.config) : NO_FILE
  } catch (error) {
    const logger = await openLogger(flagValues, output)
    logger.fatal(`failed to load config file ${flagValues.config} - ${(error as Error).message}`)
    return 1
  }
  // What is given on the command line counts more than what the file says.
  const values = { ...file.values, ...flagValues }
  const percentile = unparsablePercentile(values)
  if (percentile !== undefined) {
    const isInFile = flagValues['e2e-processing-latency-percentile'] === undefined
    const place = isInFile ? ` (e2e_processing_latency_percentiles in ${flagValues.config})` : ''
    output.err(`Could not parse: ${percentile}${place}\n`)
    return 1
  }
  const logger = await openLogger(values, output)
  logger.info(versionLine())
  for (const line of file.warnings) logger.warn(line)
  const refusal = refusalOf(values) ?? dataPathRefusal(values)
  if (refusal !== null) return refuse(logger, [refusal])
  for (const line of warningsOf(values)) logger.warn(line)
  const orphaned = values.storage === 'memory' ? null : orphanedQueuesWarning(values)
  if (orphaned !== null) logger.warn(orphaned)
  if (rest.length > 0) logger.warn(`arguments from ${JSON.stringify(rest[0])} on are ignored: it is no flag`)
  return run(values, texts, logger)
}

async function run(values: NsqdValues, texts: Readonly<Record<string, string>>, logger: Logger): Promise<number> {
  try {
    const raw = configFromValue(configOfFlags(values), 'nsqd', process.cwd())
    const config = await loadConfig(raw, { pluginsFrom: [import.meta.url], allowsContradictingLimits: true })
    requireListener(config)
    // nsqd runs with these, so somebody does.
    for (const problem of contradictingLimits(config.node, config.source))
      logger.warn(describeFlagProblem(problem, values, texts))
    if (await isNsqdDataPath(values['data-path'] || '.')) {
      await (await import('./move-in.js')).moveIn(values, config, logger)
    }
    const settings = settingsOf(values, logger, () => node.broker)
    const node: SpillwayNode = new SpillwayNode(config, { logger, settings })
    return await runNode(node, logger)
  } catch (error) {
    if (error instanceof ConfigError)
      return refuse(
        logger,
        error.problems.map((problem) => describeFlagProblem(problem, values, texts)),
        error.code,
      )
    const reason = describeStartError(error)
    if (reason === null) throw error
    return refuse(logger, [reason], (error as BrokerError).code)
  }
}

const NO_FILE: ConfigFile = { values: {}, warnings: [] }

async function openLogger(values: NsqdValues, output: Output): Promise<Logger> {
  const level = values['log-level'] ?? 'info'
  if (values['log-format'] === 'json') return (await import('../log/json-logger.js')).JsonLogger.create(level)
  const prefix = values['log-prefix'] ?? '[nsqd] '
  return new TextLogger({ level, prefix, clock: new SystemClock(), write: output.err })
}

/** @param code - of an error; what nsqd refuses as well it says without one */
function refuse(logger: Logger, reasons: readonly string[], code?: string): number {
  for (const reason of reasons) {
    logger.fatal(`failed to instantiate nsqd - ${reason}`, code === undefined ? undefined : { code })
  }
  return 1
}

const versionLine = (): string => `nsqd v${NSQ_VERSION} (built w/node${process.versions.node})`

/** What stands behind flags that do not do what nsqd's do. */
const EFFECT_NOTES = {
  effective: '',
  never: ' [no effect]',
} as const

function usage(): string {
  const flags = Object.entries<NsqdFlag>(NSQD_FLAGS)
  const noted = flags.map(([name, flag]) => [name, { ...flag, usage: `${flag.usage}${EFFECT_NOTES[flag.effect]}` }])
  return `Usage of nsqd:\n${describeFlags(Object.fromEntries(noted))}\n${EXAMPLES}`
}

const EXAMPLES = `
Examples:
  nsqd --data-path=/var/lib/nsqd
  nsqd --tcp-address=127.0.0.1:5150 --http-address=127.0.0.1:5151 --storage=memory

This is Spillway's nsqd. Started on the data path of an nsqd, it takes over what is there.
More: spillway --help; spillway doctor says what is in the data path of a stopped broker. Every flag: docs/configuration.md.
`
