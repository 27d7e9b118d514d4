import type { Figure } from './scenario.js'
import type { Mode } from './storage-flags.js'

/** One figure of one subject, round by round. */
export interface Measured {
  readonly figure: Omit<Figure, 'value'>
  /** By subject label. */
  readonly rounds: Map<string, number[]>
}

export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** The number in few digits, as a person would write it. */
export function formatValue(value: number, unit: Figure['unit']): string {
  if (!Number.isFinite(value)) return '–'
  switch (unit) {
    case 'msg/s':
      return value >= 999_500 ? `${(value / 1e6).toFixed(2)} M/s` : `${(value / 1e3).toFixed(1)} k/s`
    case 's/million':
      return `${value.toFixed(2)} s/M`
    case 'ms':
      return `${value.toFixed(value < 10 ? 2 : 1)} ms`
    case 's':
      return `${value.toFixed(1)} s`
    case '%':
      return `${value.toFixed(0)} %`
    case 'messages':
      return value.toFixed(0)
    case 'bytes':
      return `${value.toFixed(0)} B`
    case 'MB':
      return `${value.toFixed(1)} MB`
  }
}

interface Judgement {
  readonly bound: string
  readonly verdict: string
}

const NOT_JUDGED: Judgement = { bound: '', verdict: '' }

/** What the goal of this mode says about a ratio. */
function judgeRatio({ goal, better }: Omit<Figure, 'value'>, ratio: number, mode: Mode): Judgement {
  const wanted = goal?.[mode]
  if (wanted === undefined) return NOT_JUDGED
  const atLeast = better === 'more'
  const bound = `${atLeast ? '≥' : '≤'} ${wanted.toFixed(2)}`
  if (!Number.isFinite(ratio)) return { bound, verdict: '' }
  return { bound, verdict: (atLeast ? ratio >= wanted : ratio <= wanted) ? 'met' : 'missed' }
}

/** A limit holds in every round. */
function judgeLimit({ unit }: Omit<Figure, 'value'>, limit: number, values: readonly number[]): Judgement {
  const bound = `≤ ${formatValue(limit, unit)}`
  if (values.length === 0) return { bound, verdict: '' }
  return { bound, verdict: values.every((value) => value <= limit) ? 'met' : 'missed' }
}

export interface TableOptions {
  readonly mode: Mode
  /** Subjects in the order of columns; the ratio is the first to the second, when `compared`. */
  readonly labels: readonly string[]
  readonly compared: boolean
  /** Whether goals are shown. */
  readonly judged: boolean
}

/** A table with one line for each figure: medians, the ratio, and what it should be. */
export function formatTable(measured: readonly Measured[], options: TableOptions): string {
  const { labels, compared, mode } = options
  const judged = options.judged && (compared || measured.some(({ figure }) => figure.limit !== undefined))
  const head = ['', ...labels, ...(compared ? ['ratio'] : []), ...(judged ? ['goal', ''] : [])]
  const rows = measured.map(({ figure, rounds }) => {
    const medians = labels.map((label) => median(rounds.get(label) ?? []))
    const ratio = compared ? medians[0] / medians[1] : Number.NaN
    const { bound, verdict } =
      figure.limit === undefined
        ? judgeRatio(figure, ratio, mode)
        : judgeLimit(figure, figure.limit, rounds.get(labels[0]) ?? [])
    return [
      figure.title,
      ...medians.map((value) => formatValue(value, figure.unit)),
      ...(compared ? [Number.isFinite(ratio) ? ratio.toFixed(2) : '–'] : []),
      ...(judged ? [compared || figure.limit !== undefined ? bound : '', verdict] : []),
    ]
  })
  return align([head, ...rows])
}

/** First column to the left, the others to the right, a line under the head. */
export function align(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  )
  lines.splice(1, 0, widths.map((width) => '─'.repeat(width)).join('  '))
  return lines.join('\n')
}
