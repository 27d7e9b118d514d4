import type { Figure } from './scenario.js'
import type { Mode } from './subject.js'

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
    case 'bytes':
      return `${value.toFixed(0)} B`
    case 'MB':
      return `${value.toFixed(1)} MB`
  }
}

/** What the goal of this mode says about a ratio; `bound` is what is shown, both are empty without a goal. */
function judge(figure: Omit<Figure, 'value'>, ratio: number, mode: Mode): { bound: string; verdict: string } {
  const goal = figure.goal?.[mode]
  if (goal === undefined) return { bound: '', verdict: '' }
  const atLeast = figure.better === 'more'
  const bound = `${atLeast ? '≥' : '≤'} ${goal.toFixed(2)}`
  if (!Number.isFinite(ratio)) return { bound, verdict: '' }
  return { bound, verdict: (atLeast ? ratio >= goal : ratio <= goal) ? 'met' : 'missed' }
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
  const { labels, compared, judged, mode } = options
  const head = ['', ...labels, ...(compared ? ['ratio'] : []), ...(compared && judged ? ['goal', ''] : [])]
  const rows = measured.map(({ figure, rounds }) => {
    const medians = labels.map((label) => median(rounds.get(label) ?? []))
    const cells = [figure.title, ...medians.map((value) => formatValue(value, figure.unit))]
    if (!compared) return cells
    const ratio = medians[0] / medians[1]
    const withRatio = [...cells, Number.isFinite(ratio) ? ratio.toFixed(2) : '–']
    if (!judged) return withRatio
    const { bound, verdict } = judge(figure, ratio, mode)
    return [...withRatio, bound, verdict]
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
