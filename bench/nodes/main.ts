import { writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { UsageError } from '../src/options.js'
import { align, median } from '../src/report.js'
import { type Brokers, type CpuTime, readCpu, startBrokers } from './brokers.js'
import { Clients, type Load } from './clients.js'
import { HELP, type NodesBenchOptions, parseOptions } from './options.js'
import { pin } from './pin.js'

const LOADS = [
  { title: 'MPUB of 200, and consume', batchCount: 200, connectionCount: 2, share: 1 },
  { title: 'PUB, and consume', batchCount: 1, connectionCount: 16, share: 0.2 },
] as const

/** What one load took of one arrangement. */
interface Measurement {
  readonly load: string
  readonly nodeCount: number
  readonly round: number
  readonly messageCount: number
  readonly elapsedMs: number
  readonly nodes: readonly CpuTime[]
  readonly supervisor: CpuTime | null
  readonly clientCpuMs: number
}

const say = (line: string): void => void process.stderr.write(`${line}\n`)

async function measureRound(options: NodesBenchOptions, nodeCount: number, round: number): Promise<Measurement[]> {
  const { storage, nodeCpus, clientCpus, bodySizeBytes, messageCount, warmUpCount } = options
  const brokers = await startBrokers(nodeCount, storage)
  const clients = new Clients(options.nodeCount)
  try {
    pinAll(brokers.pids, nodeCpus)
    pinAll(clients.pids, clientCpus)
    const measurements: Measurement[] = []
    for (const { title, share, ...way } of LOADS) {
      const load = (count: number): Load => ({ ...way, bodySizeBytes, messageCount: Math.round(count * share) })
      if (warmUpCount > 0) await clients.run(brokers.ports, load(warmUpCount * nodeCount), () => {})
      let before = readAll(brokers)
      const { elapsedMs, clientCpuMs } = await clients.run(brokers.ports, load(messageCount), () => {
        before = readAll(brokers)
      })
      const after = readAll(brokers)
      measurements.push({
        load: title,
        nodeCount,
        round,
        messageCount: load(messageCount).messageCount,
        elapsedMs,
        nodes: after.nodes.map((cpu, index) => since(before.nodes[index], cpu)),
        supervisor: before.supervisor && after.supervisor && since(before.supervisor, after.supervisor),
        clientCpuMs,
      })
    }
    return measurements
  } finally {
    clients.close()
    await brokers.stop()
  }
}

function pinAll(pids: readonly number[], cpuList: readonly number[] | null): void {
  if (cpuList === null) return
  const arePinned = pids.map((pid, index) => pin(pid, cpuList[index % cpuList.length]))
  if (!arePinned.every(Boolean)) say('taskset cannot be used here: nothing is pinned')
}

const readAll = ({ pids, supervisorPid }: Brokers) => ({
  nodes: pids.map(readCpu),
  supervisor: supervisorPid === null ? null : readCpu(supervisorPid),
})

const since = (before: CpuTime, after: CpuTime): CpuTime => ({
  userMs: after.userMs - before.userMs,
  systemMs: after.systemMs - before.systemMs,
})

/** A row of the table: medians of the rounds. */
function rowOf(title: string, nodeCount: number, all: readonly Measurement[]): string[] {
  const of = all.filter((one) => one.load === title && one.nodeCount === nodeCount)
  const middle = (value: (one: Measurement) => number): number => median(of.map(value))
  const perMillion = (ms: (one: Measurement) => number): string =>
    middle((one) => (ms(one) * 1000) / one.messageCount).toFixed(2)
  const sum = (one: Measurement, part: (cpu: CpuTime) => number): number =>
    [...one.nodes, ...(one.supervisor === null ? [] : [one.supervisor])].reduce((total, cpu) => total + part(cpu), 0)
  const ofCpu = ({ userMs, systemMs }: CpuTime): number => userMs + systemMs
  const busy = (ms: number, elapsedMs: number): string => `${((100 * ms) / elapsedMs).toFixed(0)} %`
  const busiest = (one: Measurement): number => Math.max(...one.nodes.map(ofCpu))
  return [
    nodeCount === 1 ? title : '',
    nodeCount === 1 ? '1 node' : `${nodeCount} nodes`,
    `${middle((one) => one.messageCount / one.elapsedMs).toFixed(0)} k/s`,
    perMillion((one) => sum(one, ofCpu)),
    perMillion((one) => sum(one, ({ userMs }) => userMs)),
    perMillion((one) => sum(one, ({ systemMs }) => systemMs)),
    nodeCount === 1 ? '' : perMillion((one) => (one.supervisor === null ? 0 : ofCpu(one.supervisor))),
    busy(
      middle(busiest),
      middle(({ elapsedMs }) => elapsedMs),
    ),
    perMillion((one) => one.clientCpuMs),
    busy(
      middle(({ clientCpuMs }) => clientCpuMs),
      middle(({ elapsedMs }) => elapsedMs),
    ),
  ]
}

const HEAD = ['', '', 'in and out', 'CPU s/million', 'user', 'system', 'supervisor', 'busiest node', 'clients', 'busy']

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (options === 'help') {
    process.stdout.write(HELP)
    return
  }
  if (process.platform !== 'linux') throw new UsageError('processor times are read as Linux gives them')
  const { nodeCount, roundCount, nodeCpus, clientCpus, messageCount, bodySizeBytes, storage, jsonPath } = options
  const loadBefore = loadavg()[0]
  const measurements: Measurement[] = []
  for (let round = 1; round <= roundCount; round++) {
    for (const count of [1, nodeCount]) {
      say(`round ${round} of ${roundCount}: ${count === 1 ? '1 node' : `${count} nodes`}`)
      measurements.push(...(await measureRound(options, count, round)))
    }
  }
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}`
  const load = `load average before ${loadBefore.toFixed(2)}, after ${loadavg()[0].toFixed(2)}`
  const pinned =
    nodeCpus === null || clientCpus === null
      ? 'nothing pinned'
      : `nodes on processors ${nodeCpus.join(', ')}, clients on ${clientCpus.join(', ')}`
  const rows = LOADS.flatMap(({ title }) => [1, nodeCount].map((count) => rowOf(title, count, measurements)))
  process.stdout.write(
    [
      '',
      `${machine}; ${load}`,
      `${messageCount} messages of ${bodySizeBytes} bytes (PUB: a fifth), storage ${storage}, ${nodeCount} clients, ${pinned}; medians of ${roundCount} rounds, every message verified`,
      '',
      align([HEAD, ...rows]),
      '',
    ].join('\n'),
  )
  if (jsonPath !== null)
    writeFileSync(jsonPath, `${JSON.stringify({ machine, load, options, measurements }, null, 2)}\n`)
}

try {
  await main()
} catch (error) {
  if (error instanceof UsageError) say(`bench:nodes: ${error.message}\nSee npm run bench:nodes -- --help`)
  else say(`bench:nodes: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 2
}
