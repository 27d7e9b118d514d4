import { Writable } from 'node:stream'
import type { GoFlag } from '../../src/go-flags.js'
import { runTool, type Tool } from '../../src/tools/common/run-tool.js'
import { PROCESS_SURROUNDINGS, type ToolSurroundings } from '../../src/tools/common/surroundings.js'

export interface ToolRun {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** What tells it to end. */
  readonly stop?: AbortSignal
  readonly isOutTerminal?: boolean
  readonly isErrTerminal?: boolean
}

/** Runs a tool in this process, to its end. */
export async function runHere<F extends Readonly<Record<string, GoFlag>>>(
  tool: Tool<F>,
  args: readonly string[],
  { stop = new AbortController().signal, isOutTerminal = false, isErrTerminal = false }: RunOptions = {},
): Promise<ToolRun> {
  const out: string[] = []
  const err: string[] = []
  const surroundings: ToolSurroundings = {
    output: { out: (text) => out.push(text), err: (text) => err.push(text) },
    stdout: new Writable({
      write(bytes, _, done) {
        out.push(String(bytes))
        done()
      },
    }),
    isOutTerminal,
    isErrTerminal,
    clock: PROCESS_SURROUNDINGS.clock,
    listenForStop: () => ({ signal: stop, close() {} }),
    listenForHangup: () => () => {},
  }
  const code = await runTool(tool, args, surroundings)
  return { code, stdout: out.join(''), stderr: err.join('') }
}
