import { cpus } from 'node:os'
import { complaintOf } from './ledger.js'
import type { ScenarioLoops } from './loop-report.js'
import type { BenchOptions } from './options.js'
import { formatValue, type Measured, median } from './report.js'
import { runInChild } from './runner.js'
import type { ScenarioResult } from './scenario.js'
import type { Subject } from './subject.js'

/** Label of the sink, whose column says what the client can do. */
export const CEILING = 'client ceiling'

/** One line about what is under way, beside the report. */
export const say = (text: string): void => {
  process.stderr.write(`${text}\n`)
}

/** One run of one scenario against one subject, for the JSON. */
export interface Run {
  readonly scenario: string
  readonly subject: string
  readonly round: number
  readonly result: ScenarioResult | null
  readonly failure: string | null
}

/** Runs every scenario against every subject in turn, and keeps what they found. */
export class Bench {
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
          const isSink = subject.label === CEILING
          if (isSink && (!scenario.ceiling || round > 1)) continue
          if (scenario.durable && subject !== this.#subjects[0]) continue
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

  /** The event loops that were measured, by scenario and subject. */
  loops(): ScenarioLoops[] {
    return this.#options.scenarios.flatMap(({ name }) =>
      this.#subjects
        .filter(({ probed }) => probed)
        .map(({ label }) => ({
          scenario: name,
          subject: label,
          runs: this.runs
            .filter((run) => run.scenario === name && run.subject === label)
            .flatMap((run) => run.result?.loops ?? []),
        })),
    )
  }

  /** What is said beside the figures, followed by an empty line when there is anything. */
  notes(): string[] {
    const notes = this.runs.flatMap(({ scenario, subject, round, result }) =>
      (result?.notes ?? []).map((note) => `${scenario} · ${subject} · round ${round}: ${note}`),
    )
    return notes.length === 0 ? [] : [...notes, '']
  }

  /** The client's load, by scenario and subject, median of the rounds. */
  clientLoads(): string[] {
    const lines: string[] = []
    for (const { name } of this.#options.scenarios) {
      const parts = this.#subjects.flatMap(({ label }) => {
        const loads = this.runs
          .filter((run) => run.scenario === name && run.subject === label)
          .flatMap((run) => run.result?.clientLoad ?? [])
        if (loads.length === 0) return []
        const load = median(loads)
        const rate = median(this.measured.get(`${name}.rate`)?.rounds.get(label) ?? [])
        // Where the sink was the slower one, this is what the client has left.
        const whole =
          label === CEILING && load < 1 && rate > 0 ? ` (${formatValue(rate / load, 'msg/s')} at 100 %)` : ''
        return [`${label} ${(load * 100).toFixed(0)} %${whole}`]
      })
      if (parts.length > 0) lines.push(`  ${name.padEnd(14)} ${parts.join(', ')}`)
    }
    return lines
  }
}
