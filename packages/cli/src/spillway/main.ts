import { parseArgs } from 'node:util'
import { BrokerError, type Logger, type LogLevel, spillwayVersion } from '@spillway/core'
import {
  ConfigError,
  configFromValue,
  describeProblem,
  type LoadedConfig,
  loadConfig,
  NSQ_VERSION,
  nearest,
  readConfigFile,
  SpillwayNode,
  SystemClock,
} from '@spillway/core/node'
import { DEFAULT_CONFIG } from '../default-config.js'
import { describeStartError } from '../describe-start-error.js'
import { TextLogger } from '../log/text-logger.js'
import { settingsOfConfig } from '../nsqd/settings.js'
import { type Output, PROCESS_OUTPUT } from '../output.js'
import { requireListener } from '../require-listener.js'
import { runNode } from '../run-node.js'
import { doctor } from './doctor.js'
import { HELP } from './help.js'

const COMMANDS = ['start', 'check', 'doctor', 'import', 'hash-secret', 'help']
const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal']
const LOG_FORMATS = ['json', 'text']

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  check: { type: 'boolean' },
  files: { type: 'boolean' },
  json: { type: 'boolean' },
  repair: { type: 'boolean' },
  'max-msg-size': { type: 'string' },
  'log-level': { type: 'string' },
  'log-format': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const

interface Arguments {
  readonly command: string | undefined
  /** What follows the command. */
  readonly operand: string | undefined
  readonly config?: string
  readonly check?: boolean
  readonly files?: boolean
  readonly json?: boolean
  readonly repair?: boolean
  readonly 'max-msg-size'?: string
  readonly 'log-level'?: string
  readonly 'log-format'?: string
  readonly help?: boolean
  readonly version?: boolean
}

/** Runs `spillway` with its arguments. @returns the exit code */
export async function spillway(args: readonly string[], output: Output = PROCESS_OUTPUT): Promise<number> {
  let parsed: Arguments
  try {
    parsed = parse(args)
  } catch (error) {
    output.err(`spillway: ${(error as Error).message}\nTry: spillway --help\n`)
    return 2
  }
  const { command, version, json = false } = parsed
  if (version) printVersion(json, output)
  else if (parsed.help || command === 'help') output.out(HELP[command ?? ''] ?? HELP[''])
  else if (command === 'check' || parsed.check) return check(parsed, output)
  else if (command === 'start') return start(parsed, output)
  else if (command === 'hash-secret')
    return (await import('./hash-secret.js')).hashSecretFromInput(process.stdin, output)
  else if (command === 'import') return importOld(parsed, output)
  else if (command === 'doctor') return doctor(parsed.operand as string, parsed.repair ?? false, json, output)
  else {
    output.err(HELP[''])
    return 2
  }
  return 0
}

/** @throws Error with a line for the user */
function parse(args: readonly string[]): Arguments {
  const { values, positionals } = parseOptions(args)
  const [command, extra] = positionals
  if (command !== undefined && !COMMANDS.includes(command)) {
    throw new Error(`no command "${command}"${hint(nearest(command, COMMANDS))}`)
  }
  const takesOperand = command === 'help' || command === 'doctor' || command === 'import'
  const surplus = takesOperand ? positionals[2] : extra
  if (surplus !== undefined) throw new Error(`"${surplus}" is one argument too many`)
  if (command === 'doctor' && extra === undefined && !values.help) throw new Error('doctor needs the data path')
  if (command === 'import' && extra === undefined && !values.help)
    throw new Error('import needs the data path of an nsqd')
  const size = values['max-msg-size']
  if (size !== undefined && !/^[1-9]\d{0,9}$/.test(size)) {
    throw new Error(`--max-msg-size is ${JSON.stringify(size)}, expected a number of bytes`)
  }
  requireOneOf('log-level', values['log-level'], LOG_LEVELS)
  requireOneOf('log-format', values['log-format'], LOG_FORMATS)
  if (command === 'help') return { ...values, command: extra, operand: undefined, help: true }
  return { ...values, command, operand: extra }
}

function parseOptions(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true })
  } catch (error) {
    const message = (error as Error).message
    const [, option] = /^Unknown option '([^']*)'/.exec(message) ?? []
    if (option === undefined) throw new Error(message.split('\n', 1)[0])
    const close = option.startsWith('--') ? nearest(option.slice(2), Object.keys(OPTIONS)) : undefined
    throw new Error(`no option ${option}${hint(close === undefined ? undefined : `--${close}`)}`)
  }
}

const hint = (close: string | undefined): string => (close === undefined ? '' : `; did you mean ${close}?`)

function requireOneOf(name: string, value: string | undefined, words: readonly string[]): void {
  if (value !== undefined && !words.includes(value)) {
    throw new Error(`--${name} is ${JSON.stringify(value)}, expected one of ${words.join(', ')}`)
  }
}

async function load({ config }: Arguments): Promise<LoadedConfig> {
  const raw =
    config === undefined
      ? configFromValue(DEFAULT_CONFIG, 'embedded default', process.cwd())
      : await readConfigFile(config)
  const loaded = await loadConfig(raw, { pluginsFrom: [import.meta.url] })
  requireListener(loaded)
  return loaded
}

async function start(parsed: Arguments, output: Output): Promise<number> {
  let logger: Logger | null = null
  try {
    const config = await load(parsed)
    logger = await openLogger(parsed, config.node.logLevel, output)
    const settings = settingsOfConfig(config, logger, () => node.broker)
    const node: SpillwayNode = new SpillwayNode(config, { logger, settings })
    return await runNode(node, logger)
  } catch (error) {
    const reason = describeStartError(error)
    if (reason === null) throw error
    if (logger === null || error instanceof ConfigError) output.err(describeRefusal(error, reason))
    else logger.fatal(reason, { code: (error as BrokerError).code })
    return 1
  }
}

async function importOld(parsed: Arguments, output: Output): Promise<number> {
  try {
    const config = await load(parsed)
    const logger = await openLogger(parsed, 'warn', output)
    const { importNsqd } = await import('./import.js')
    const { operand: from = '', json = false, 'max-msg-size': size } = parsed
    const msgSizeBytesMax = size === undefined ? config.node.msgSizeBytesMax : Number(size)
    return await importNsqd({ from, config, msgSizeBytesMax, json, logger, output })
  } catch (error) {
    const reason = describeStartError(error)
    if (reason === null) throw error
    output.err(describeRefusal(error, reason))
    return 2
  }
}

async function check(parsed: Arguments, output: Output): Promise<number> {
  const label = parsed.config ?? 'embedded default'
  try {
    const config = await load(parsed)
    const logger = await openLogger(parsed, 'error', output)
    new SpillwayNode(config, { logger }) // makes every plugin, opens none
    const problems = parsed.files ? await (await import('./check-files.js')).checkFiles(config) : []
    if (problems.length > 0) throw new ConfigError(problems)
    output.out(parsed.json ? `${JSON.stringify({ ok: true, config: label })}\n` : `${label}: ok\n`)
    return 0
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    const problems =
      error instanceof ConfigError ? error.problems : [{ code: error.code, file: label, found: error.detail }]
    if (parsed.json) output.out(`${JSON.stringify({ ok: false, config: label, problems })}\n`)
    else output.err(describeRefusal(error, `${label}: ${error.detail}`))
    return 1
  }
}

/** A line for each mistake, with its code. */
function describeRefusal(error: unknown, reason: string): string {
  if (error instanceof ConfigError) {
    return error.problems.map((problem) => `spillway: ${problem.code} ${describeProblem(problem)}\n`).join('')
  }
  const code = error instanceof BrokerError ? `${error.code} ` : ''
  return `spillway: ${code}${reason}\n`
}

/** JSON for machines, text for people: pino is only loaded where it is used. */
async function openLogger(parsed: Arguments, configured: LogLevel, output: Output): Promise<Logger> {
  const level = (parsed['log-level'] as LogLevel | undefined) ?? configured
  const format = parsed['log-format'] ?? (process.stderr.isTTY ? 'text' : 'json')
  if (format === 'json') return (await import('../log/json-logger.js')).JsonLogger.create(level)
  return new TextLogger({
    level,
    prefix: '',
    clock: new SystemClock(),
    write: output.err,
  })
}

function printVersion(json: boolean, output: Output): void {
  const versions = { spillway: spillwayVersion(), nsq: NSQ_VERSION, node: process.versions.node }
  const text = `spillway v${versions.spillway} (NSQ v${versions.nsq}, Node v${versions.node})`
  output.out(`${json ? JSON.stringify(versions) : text}\n`)
}
