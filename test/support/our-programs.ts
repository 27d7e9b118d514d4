import type { Command } from './program.js'
import { SuitePrograms } from './suite-programs.js'
import { toolCommand } from './tool-command.js'

/** Our own executables, for one suite of tests: none outlives its test. */
export class OurPrograms extends SuitePrograms<string> {
  protected commandOf(name: string, flags: readonly string[]): Command {
    return toolCommand(name, flags)
  }
}
