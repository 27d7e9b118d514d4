import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LoopFigures } from './loop-meter.js'
import { BUSY_SHARE_VARIABLE, COUNT_SIGNAL, FILE_VARIABLE } from './loop-probe-protocol.js'

/** The event loop of a broker, and that of an idle process beside it; null where nothing was counted. */
export interface LoopRun {
  readonly broker: LoopFigures | null
  readonly idle: LoopFigures | null
}

/** An idle broker stays below this with the probe in it, one that carries a few thousand messages a second does not. */
const BUSY_SHARE = 0.06

const probeUrl = new URL('./loop-probe.js', import.meta.url).href
const idleMain = fileURLToPath(new URL('./idle-main.js', import.meta.url))

/** Idle processes must not outlive this one. */
const idling = new Set<LoopWatch>()
process.on('exit', () => {
  for (const watch of idling) watch.abandon()
})

/** Has the event loop of one broker measured from its start to its stop. */
export class LoopWatch {
  readonly #path = mkdtempSync(join(tmpdir(), 'spillway-bench-loop-'))
  readonly #prefix: readonly string[]
  #idle: ChildProcess | null = null

  /** `prefix`: how the broker is started on its processors; the idle process gets the same. */
  constructor(prefix: readonly string[]) {
    this.#prefix = prefix
    idling.add(this)
  }

  /** The environment to start the broker with. */
  get environment(): NodeJS.ProcessEnv {
    return this.#environmentOf('broker', BUSY_SHARE)
  }

  /** Counts from now on; the broker listens. */
  async begin(broker: ChildProcess): Promise<void> {
    const [file, ...args] = [...this.#prefix, process.execPath, idleMain]
    const idle = spawn(file, args, {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: this.#environmentOf('idle', 0),
    })
    this.#idle = idle
    await new Promise<void>((resolve, reject) => {
      idle.once('message', () => resolve())
      idle.once('error', reject)
      idle.once('exit', () => reject(new Error('the idle process ended')))
    })
    idle.kill(COUNT_SIGNAL)
    broker.kill(COUNT_SIGNAL)
  }

  /** The broker has ended. */
  async end(): Promise<LoopRun> {
    const idle = this.#idle
    if (idle !== null && idle.exitCode === null && idle.signalCode === null) {
      const ended = new Promise((resolve) => idle.once('exit', resolve))
      idle.kill('SIGTERM')
      await ended
    }
    const run = { broker: this.#read('broker'), idle: this.#read('idle') }
    this.abandon()
    return run
  }

  /** Leaves nothing behind. */
  abandon(): void {
    idling.delete(this)
    this.#idle?.kill('SIGKILL')
    rmSync(this.#path, { recursive: true, force: true })
  }

  #environmentOf(who: keyof LoopRun, busyShare: number): NodeJS.ProcessEnv {
    return {
      ...process.env,
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import=${probeUrl}`.trim(),
      [FILE_VARIABLE]: this.#fileOf(who),
      [BUSY_SHARE_VARIABLE]: `${busyShare}`,
    }
  }

  #fileOf(who: keyof LoopRun): string {
    return join(this.#path, `${who}.json`)
  }

  #read(who: keyof LoopRun): LoopFigures | null {
    try {
      return JSON.parse(readFileSync(this.#fileOf(who), 'utf8')) as LoopFigures | null
    } catch {
      // It was killed, or ended before it was told to count.
      return null
    }
  }
}
