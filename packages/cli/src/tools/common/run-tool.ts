import type { Logger, LogLevel } from '@spillway/core'
import {
  describeFlags,
  type FlagValues,
  type GoFlag,
  type ParsedFlags,
  parseGoFlags,
  UsageError,
} from '../../go-flags.js'
import { TextLogger } from '../../log/text-logger.js'
import { FatalError } from './fatal-error.js'
import { StatusLine } from './status-line.js'
import { PROCESS_SURROUNDINGS, type ToolSurroundings } from './surroundings.js'
import { versionLine } from './versions.js'

type Flags = Readonly<Record<string, GoFlag>>

/** What a tool gets beside its flags. */
export interface ToolContext {
  /** Aborted when the tool is to finish what is in flight and end: at SIGINT or SIGTERM, or when nobody reads its output any more. */
  readonly stop: AbortSignal
  readonly surroundings: ToolSurroundings
  /** How far the work is, on a terminal. */
  readonly status: StatusLine
  /** Lines on standard error: `[nsq_tail] 2026/11/21 03:29:42.123456 WARNING: text`. */
  openLogger(level: LogLevel, prefix?: string): Logger
}

/** One of NSQ's tools. */
export interface Tool<F extends Flags> {
  readonly name: string
  /** What it is for, in a sentence or two. */
  readonly summary: string
  readonly flags: F
  /** Command lines, without the tool's name. */
  readonly examples: readonly string[]
  /** Its output is for a terminal too, which then has no place for a status line. */
  readonly writesToStdout?: boolean
  /**
   * Runs until it is done, or until `context.stop` and what was in flight is finished.
   * @returns the exit code
   * @throws FatalError for exit code 1
   */
  run(values: FlagValues<F>, context: ToolContext): Promise<number>
}

/**
 * Runs a tool with its arguments: usage, version and help, errors as one line, signals.
 *
 * @returns the exit code: 0 done, or stopped by a signal after what was in flight was finished; 1 a failure; 2 wrong usage
 */
export async function runTool<F extends Flags>(
  tool: Tool<F>,
  args: readonly string[],
  surroundings: ToolSurroundings = PROCESS_SURROUNDINGS,
): Promise<number> {
  const { output } = surroundings
  let parsed: ParsedFlags<F>
  try {
    parsed = parseGoFlags(tool.flags, args)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    output.err(`${error.message}\n${usageOf(tool)}`)
    return 2
  }
  if (parsed.wantsHelp) {
    output.out(usageOf(tool))
    return 0
  }
  if ((parsed.values as { version?: boolean }).version === true) {
    output.out(versionLine(tool.name))
    return 0
  }
  if (parsed.rest.length > 0) return fail(tool, surroundings, `unknown arguments: [${parsed.rest.join(' ')}]`)
  return run(tool, parsed.values, surroundings)
}

async function run<F extends Flags>(tool: Tool<F>, values: FlagValues<F>, surroundings: ToolSurroundings) {
  const status = new StatusLine({
    write: surroundings.output.err,
    isShown: surroundings.isErrTerminal && !(tool.writesToStdout === true && surroundings.isOutTerminal),
    nowMs: () => surroundings.clock.monotonicMs(),
  })
  const stopping = surroundings.listenForStop()
  const context: ToolContext = {
    stop: stopping.signal,
    surroundings,
    status,
    openLogger: (level, prefix = `[${tool.name}] `) =>
      new TextLogger({ level, prefix, clock: surroundings.clock, write: (line) => status.print(line) }),
  }
  try {
    return await tool.run(values, context)
  } catch (error) {
    status.stop()
    if (error instanceof FatalError) return fail(tool, surroundings, error.message)
    throw error
  } finally {
    status.stop()
    stopping.close()
  }
}

function fail<F extends Flags>({ name }: Tool<F>, { output }: ToolSurroundings, reason: string): number {
  output.err(`${name}: ${reason}\n`)
  return 1
}

/** The help: what it is for, every flag, examples. */
export function usageOf<F extends Flags>({ name, summary, flags, examples }: Tool<F>): string {
  const lines = examples.map((example) => `  ${name} ${example}\n`).join('')
  return `Usage of ${name}:\n${describeFlags(flags)}\n\n${summary}\n\nExamples:\n${lines}`
}

/** Resolves once `signal` is aborted. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
