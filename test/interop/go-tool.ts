import { Program } from '../support/program.js'
import { within } from '../support/within.js'

const TOOL_LIMIT_MS = 240_000

/** Runs `go` in a folder: the program that has ended, well or badly, or why it could not be started. */
export async function runGo(folder: string, ...args: readonly string[]): Promise<Program | Error> {
  const program = new Program({ command: 'go', args, cwd: folder, env: { GOFLAGS: '-buildvcs=false' } })
  try {
    await within(program.exited, TOOL_LIMIT_MS, `go ${args[0]}`)
    return program
  } catch (error) {
    return error as Error
  }
}
