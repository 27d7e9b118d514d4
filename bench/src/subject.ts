import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type LoopRun, LoopWatch } from './loop-watch.js'
import { MeasuredProcess } from './measure.js'

/** What queues are kept in: memory, or a durable store, which for nsqd means `--mem-queue-size=0`. */
export type Mode = 'memory' | 'disk'

/** A program that is measured: anything that takes nsqd's flags. */
export interface Subject {
  readonly label: string
  /** The executable and its first arguments. */
  readonly command: readonly string[]
  /** What it says to `--version`. */
  readonly version: string
  /** Processors it may use, as `taskset` writes them; all when empty. */
  readonly cpuList: string
  /** Whether it is told with `--mem-queue-size` how much to keep in memory; not Spillway on disk, which needs no telling. */
  readonly queueFlags: boolean
  /** Whether its event loop is measured: only a Node process can be, and only on Linux. */
  readonly probed: boolean
}

/** A subject that listens. */
export interface RunningSubject {
  readonly tcpPort: number
  readonly httpPort: number
  readonly process: MeasuredProcess
  /** From spawning it to the first connection that it took. */
  readonly startedInMs: number
  /** What its event loop did, once it has stopped; null when that was not measured. */
  readonly loop: LoopRun | null
  /** Idempotent. @throws Error when it has died by itself. */
  stop(): Promise<void>
}

const repository = fileURLToPath(new URL('../../..', import.meta.url))

export const STORAGE_FLAGS: Readonly<Record<Mode, readonly string[]>> = {
  memory: ['--storage=memory'],
  disk: ['--storage=rocksdb', '--durability=process'],
}

export function spillwayCommand(mode: Mode): string[] {
  return [process.execPath, join(repository, 'packages', 'cli', 'bin', 'nsqd.js'), ...STORAGE_FLAGS[mode]]
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

const STARTUP_TIMEOUT_MS = 20_000
const STOP_TIMEOUT_MS = 10_000
const STDERR_TAIL_CHARS = 4000

/** Brokers that must not outlive this process, whatever ends it. */
const running = new Map<ChildProcess, { readonly dataPath: string }>()
process.on('exit', () => {
  for (const [child, { dataPath }] of running) {
    child.kill('SIGKILL')
    rmSync(dataPath, { recursive: true, force: true })
  }
})

/** Starts a subject on free ports of 127.0.0.1, with a data path of its own that is removed when it stops. */
export async function startSubject(subject: Subject, flags: readonly string[]): Promise<RunningSubject> {
  const dataPath = mkdtempSync(join(tmpdir(), 'spillway-bench-'))
  const [tcpPort, httpPort] = await findFreePorts(2)
  const prefix = subject.cpuList === '' ? [] : ['taskset', '-c', subject.cpuList]
  const watch = subject.probed ? new LoopWatch(prefix) : null
  const [file, ...args] = [
    ...prefix,
    ...subject.command,
    `--tcp-address=127.0.0.1:${tcpPort}`,
    `--http-address=127.0.0.1:${httpPort}`,
    `--data-path=${dataPath}`,
    '--log-level=error',
    ...flags,
  ]
  const spawnedAtMs = performance.now()
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'], env: watch?.environment ?? process.env })
  running.set(child, { dataPath })
  const stderr = tailOf(child)
  const gone = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(`exited with ${signal ?? code}`))
    child.once('error', (error) => resolve(error.message))
  }).finally(() => running.delete(child))
  let loop: LoopRun | null = null
  const terminate = async () => {
    const early = child.exitCode !== null || child.signalCode !== null
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    const how = await gone
    clearTimeout(timer)
    rmSync(dataPath, { recursive: true, force: true })
    loop = (await watch?.end()) ?? null
    if (early) throw new Error(`${subject.label} ${how} by itself\n${stderr()}`)
  }
  let stopping: Promise<void> | null = null
  const stop = () => {
    stopping ??= terminate()
    return stopping
  }
  let startedInMs: number
  try {
    await Promise.race([
      waitForListener(tcpPort),
      gone.then((how) => Promise.reject(new Error(`${how} before it listened\n${stderr()}`))),
    ])
    startedInMs = performance.now() - spawnedAtMs
    await watch?.begin(child)
  } catch (error) {
    await stop().catch(() => undefined)
    throw new Error(`${subject.label} did not start: ${error instanceof Error ? error.message : error}`)
  }
  return {
    tcpPort,
    httpPort,
    process: new MeasuredProcess(child.pid ?? 0),
    startedInMs,
    get loop() {
      return loop
    },
    stop,
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

async function waitForListener(port: number): Promise<void> {
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
