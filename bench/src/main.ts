import { writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { addUp, complaintOf, type Verification } from './ledger.js'
import { type BenchOptions, helpText, parseOptions, UsageError } from './options.js'
import { formatTable, formatValue, type Measured, median } from './report.js'
import { runInChild } from './runner.js'
import type { ScenarioResult } from './scenario.js'
import { SCENARIOS } from './scenarios/index.js'
import { readVersion, type Subject, sinkCommand, spillwayCommand, splitCommand } from './subject.js'

const say = (text: string) => process.stderr.write(`${text}\n`)
const loadText = () =>
  loadavg()
    .map((load) => load.toFixed(2))
    .join(' ')

function findSubjects(options: BenchOptions): Subject[] {
  // The client gets the last processor, brokers what is before it.
  const cpuList = options.pin ? `0-${Math.max(0, cpus().length - 2)}` : ''
  const subject = (label: string, command: readonly string[], queueFlags: boolean): Subject => ({
    label,
    command,
    version: readVersion(command),
    cpuList,
    queueFlags,
  })
  const subjects = [
    options.subject === null
      ? subject('spillway', spillwayCommand(options.mode), options.mode === 'memory')
      : subject('subject', splitCommand(options.subject), true),
  ]
  if (options.against !== null) subjects.push(subject('against', splitCommand(options.against), true))
  if (options.sink) subjects.push(subject('client ceiling', sinkCommand(), true))
  return subjects
}

/** One run of one scenario against one subject, for the JSON. */
interface Run {
  readonly scenario: string
  readonly subject: string
  readonly round: number
  readonly result: ScenarioResult | null
  readonly failure: string | null
}

class Bench {
  readonly #options: BenchOptions
  readonly #subjects: readonly Subject[]
  readonly runs: Run[] = []
  readonly measured = new Map<string, Measured>()

  constructor(options: BenchOptions, subjects: readonly Subject[]) {
    this.#options = options
    this.#subjects = subjects
  }

  async run(): Promise<void> {
    const { scenarios, roundCount } = this.#options
    for (const scenario of scenarios) {
      for (let round = 1; round <= roundCount; round++) {
        for (const subject of this.#subjects) {
          // The sink is only there for the ceiling, once, and only where it has something to say.
          const isSink = subject.label === 'client ceiling'
          if (isSink && (!scenario.ceiling || round > 1)) continue
          await this.#runOnce(scenario.name, subject, round)
        }
      }
    }
  }

  async #runOnce(scenario: string, subject: Subject, round: number): Promise<void> {
    const { mode, scale, pin, roundCount } = this.#options
    const title = `${scenario} · ${subject.label} · round ${round}/${roundCount}`
    let result: ScenarioResult | null = null
    let failure: string | null = null
    try {
      result = await runInChild(
        { scenario, subject, mode, scale },
        { clientCpuList: pin ? `${cpus().length - 1}` : '', progress: (text) => say(`${title} · ${text}`) },
      )
      failure = complaintOf(result.verification)
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error)
    }
    this.runs.push({ scenario, subject: subject.label, round, result, failure })
    if (result !== null) this.#keep(result, subject.label)
    const figures = result?.figures.map((figure) => formatValue(figure.value, figure.unit)).join(', ') ?? ''
    const load = result?.clientLoad === undefined ? '' : ` (client ${(result.clientLoad * 100).toFixed(0)} %)`
    say(`${title} · ${failure === null ? 'verified' : `FAILED: ${failure}`} · ${figures}${load}`)
  }

  #keep(result: ScenarioResult, label: string): void {
    for (const { value, ...figure } of result.figures) {
      const known = this.measured.get(figure.key) ?? { figure, rounds: new Map<string, number[]>() }
      known.rounds.set(label, [...(known.rounds.get(label) ?? []), value])
      this.measured.set(figure.key, known)
    }
  }

  get failures(): readonly Run[] {
    return this.runs.filter(({ failure }) => failure !== null)
  }

  /** The client's load, by scenario and subject, worst round. */
  clientLoads(): string[] {
    const lines: string[] = []
    for (const { name } of this.#options.scenarios) {
      const parts = this.#subjects.flatMap(({ label }) => {
        const loads = this.runs
          .filter((run) => run.scenario === name && run.subject === label)
          .flatMap((run) => run.result?.clientLoad ?? [])
        return loads.length === 0 ? [] : [`${label} ${(median(loads) * 100).toFixed(0)} %`]
      })
      if (parts.length > 0) lines.push(`  ${name.padEnd(14)} ${parts.join(', ')}`)
    }
    return lines
  }
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), SCENARIOS)
  if (options === 'help') {
    process.stdout.write(helpText(SCENARIOS))
    return 0
  }
  const subjects = findSubjects(options)
  const startedAt = new Date().toISOString()
  const loadBefore = loadText()
  const bench = new Bench(options, subjects)
  await bench.run()
  const loadAfter = loadText()
  const [cpu] = cpus()
  const machine = `${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, Node ${process.version}`
  const verification = addUp(bench.runs.flatMap((run): Verification[] => (run.result ? [run.result.verification] : [])))
  const out = [
    '',
    ...subjects.map(({ label, version }) => `${label}: ${version}`),
    `mode ${options.mode}, ${options.roundCount} rounds, medians${options.pin ? ', pinned' : ''}`,
    `${machine}; load average before ${loadBefore}, after ${loadAfter}`,
    '',
    formatTable([...bench.measured.values()], {
      mode: options.mode,
      labels: subjects.map(({ label }) => label),
      compared: options.against !== null,
    }),
    '',
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
      subjects,
      figures,
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
