import assert from 'node:assert/strict'
import { type Command, Program } from './program.js'

/** Executables of one kind, for one suite of tests: none outlives its test. */
export abstract class SuitePrograms<Name extends string> {
  readonly #running = new Set<Program>()

  /** How to run that one. */
  protected abstract commandOf(name: Name, flags: readonly string[]): Command

  start(name: Name, flags: readonly string[], input?: string): Program {
    const program = new Program({ ...this.commandOf(name, flags), ...(input === undefined ? {} : { input }) })
    this.#running.add(program)
    return program
  }

  /** Runs one to its end, which must be good, and returns it. */
  async run(name: Name, flags: readonly string[], input?: string): Promise<Program> {
    const program = this.start(name, flags, input)
    const exit = await program.exited
    assert.deepEqual(exit, { code: 0, signal: null }, program.stderr)
    return program
  }

  /** Runs one to its end, which must be a failure with exit code 1, and returns what it says of that. */
  async failure(name: Name, flags: readonly string[], input?: string): Promise<string> {
    const program = this.start(name, flags, input)
    const exit = await program.exited
    assert.deepEqual(exit, { code: 1, signal: null }, program.stderr)
    return program.stderr
  }

  /** In the suite's `afterEach`: ends what a test that failed has left behind. */
  killForgotten(): void {
    for (const program of this.#running) if (program.exit === undefined) program.signal('SIGKILL')
    this.#running.clear()
  }
}
