import { cpus } from 'node:os'
import { CommandLine } from '../src/command-line.js'
import { UsageError } from '../src/options.js'

export interface NodesBenchOptions {
  /** How many nodes are compared with one. */
  readonly nodeCount: number
  readonly storage: 'memory' | 'rocksdb'
  readonly messageCount: number
  readonly warmUpCount: number
  readonly bodySizeBytes: number
  readonly roundCount: number
  /** Processors of the nodes, in turn; `null` pins nothing. */
  readonly nodeCpus: readonly number[] | null
  readonly clientCpus: readonly number[] | null
  readonly jsonPath: string | null
}

export const HELP = `Measures spillway start --nodes N beside one node, and checks every message.

  npm run bench:nodes -- [options]

As many clients as there are nodes publish and consume at the same time, each a process and a topic of its own. With N nodes
each client has a node; with one they share it: the same work for the same clients. Rounds go in turn (one, N, one, N …),
printed are medians.

  --nodes N          (2)
  --storage NAME     memory, or rocksdb with durability process (memory)
  --messages N       published and consumed in a round, by all clients together (1000000)
  --warm-up N        the same to each node, before anything is measured (200000)
  --size BYTES       of a body (200)
  --rounds N         (3)
  --node-cpus LIST   processors of the nodes, in turn: 0,1 (all but the last one)
  --client-cpus LIST processors of the clients, in turn (the last one)
  --no-pin           leave that to the system; also where there is no taskset
  --json FILE        write everything that was measured, each round of it
  --help

The primary figure is processor time of all nodes and their supervisor for a million messages in and out: rates need as many
free processors as there are nodes and clients, and say which they had.
`

/** @throws UsageError */
export function parseOptions(args: readonly string[], cpuCount = cpus().length): NodesBenchOptions | 'help' {
  const texts = ['nodes', 'storage', 'messages', 'warm-up', 'size', 'rounds', 'node-cpus', 'client-cpus', 'json']
  const line = new CommandLine(args, texts, ['no-pin'])
  if (line.isGiven('help')) return 'help'
  const list = (name: string, fallback: readonly number[]): readonly number[] | null => {
    if (line.isGiven('no-pin')) return null
    const value = line.text(name)
    if (value === null) return fallback
    const numbers = value.split(',').map(Number)
    if (numbers.every((number) => Number.isInteger(number) && number >= 0 && number < cpuCount)) return numbers
    throw new UsageError(`--${name} is a list of processors from 0 to ${cpuCount - 1}, such as 0,1, not ${value}`)
  }
  const storage = line.text('storage') ?? 'memory'
  if (storage !== 'memory' && storage !== 'rocksdb')
    throw new UsageError(`--storage is memory or rocksdb, not ${storage}`)
  const allButLast = Array.from({ length: Math.max(1, cpuCount - 1) }, (_, cpu) => cpu)
  return {
    nodeCount: line.count('nodes', 2, 2),
    storage,
    messageCount: line.count('messages', 1_000_000),
    warmUpCount: line.count('warm-up', 200_000, 0),
    bodySizeBytes: line.count('size', 200, 20),
    roundCount: line.count('rounds', 3),
    nodeCpus: list('node-cpus', allButLast),
    clientCpus: list('client-cpus', [cpuCount - 1]),
    jsonPath: line.text('json'),
  }
}
