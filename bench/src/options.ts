import { parseArgs } from 'node:util'
import { MIB } from './footprint.js'
import type { Scale, Scenario } from './scenario.js'
import { MODES, type Mode } from './storage-flags.js'

/** What the command line asked for. */
export interface BenchOptions {
  readonly mode: Mode
  /** Command that takes Spillway's place; `null` measures the Spillway of this checkout. */
  readonly subject: string | null
  readonly against: string | null
  readonly sink: boolean
  readonly scenarios: readonly Scenario[]
  readonly roundCount: number
  readonly scale: Scale
  readonly jsonPath: string | null
  readonly smoke: boolean
  readonly pin: boolean
  /** Whether the event loop of Spillway is measured. */
  readonly loop: boolean
}

/** A command line that cannot be followed; its message is for the person who typed it. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const FULL: Scale = {
  messageCount: 1_000_000,
  warmUpMessageCount: 200_000,
  bodySizeBytes: 200,
  durationMs: 5000,
  ratePerSecond: 20_000,
  restMs: 5000,
  settleMsMax: 15_000,
  topicCount: 10_000,
  consumerCount: 5000,
  stalledConsumerCount: 1000,
  startCount: 10,
  memoryLimitBytes: 64 * MIB,
  backlogMessageCount: 20_000_000,
  scatteredMessageCount: 2_000_000,
  scatteredTopicCount: 1000,
  deferredMessageCount: 1_000_000,
  dueMessageCount: 100_000,
  dueInMs: 12_000,
  passingMessageCount: 10_000_000,
  spaceMsMax: 60_000,
}

/** Small enough for every change: it proves that messages survive, and measures nothing worth a word. */
const SMOKE: Scale = {
  ...FULL,
  messageCount: 20_000,
  warmUpMessageCount: 0,
  durationMs: 500,
  ratePerSecond: 5000,
  restMs: 200,
  settleMsMax: 0,
  topicCount: 100,
  consumerCount: 100,
  stalledConsumerCount: 20,
  startCount: 2,
  scatteredTopicCount: 50,
  dueInMs: 1500,
  spaceMsMax: 300,
  ...durableCounts(20_000),
}

/** The durable scenarios have numbers of their own unless the command line gives one, which then is every scenario's. */
function durableCounts(messageCount: number) {
  return {
    backlogMessageCount: messageCount,
    scatteredMessageCount: messageCount,
    deferredMessageCount: messageCount,
    dueMessageCount: messageCount / 10,
    passingMessageCount: messageCount,
  }
}

const MPUB_BATCH_COUNT = 200

export function helpText(scenarios: readonly Scenario[]): string {
  const lines = scenarios.map(({ name, title }) => `  ${name.padEnd(15)} ${title}`)
  return `Measures a message broker, and checks every message that goes through it.

  npm run bench -- [options]

Without options it starts the Spillway of this checkout, with memory storage, and prints what it reaches. With
--against it runs nsqd in turn with it (A B A B …) under the same client, and prints medians and their ratio:

  npm run bench -- --against /usr/local/bin/nsqd
  npm run bench -- --against nsqd --only consume,mpub --rounds 5
  npm run bench -- --against "node ../base/packages/cli/bin/nsqd.js --storage=memory"     this branch and another
  npm run bench -- --sink --only mpub,consume                                              what the client can do

What is measured
${lines.join('\n')}
  --only takes names from this list, separated by commas, or one of: figures (the default), streams, limits,
  durable, all. The durable ones run Spillway on RocksDB in every mode, and nobody beside it; --messages is the number of each.

Options
  --only NAMES         what to measure
  --against CMD        a second broker, given nsqd's flags
  --subject CMD        measure this broker instead of Spillway
  --mode MODE          memory (default): Spillway --storage=memory, nsqd with a memory queue that holds everything
                       disk: Spillway --storage=rocksdb --durability=process, nsqd --mem-queue-size=0. Spillway gets so
                       little memory (see --memory-limit) that consume and fanout read their backlog from disk; the
                       report says how much of it
                       durable-vs-memory: Spillway --storage=rocksdb --durability=process beside an nsqd that keeps
                       everything in memory
  --memory-limit MIB   memory for messages that Spillway gets in mode disk and in the durable scenarios (${FULL.memoryLimitBytes / MIB})
  --rounds N           rounds of each (3)
  --messages N         messages of the throughput scenarios (${FULL.messageCount})
  --seconds N          how long the latency scenarios publish (${FULL.durationMs / 1000})
  --rate N             messages a second in the latency scenarios (${FULL.ratePerSecond})
  --sink               also run the client against a sink that answers at once: its ceiling
  --pin                client on the last processor, broker on the others (nsqd uses all that it may: on two
                       processors this costs it one, so it is not the default)
  --loop               also measure the event loop of Spillway, with a probe in its process (Linux only; never in nsqd);
                       see below
  --smoke              one small round of everything, in seconds: fails when a message is lost or damaged
  --json FILE          write everything that was measured, each round of it
  --help               this text

How to read it
  The primary figure is the broker's CPU time for a million messages: client and broker share this machine, so a rate
  may be the client's limit. "client" is the share of one processor that the client used: near 100 %, distrust the rate.
  Use a calm machine; the load average is printed before and after. Rates of different machines do not compare, ratios do.

The event loop, with --loop
  npm run bench -- --loop --only all --rounds 1
  CPU is the processor time of the broker's main thread in one turn of its loop, read to the kernel's 4 ms; it should
  never exceed 20 ms. Delay is by how much a timer of 1 ms comes late; its p99.9 should not exceed 20 ms. Delays also
  come from the machine, so an idle process is measured beside the broker, over the whole scenario: compare the maximum
  with that, and with nothing else. Counted is, from listening to stopping, time in which the broker was busy, without
  which idle turns would hide the others. The probe costs a few microseconds a turn: take other figures without it.
`
}

const STREAMS = ['consume-tls', 'consume-deflate', 'consume-snappy']
const LIMITS = ['start', 'topics', 'stalled']
const GROUPS = ['all', 'figures', 'streams', 'limits', 'durable']

/** @throws UsageError */
export function parseOptions(args: readonly string[], all: readonly Scenario[]): BenchOptions | 'help' {
  const values = readArgs(args)
  if (values.help === true) return 'help'
  const smoke = values.smoke === true
  const base = smoke ? SMOKE : FULL
  const mode = values.mode ?? 'memory'
  if (!isMode(mode)) throw new UsageError(`--mode is one of ${MODES.join(', ')}, not "${mode}"`)
  // Every scenario takes a fraction of the messages, in whole batches.
  const unit = MPUB_BATCH_COUNT * 10
  const given = count('--messages', values.messages, base.messageCount)
  const messageCount = Math.max(unit, Math.round(given / unit) * unit)
  return {
    mode,
    subject: values.subject ?? null,
    against: values.against ?? null,
    sink: values.sink === true,
    scenarios: select(values.only ?? (smoke ? 'all' : 'figures'), all),
    roundCount: count('--rounds', values.rounds, smoke ? 1 : 3),
    scale: {
      ...base,
      messageCount,
      ...(values.messages === undefined ? {} : durableCounts(messageCount)),
      durationMs: count('--seconds', values.seconds, base.durationMs / 1000) * 1000,
      ratePerSecond: count('--rate', values.rate, base.ratePerSecond),
      memoryLimitBytes: count('--memory-limit', values['memory-limit'], base.memoryLimitBytes / MIB) * MIB,
    },
    jsonPath: values.json ?? null,
    smoke,
    pin: values.pin === true,
    loop: values.loop === true,
  }
}

function readArgs(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        against: { type: 'string' },
        subject: { type: 'string' },
        mode: { type: 'string' },
        rounds: { type: 'string' },
        messages: { type: 'string' },
        seconds: { type: 'string' },
        rate: { type: 'string' },
        'memory-limit': { type: 'string' },
        sink: { type: 'boolean' },
        pin: { type: 'boolean' },
        loop: { type: 'boolean' },
        smoke: { type: 'boolean' },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

const isMode = (text: string): text is Mode => (MODES as readonly string[]).includes(text)

function count(flag: string, text: string | undefined, byDefault: number): number {
  if (text === undefined) return byDefault
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value)) throw new UsageError(`${flag} is a number above 0, not "${text}"`)
  return value
}

function groupOf({ name, durable }: Scenario): string {
  if (durable) return 'durable'
  if (STREAMS.includes(name)) return 'streams'
  return LIMITS.includes(name) ? 'limits' : 'figures'
}

function select(only: string, all: readonly Scenario[]): Scenario[] {
  const wanted = new Set(only.split(','))
  const known = new Set([...GROUPS, ...all.map(({ name }) => name)])
  for (const name of wanted) {
    if (!known.has(name)) throw new UsageError(`--only: there is no "${name}"; there are ${[...known].join(', ')}`)
  }
  return all.filter((scenario) => wanted.has('all') || wanted.has(groupOf(scenario)) || wanted.has(scenario.name))
}
