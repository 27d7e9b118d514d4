import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const started = new Set<Program>()
/** Where programs run that were not told where: what they keep, they keep in their working directory. */
let folder = ''

/** Kills what a test has left running and removes its folder: a hook after each test of whoever runs programs. */
export async function endPrograms(): Promise<void> {
  for (const program of started) program.kill('SIGKILL')
  await Promise.allSettled([...started].map((program) => program.exit()))
  started.clear()
  if (folder !== '') rmSync(folder, { recursive: true, force: true })
  folder = ''
}

function folderOfTest(): string {
  if (folder === '') folder = mkdtempSync(join(tmpdir(), 'spillway-cli-'))
  return folder
}

interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** One of our executables, running. With {@link endPrograms} as a hook, none outlives its test. */
export class Program {
  stdout = ''
  stderr = ''
  readonly #child: ChildProcess
  readonly #exit: Promise<unknown[]>

  constructor(
    name: 'spillway' | 'nsqd' | 'nsqlookupd',
    args: readonly string[],
    { cwd = folderOfTest(), env }: RunOptions = {},
  ) {
    const path = fileURLToPath(new URL(`../../bin/${name}.js`, import.meta.url))
    this.#child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd, env: { ...process.env, ...env } })
    this.#exit = once(this.#child, 'close')
    started.add(this)
    this.#child.stdout?.setEncoding('utf8').on('data', (text) => {
      this.stdout += text
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.stderr += text
    })
  }

  /** What the program wrote to standard error, by line. */
  get errorLines(): string[] {
    return this.stderr.split('\n').slice(0, -1)
  }

  /** Waits for text on standard error. @throws Error when the program ends without it */
  async sees(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stderr)
      if (match !== null) return match
      const ended = await Promise.race([
        once(this.#child.stderr as NodeJS.ReadableStream, 'data').then(() => false),
        this.#exit,
      ])
      if (ended !== false && !pattern.test(this.stderr)) throw new Error(`ended without ${pattern}: ${this.stderr}`)
    }
  }

  /** Nobody reads standard error any more. */
  leaveErrorsUnread(): void {
    this.#child.stderr?.destroy()
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** The exit code, or the name of the signal that ended it. */
  async exit(): Promise<number | string> {
    const [code, signal] = await this.#exit
    return (code ?? signal) as number | string
  }
}
