import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const running = new Set<ChildProcess>()
/** Where programs run that were not told where: what they keep, they keep in their working directory. */
let folder = ''

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-cli-'))
})

after(() => rmSync(folder, { recursive: true, force: true }))

afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
  for (const kept of ['journal', 'rocksdb', 'data']) rmSync(join(folder, kept), { recursive: true, force: true })
})

interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** One of our executables, running. What a test leaves running is killed after it. */
export class Program {
  stdout = ''
  stderr = ''
  readonly #child: ChildProcess
  readonly #exit: Promise<unknown[]>

  constructor(
    name: 'spillway' | 'nsqd' | 'nsqlookupd',
    args: readonly string[],
    { cwd = folder, env }: RunOptions = {},
  ) {
    const path = fileURLToPath(new URL(`../../bin/${name}.js`, import.meta.url))
    this.#child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd, env: { ...process.env, ...env } })
    this.#exit = once(this.#child, 'close')
    running.add(this.#child)
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

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** The exit code, or the name of the signal that ended it. */
  async exit(): Promise<number | string> {
    const [code, signal] = await this.#exit
    return (code ?? signal) as number | string
  }
}
