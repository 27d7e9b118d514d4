import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { makeDataPath, removeAllDataPaths, removeDataPath } from './data-path.js'
import { type LoopRun, LoopWatch } from './loop-watch.js'
import { MeasuredProcess } from './measure.js'

/** A program that is measured: anything that takes nsqd's flags. */
export interface Subject {
  readonly label: string
  /** The executable and its first arguments. */
  readonly command: readonly string[]
  /** What it says to `--version`. */
  readonly version: string
  /** Processors it may use, as `taskset` writes them; all when empty. */
  readonly cpuList: string
  /** Whether it is this checkout's Spillway, which gets flags of its own; all others are taken for nsqd. */
  readonly isSpillway: boolean
  /** Whether its event loop is measured: only a Node process can be, and only on Linux. */
  readonly probed: boolean
}

/** A subject that listens. */
export interface RunningSubject {
  readonly tcpPort: number
  readonly httpPort: number
  readonly dataPath: string
  readonly process: MeasuredProcess
  /** From spawning it to the first connection that it took. */
  readonly startedInMs: number
  /** What its event loop did, once it has stopped; null when that was not measured. */
  readonly loop: LoopRun | null
  /** Stops it and removes its data path. Idempotent. @throws Error when it has died by itself. */
  stop(): Promise<void>
  /** Ends it at once, as a crash would; its data path stays for the next one. */
  kill(): Promise<void>
}

const repository = fileURLToPath(new URL('../../..', import.meta.url))

/** Spillway under nsqd's name, for it takes nsqd's flags. */
export function spillwayCommand(): string[] {
  return [process.execPath, join(repository, 'packages', 'cli', 'bin', 'nsqd.js')]
}

/** The benchmark's own sink: it answers at once and keeps nothing, so a run against it shows what the client can do. */
export function sinkCommand(): string[] {
  return [process.execPath, fileURLToPath(new URL('./sink-main.js', import.meta.url))]
}

/** Splits a command line at spaces; quotes hold words together. */
export function splitCommand(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3])
}

export function readVersion(command: readonly string[]): string {
  const [file, ...args] = command
  try {
    return execFileSync(file, [...args, '--version'], { encoding: 'utf8', timeout: 10_000 })
      .trim()
      .split('\n')[0]
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw new Error(`cannot run "${command.join(' ')} --version": ${reason}`)
  }
}

/** As `npm start` sets it, and the executables where Node can (`packages/cli/bin/allocator.js`). Go does not look at it. */
const ALLOCATOR = { MALLOC_MMAP_THRESHOLD_: '262144' }
const STARTUP_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 10_000
const STDERR_TAIL_CHARS = 4000

/** Brokers that must not outlive this process, whatever ends it. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  removeAllDataPaths()
})

/** A broker's process, from being spawned until it is gone. */
class SubjectProcess {
  readonly #label: string
  readonly #child: ChildProcess
  readonly #stderr: () => string
  /** Says how it ended. */
  readonly gone: Promise<string>

  constructor(label: string, [file, ...args]: readonly string[], environment: NodeJS.ProcessEnv) {
    this.#label = label
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...ALLOCATOR, ...environment } })
    this.#child = child
    running.add(child)
    this.#stderr = tailOf(child)
    this.gone = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(`exited with ${signal ?? code}`))
      child.once('error', (error) => resolve(error.message))
    }).finally(() => running.delete(child))
  }

  get child(): ChildProcess {
    return this.#child
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Returns once it takes connections. @throws Error when it never does. */
  async listening(port: number): Promise<void> {
    await Promise.race([
      waitForListener(port),
      this.gone.then((how) => Promise.reject(new Error(`${how} before it listened\n${this.#stderr()}`))),
    ])
  }

  /** @throws Error when it has died by itself. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const early = this.#child.exitCode !== null || this.#child.signalCode !== null
    this.#child.kill(signal)
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    const how = await this.gone
    clearTimeout(timer)
    if (early) throw new Error(`${this.#label} ${how} by itself\n${this.#stderr()}`)
  }
}

/**
 * Starts a subject on free ports of 127.0.0.1, on the data path of one that was killed, or else on a new one, which is
 * removed when it stops.
 */
export async function startSubject(
  subject: Subject,
  flags: readonly string[],
  dataPath: string = makeDataPath(),
): Promise<RunningSubject> {
  const [tcpPort, httpPort] = await findFreePorts(2)
  const prefix = subject.cpuList === '' ? [] : ['taskset', '-c', subject.cpuList]
  const watch = subject.probed ? new LoopWatch(prefix) : null
  const command = [
    ...prefix,
    ...subject.command,
    `--tcp-address=127.0.0.1:${tcpPort}`,
    `--http-address=127.0.0.1:${httpPort}`,
    `--data-path=${dataPath}`,
    '--log-level=error',
    ...flags,
  ]
  const spawnedAtMs = performance.now()
  const broker = new SubjectProcess(subject.label, command, watch?.environment ?? process.env)
  let loop: LoopRun | null = null
  let ending: Promise<void> | null = null
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    try {
      await broker.end(signal)
    } finally {
      if (signal === 'SIGTERM') removeDataPath(dataPath)
      loop = (await watch?.end()) ?? null
    }
  }
  const endOnce = (signal: 'SIGTERM' | 'SIGKILL') => {
    ending ??= end(signal)
    return ending
  }
  let startedInMs: number
  try {
    await broker.listening(tcpPort)
    startedInMs = performance.now() - spawnedAtMs
    await watch?.begin(broker.child)
  } catch (error) {
    await endOnce('SIGTERM').catch(() => undefined)
    throw new Error(`${subject.label} did not start: ${error instanceof Error ? error.message : error}`)
  }
  return {
    tcpPort,
    httpPort,
    dataPath,
    process: new MeasuredProcess(broker.pid),
    startedInMs,
    get loop() {
      return loop
    },
    stop: () => endOnce('SIGTERM'),
    kill: () => endOnce('SIGKILL'),
  }
}

function tailOf(child: ChildProcess): () => string {
  let tail = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-STDERR_TAIL_CHARS)
  })
  return () => tail.trim()
}

/** Ports that nobody listens on now. They are held together, so that they differ. */
async function findFreePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer()
      return new Promise<typeof server>((resolve, reject) => {
        server.once('error', reject).listen(0, '127.0.0.1', () => resolve(server))
      })
    }),
  )
  const ports = servers.map((server) => {
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    return address.port
  })
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Returns once somebody listens. @throws Error when nobody does after a minute. */
export async function waitForListener(port: number): Promise<void> {
  const deadlineMs = performance.now() + STARTUP_TIMEOUT_MS
  while (!(await canConnect(port))) {
    if (performance.now() > deadlineMs) throw new Error(`nothing listens after ${STARTUP_TIMEOUT_MS} ms`)
    await sleep(1)
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const settle = (connected: boolean) => {
      socket.destroy()
      resolve(connected)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
  })
}
