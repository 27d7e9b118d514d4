import type { Percentiles } from './latency-recorder.js'
import type { LoopFigures } from './loop-meter.js'
import type { LoopRun } from './loop-watch.js'
import { align, formatValue, median } from './report.js'

/** What a turn may use of the processor, and what p99.9 of the delay may be. */
export const LOOP_BOUND_MS = 20

/** Every measured event loop of one scenario against one subject. */
export interface ScenarioLoops {
  readonly scenario: string
  readonly subject: string
  readonly runs: readonly LoopRun[]
}

/** One scenario's event loops, rounds put together. */
export interface LoopSummary {
  readonly scenario: string
  readonly subject: string
  readonly turnCount: number
  readonly countedMs: number
  readonly cpu: Percentiles
  readonly delay: Percentiles
  /** Delays of the idle process. */
  readonly idle: Percentiles
}

/** Medians of the percentiles, but the maximum is that of all rounds. Scenarios that never kept the broker busy are left out. */
export function summarizeLoops(measured: readonly ScenarioLoops[]): LoopSummary[] {
  return measured.flatMap(({ scenario, subject, runs }) => {
    const brokers = runs.flatMap(({ broker }) => broker ?? [])
    if (brokers.length === 0) return []
    const idle = runs.flatMap((run) => run.idle ?? [])
    return {
      scenario,
      subject,
      turnCount: median(brokers.map(({ turnCount }) => turnCount)),
      countedMs: median(brokers.map(({ countedMs }) => countedMs)),
      cpu: together(brokers.map(({ cpu }) => cpu)),
      delay: together(brokers.map(({ delay }) => delay)),
      idle: together(idle.map(({ delay }: LoopFigures) => delay)),
    }
  })
}

function together(rounds: readonly Percentiles[]): Percentiles {
  return {
    p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)),
    p999Ms: median(rounds.map(({ p999Ms }) => p999Ms)),
    maxMs: rounds.length === 0 ? Number.NaN : Math.max(...rounds.map(({ maxMs }) => maxMs)),
  }
}

/** A line for each scenario; `judged` adds whether both bounds hold. */
export function formatLoops(summaries: readonly LoopSummary[], judged: boolean): string {
  const several = new Set(summaries.map(({ subject }) => subject)).size > 1
  const spread = ['p50', 'p99', 'p99.9', 'max']
  const head = [
    'event loop, ms',
    'turns',
    'counted',
    ...spread.map((name) => `CPU ${name}`),
    ...spread.map((name) => `delay ${name}`),
    'idle p99.9',
    'idle max',
    ...(judged ? ['CPU', 'delay'] : []),
  ]
  const rows = summaries.map(({ scenario, subject, turnCount, countedMs, cpu, delay, idle }) => [
    several ? `${scenario} · ${subject}` : scenario,
    turnCount.toFixed(0),
    `${(countedMs / 1000).toFixed(1)} s`,
    ...numbers(cpu.p50Ms, cpu.p99Ms, cpu.p999Ms, cpu.maxMs),
    ...numbers(delay.p50Ms, delay.p99Ms, delay.p999Ms, delay.maxMs),
    ...numbers(idle.p999Ms, idle.maxMs),
    ...(judged ? [verdict(cpu.maxMs), verdict(delay.p999Ms)] : []),
  ])
  return align([head, ...rows])
}

const numbers = (...valuesMs: number[]) => valuesMs.map((valueMs) => formatValue(valueMs, 'ms').replace(' ms', ''))

const verdict = (valueMs: number) => (valueMs <= LOOP_BOUND_MS ? 'met' : 'missed')
