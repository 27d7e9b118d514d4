import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { within } from './within.js'

/** How a process ended: one of the two is null. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** How to run something. */
export interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd?: string
  /** Added to our own environment. */
  readonly env?: Readonly<Record<string, string>>
  /** All of its standard input; without it, there is none. */
  readonly input?: string
}

/** One listener for all of them: Node warns of more than ten. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A child process whose output is kept and which never outlives the test run. */
export class Program {
  readonly exited: Promise<Exit>
  #child: ChildProcess
  #stdout = ''
  #stderr = ''
  #exit: Exit | undefined
  #failure: Error | undefined

  constructor({ command, args, cwd, env, input }: Command) {
    const stdin = input === undefined ? 'ignore' : 'pipe'
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: [stdin, 'pipe', 'pipe'] })
    this.#child = child
    // A program that ends before it has read everything says so by its exit.
    child.stdin?.on('error', () => undefined).end(input)
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    running.add(child)
    this.exited = new Promise((resolve, reject) => {
      child.once('error', (error) => {
        running.delete(child)
        this.#failure = error
        reject(error)
      })
      child.once('close', (code, signal) => {
        running.delete(child)
        this.#exit = { code, signal }
        resolve(this.#exit)
      })
    })
    // Whoever waits for the exit still sees the failure; a program that nobody waits for must not end the test run.
    this.exited.catch(() => undefined)
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw this.#failure ?? new Error('the process did not start')
    return this.#child.pid
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** Undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit
  }

  /** Throws if it could not be started or has ended. */
  assertRunning(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#exit !== undefined) throw new Error(`it ended ${JSON.stringify(this.#exit)}: ${this.#stderr}`)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** The first line of standard output that starts with `start`; rejects when the program ends without one. */
  async line(start: string, limitMs: number): Promise<string> {
    const find = () =>
      this.#stdout
        .split('\n')
        .slice(0, -1)
        .find((line) => line.startsWith(start))
    const seen = (async () => {
      for (;;) {
        const line = find()
        if (line !== undefined) return line
        this.assertRunning()
        await Promise.race([once(this.#child.stdout as NodeJS.ReadableStream, 'data'), this.exited])
      }
    })()
    return within(seen, limitMs, `the line "${start}"`)
  }

  /** Nobody reads standard error any more. */
  leaveErrorsUnread(): void {
    this.#child.stderr?.destroy()
  }

  /** Gives each line of standard output to `take`. */
  onLine(take: (line: string) => void): void {
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', take)
  }

  /** Sends `signal` and waits for the end; a process that is not gone after `limitMs` is killed, and that rejects. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', limitMs = 30_000): Promise<Exit> {
    this.signal(signal)
    try {
      return await within(this.exited, limitMs, `end after ${signal}`)
    } catch (error) {
      this.signal('SIGKILL')
      throw error
    }
  }
}
