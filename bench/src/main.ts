import { writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { basename } from 'node:path'
import { Bench, CEILING, say } from './bench.js'
import { MIB } from './footprint.js'
import { addUp, type Verification } from './ledger.js'
import { formatLoops, summarizeLoops } from './loop-report.js'
import { type BenchOptions, helpText, parseOptions, UsageError } from './options.js'
import { formatTable, median } from './report.js'
import { SCENARIOS } from './scenarios/index.js'
import { readVersion, type Subject, sinkCommand, spillwayCommand, splitCommand } from './subject.js'

const loadText = () =>
  loadavg()
    .map((load) => load.toFixed(2))
    .join(' ')

function findSubjects(options: BenchOptions): Subject[] {
  // The client gets the last processor, brokers what is before it.
  const cpuList = options.pin ? `0-${Math.max(0, cpus().length - 2)}` : ''
  const subject = (label: string, command: readonly string[], isSpillway: boolean): Subject => ({
    label,
    command,
    version: readVersion(command),
    cpuList,
    isSpillway,
    probed: options.loop && isNode(command),
  })
  const subjects = [
    options.subject === null
      ? subject('spillway', spillwayCommand(), true)
      : subject(nameOf(splitCommand(options.subject)), splitCommand(options.subject), false),
  ]
  if (options.against !== null) {
    const command = splitCommand(options.against)
    const name = nameOf(command)
    subjects.push(subject(name === subjects[0].label ? `${name} (against)` : name, command, false))
  }
  if (options.loop && !subjects.some(({ probed }) => probed)) {
    throw new UsageError('--loop measures brokers that run in Node, and there is none')
  }
  // The sink is nobody's broker.
  if (options.sink) subjects.push({ ...subject(CEILING, sinkCommand(), false), probed: false })
  return subjects
}

/** Whether the command is `node`, with whatever it is to run: so is Spillway, and never nsqd. */
function isNode([file]: readonly string[]): boolean {
  return file === process.execPath || basename(file) === 'node'
}

/** The program's file name; of `node file.js`, that of the script. */
function nameOf([file, script]: readonly string[]): string {
  return basename(basename(file) === 'node' && script !== undefined ? script : file)
}

/** Says how little memory Spillway was given where that is done. */
function memoryLimitText({ mode, scenarios, scale }: BenchOptions): string {
  const isLimited = mode === 'disk' || scenarios.some(({ durable }) => durable)
  return isLimited ? `, Spillway from disk with ${scale.memoryLimitBytes / MIB} MiB of memory for messages` : ''
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), SCENARIOS)
  if (options === 'help') {
    process.stdout.write(helpText(SCENARIOS))
    return 0
  }
  if (options.loop && process.platform !== 'linux') throw new UsageError('--loop needs Linux')
  const subjects = findSubjects(options)
  const startedAt = new Date().toISOString()
  const loadBefore = loadText()
  const bench = new Bench(options, subjects)
  await bench.run()
  const loadAfter = loadText()
  const [cpu] = cpus()
  const machine = `${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, Node ${process.version}`
  const verification = addUp(bench.runs.flatMap((run): Verification[] => (run.result ? [run.result.verification] : [])))
  const loops = summarizeLoops(bench.loops())
  const out = [
    '',
    ...subjects.map(({ label, version }) => `${label}: ${version}`),
    `mode ${options.mode}${memoryLimitText(options)}, ${options.roundCount} rounds, medians${options.pin ? ', pinned' : ''}`,
    `${machine}; load average before ${loadBefore}, after ${loadAfter}`,
    '',
    formatTable([...bench.measured.values()], {
      mode: options.mode,
      labels: subjects.map(({ label }) => label),
      compared: options.against !== null,
      // A smoke run is too small and too cold to be judged.
      judged: !options.smoke,
    }),
    '',
    ...(options.loop ? [formatLoops(loops, !options.smoke), ''] : []),
    ...bench.notes(),
    'client, share of one processor:',
    ...bench.clientLoads(),
    '',
    `${verification.receivedCount} messages verified, ${verification.redeliveredCount} of them delivered again`,
    ...bench.failures.map((run) => `FAILED ${run.scenario} · ${run.subject} · round ${run.round}: ${run.failure}`),
    '',
  ]
  process.stdout.write(out.join('\n'))
  if (options.jsonPath !== null) {
    const figures = [...bench.measured.values()].map(({ figure, rounds }) => ({
      ...figure,
      rounds: Object.fromEntries(rounds),
      medians: Object.fromEntries([...rounds].map(([label, values]) => [label, median(values)])),
    }))
    const { mode, roundCount, scale, pin } = options
    const report = {
      startedAt,
      machine,
      loadBefore,
      loadAfter,
      mode,
      roundCount,
      pin,
      scale,
      subjects: subjects.map(({ label, version }) => ({ label, version })),
      figures,
      ...(options.loop ? { loops } : {}),
      runs: bench.runs,
    }
    writeFileSync(options.jsonPath, `${JSON.stringify(report, null, 2)}\n`)
  }
  return bench.failures.length === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  if (error instanceof UsageError) say(`bench: ${error.message}\nSee npm run bench -- --help`)
  else say(`bench: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 2
}
