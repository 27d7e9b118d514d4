import { parseArgs } from 'node:util'
import { BrokerError, type Logger, type LogLevel, spillwayVersion } from '@spillway/core'
import { ConfigError, type LoadedConfig, NSQ_VERSION, nearest, type RawConfig, SpillwayNode } from '@spillway/core/node'
import { describeRefusal } from '../describe-refusal.js'
import { describeStartError } from '../describe-start-error.js'
import { defaultLogFormat, LOG_FORMATS, type LogFormat, openLogger } from '../log/open-logger.js'
import { type Output, PROCESS_OUTPUT } from '../output.js'
import { doctor } from './doctor.js'
import { HELP } from './help.js'
import { loadRunnable, readConfig } from './load.js'
import { NODES_MAX, PORT_STEP, PORT_STEP_MAX } from './nodes/limits.js'
import type { NodePlan, PlanOptions } from './nodes/plan.js'
import { type StartOptions, startBroker } from './start.js'

const COMMANDS = ['start', 'check', 'doctor', 'import', 'hash-secret', 'help']
const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal']

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  check: { type: 'boolean' },
  files: { type: 'boolean' },
  json: { type: 'boolean' },
  repair: { type: 'boolean' },
  'max-msg-size': { type: 'string' },
  nodes: { type: 'string' },
  'port-step': { type: 'string' },
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
  readonly nodes?: string
  readonly 'port-step'?: string
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
  requireNodes(command, values)
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

function requireNodes(command: string | undefined, values: Pick<Arguments, 'nodes' | 'port-step'>): void {
  const { nodes, 'port-step': step } = values
  if (nodes !== undefined && command !== 'start' && command !== 'check' && command !== undefined) {
    throw new Error(`--nodes is for start and check, not for ${command}`)
  }
  requireNumber('nodes', nodes, NODES_MAX)
  requireNumber('port-step', step, PORT_STEP_MAX)
  if (step !== undefined && nodes === undefined) throw new Error('--port-step is for --nodes, which is missing')
}

function requireNumber(name: string, value: string | undefined, max: number): void {
  if (value === undefined || (/^[1-9]\d*$/.test(value) && Number(value) <= max)) return
  throw new Error(`--${name} is ${JSON.stringify(value)}, expected a number from 1 to ${max}`)
}

function requireOneOf(name: string, value: string | undefined, words: readonly string[]): void {
  if (value !== undefined && !words.includes(value)) {
    throw new Error(`--${name} is ${JSON.stringify(value)}, expected one of ${words.join(', ')}`)
  }
}

const load = async ({ config }: Arguments): Promise<LoadedConfig> => loadRunnable(await readConfig(config))

/** How the broker, or the brokers, are to be started. */
function startOptions(parsed: Arguments, output: Output): StartOptions {
  return {
    logFormat: (parsed['log-format'] as LogFormat | undefined) ?? defaultLogFormat(),
    logLevel: (parsed['log-level'] as LogLevel | undefined) ?? null,
    output,
  }
}

async function start(parsed: Arguments, output: Output): Promise<number> {
  const options = startOptions(parsed, output)
  const read = () => readConfig(parsed.config)
  if (parsed.nodes === undefined) return startBroker(read, options)
  return (await import('./nodes/index.js')).startNodes(read, { ...options, ...nodesWanted(parsed) })
}

async function importOld(parsed: Arguments, output: Output): Promise<number> {
  try {
    const config = await load(parsed)
    const logger = await loggerAt('warn', parsed, output)
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
    const raw = await readConfig(parsed.config)
    const config = await loadRunnable(raw)
    const logger = await loggerAt('error', parsed, output)
    new SpillwayNode(config, { logger }) // makes every plugin, opens none
    const nodes = parsed.nodes === undefined ? undefined : await planned(raw, config, parsed)
    const problems = parsed.files ? await (await import('./check-files.js')).checkFiles(config) : []
    if (problems.length > 0) throw new ConfigError(problems)
    if (parsed.json) output.out(`${JSON.stringify({ ok: true, config: label, nodes })}\n`)
    else output.out([`${label}: ok`, ...(nodes ?? []).map(describeNode), ''].join('\n'))
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

type PlannedNode = Omit<NodePlan, 'config'>

/** What each of several nodes would get. @throws ConfigError */
async function planned(raw: RawConfig, config: LoadedConfig, parsed: Arguments): Promise<PlannedNode[]> {
  const { planNodes, lookAtDataPath } = await import('./nodes/index.js')
  const wanted = nodesWanted(parsed)
  const plans = planNodes(raw, config, wanted)
  lookAtDataPath(config, wanted.nodeCount)
  return plans.map(({ config: _, ...plan }) => plan)
}

function describeNode({ name, dataPath, addresses }: PlannedNode): string {
  const listeners = addresses.map(({ transport, address }) => `${transport} ${address}`)
  return ['', name, ...listeners, `data ${dataPath}`].join('  ')
}

function loggerAt(level: LogLevel, parsed: Arguments, output: Output): Promise<Logger> {
  const { logFormat, logLevel } = startOptions(parsed, output)
  return openLogger(logFormat, logLevel ?? level, output)
}

/** What `--nodes` and `--port-step` say; both were looked at. */
const nodesWanted = ({ nodes, 'port-step': step }: Arguments): PlanOptions => ({
  nodeCount: Number(nodes),
  portStep: step === undefined ? PORT_STEP : Number(step),
})

function printVersion(json: boolean, output: Output): void {
  const versions = { spillway: spillwayVersion(), nsq: NSQ_VERSION, node: process.versions.node }
  const text = `spillway v${versions.spillway} (NSQ v${versions.nsq}, Node v${versions.node})`
  output.out(`${json ? JSON.stringify(versions) : text}\n`)
}
