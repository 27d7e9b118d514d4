import { hostname } from 'node:os'
import { type Logger, NSQ_VERSION, SystemClock } from '@spillway/core'
import { defaultOptions, Lookupd, type LookupdOptions } from '@spillway/lookupd'
import { describeStartError } from '../describe-start-error.js'
import { describeFlags, type ParsedFlags, parseGoFlags, UsageError } from '../go-flags.js'
import { TextLogger } from '../log/text-logger.js'
import { type Output, PROCESS_OUTPUT } from '../output.js'
import { exitOnBrokenInvariant, firstSignal, surviveSigusr1, surviveUnreadLog } from '../process-end.js'
import type { TomlConfig } from '../toml-config.js'
import { NSQLOOKUPD_FLAGS, type NsqlookupdValues } from './flags.js'

/** Runs `nsqlookupd` with its arguments. @returns the exit code */
export async function nsqlookupd(args: readonly string[], output: Output = PROCESS_OUTPUT): Promise<number> {
  let parsed: ParsedFlags<typeof NSQLOOKUPD_FLAGS>
  try {
    parsed = parseGoFlags(NSQLOOKUPD_FLAGS, args)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    output.err(`${error.message}\n${usage()}`)
    return 2
  }
  const { values, rest, wantsHelp } = parsed
  if (wantsHelp || rest[0] === 'help') output.out(usage())
  else if (values.version) output.out(`${versionLine()}\n`)
  else return start(values, rest, output)
  return 0
}

async function start(flagValues: NsqlookupdValues, rest: readonly string[], output: Output): Promise<number> {
  let file: TomlConfig<typeof NSQLOOKUPD_FLAGS> = { values: {}, warnings: [] }
  if (flagValues.config) {
    try {
      // The library is loaded only where there is a file.
      file = (await import('../toml-config.js')).readTomlConfig(NSQLOOKUPD_FLAGS, flagValues.config)
    } catch (error) {
      const logger = await openLogger(flagValues, output)
      logger.fatal(`failed to load config file ${flagValues.config} - ${(error as Error).message}`)
      return 1
    }
  }
  // What is given on the command line counts more than what the file says.
  const values = { ...file.values, ...flagValues }
  const logger = await openLogger(values, output)
  logger.info(versionLine())
  for (const line of file.warnings) logger.warn(line)
  if (rest.length > 0) logger.warn(`arguments from ${JSON.stringify(rest[0])} on are ignored: it is no flag`)
  return run(values, logger)
}

async function run(values: NsqlookupdValues, logger: Logger): Promise<number> {
  exitOnBrokenInvariant(logger)
  surviveSigusr1(logger)
  surviveUnreadLog()
  const signalled = firstSignal()
  const lookupd = new Lookupd(optionsOf(values), { clock: new SystemClock(), logger })
  try {
    await lookupd.start()
  } catch (error) {
    const reason = describeStartError(error)
    if (reason === null) throw error
    logger.fatal(`failed to instantiate nsqlookupd - ${reason}`)
    return 1
  }
  logger.info(`${await signalled}: stopping`)
  await lookupd.stop()
  logger.info('stopped')
  return 0
}

function optionsOf(values: NsqlookupdValues): LookupdOptions {
  const defaults = defaultOptions()
  return {
    ...defaults,
    tcpAddress: values['tcp-address'] ?? defaults.tcpAddress,
    httpAddress: values['http-address'] ?? defaults.httpAddress,
    // Without one, nsqds would not ask this nsqlookupd for channels.
    broadcastAddress: values['broadcast-address'] || hostname(),
    inactiveProducerTimeoutMs: values['inactive-producer-timeout'] ?? defaults.inactiveProducerTimeoutMs,
    tombstoneLifetimeMs: values['tombstone-lifetime'] ?? defaults.tombstoneLifetimeMs,
    dataPath: values['data-path'] ?? '',
  }
}

async function openLogger(values: NsqlookupdValues, output: Output): Promise<Logger> {
  const level = values['log-level'] ?? 'info'
  if (values['log-format'] === 'json') return (await import('../log/json-logger.js')).JsonLogger.create(level)
  const prefix = values['log-prefix'] ?? '[nsqlookupd] '
  return new TextLogger({ level, prefix, clock: new SystemClock(), write: output.err })
}

const versionLine = (): string => `nsqlookupd v${NSQ_VERSION} (built w/node${process.versions.node})`

const usage = (): string => `Usage of nsqlookupd:\n${describeFlags(NSQLOOKUPD_FLAGS)}\n${EXAMPLES}`

const EXAMPLES = `
Examples:
  nsqlookupd
  nsqlookupd --data-path=/var/lib/nsqlookupd        topics and channels outlive a restart
  nsqlookupd --tcp-address=127.0.0.1:5160 --http-address=127.0.0.1:5161

Brokers register at the TCP address, consumers and people ask at the HTTP address:
  nsqd --lookupd-tcp-address=127.0.0.1:4160 --broadcast-address=127.0.0.1
  curl 'http://127.0.0.1:4161/lookup?topic=orders'
  curl 'http://127.0.0.1:4161/nodes'

This is Spillway's nsqlookupd. What it does differently: docs/nsqlookupd.md.
`
