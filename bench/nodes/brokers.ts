import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeDataPath, removeAllDataPaths, removeDataPath } from '../src/data-path.js'
import { waitForListener } from '../src/subject.js'

const SPILLWAY = fileURLToPath(new URL('../../../packages/cli/bin/spillway.js', import.meta.url))
const ALLOCATOR = { MALLOC_MMAP_THRESHOLD_: '262144' }
const PORT_STEP = 100
const MS_PER_TICK = 10
const STDERR_CHARS_MAX = 100_000

/** Below the ports that the system gives to outgoing connections. */
const PORT_MIN = 15_000
const PORT_MAX = 30_000

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  removeAllDataPaths()
})

/** Processor time, milliseconds. */
export interface CpuTime {
  readonly userMs: number
  readonly systemMs: number
}

/** One broker, or several with their supervisor. */
export interface Brokers {
  /** For V2, of each node. */
  readonly ports: readonly number[]
  /** Of each node, in the same order. */
  readonly pids: readonly number[]
  /** `null` where there is but one broker. */
  readonly supervisorPid: number | null
  stop(): Promise<void>
}

/** Starts `spillway start`, with `--nodes` when there are more than one. @throws Error what it says when it does not start */
export async function startBrokers(nodeCount: number, storage: 'memory' | 'rocksdb'): Promise<Brokers> {
  const folder = makeDataPath()
  const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN))
  const config = {
    node: { dataPath: './data' },
    storage: { use: `@spillway/storage-${storage}` },
    transports: [{ use: '@spillway/transport-tcp', options: { address: `127.0.0.1:${port}` } }],
  }
  const path = join(folder, 'spillway.json')
  writeFileSync(path, JSON.stringify(config))
  const nodes = nodeCount === 1 ? [] : ['--nodes', `${nodeCount}`, '--port-step', `${PORT_STEP}`]
  const args = [SPILLWAY, 'start', '--config', path, '--log-format=text', ...nodes]
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...ALLOCATOR, ...process.env },
  })
  running.add(child)
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-STDERR_CHARS_MAX)
  })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve())).finally(() => running.delete(child))
  const ports = Array.from({ length: nodeCount }, (_, index) => port + index * PORT_STEP)
  const failure = gone.then(() => Promise.reject(new Error(`the broker did not start:\n${said}`)))
  failure.catch(() => {})
  await Promise.race([Promise.all(ports.map(waitForListener)), failure])
  const pid = child.pid as number
  const pids = ports.map((_, index) => {
    if (nodeCount === 1) return pid
    return Number(new RegExp(`node-${index + 1} started pid=(\\d+)`).exec(said)?.[1])
  })
  return {
    ports,
    pids,
    supervisorPid: nodeCount === 1 ? null : pid,
    async stop() {
      child.kill('SIGTERM')
      await gone
      removeDataPath(folder)
    },
  }
}

/** Of a process and its threads so far; Linux only. */
export function readCpu(pid: number): CpuTime {
  const line = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return { userMs: Number(fields[11]) * MS_PER_TICK, systemMs: Number(fields[12]) * MS_PER_TICK }
}
