import type { Ledgers } from './ledgers.js'

/** What happened in one round. */
export interface RoundFigures {
  readonly round: number
  readonly what: string
  /** Null when the broker was killed before it listened. */
  readonly restartMs: number | null
  readonly acknowledgedCount: number
  readonly deliveredCount: number
  /** What a simulated loss of power took away; 0 also when there was none. */
  readonly droppedBytes: number
}

/** The figures of a whole run. */
export interface CrashReport {
  readonly seed: number
  readonly storage: string
  readonly durability: string
  readonly losesPower: boolean
  readonly rounds: number
  readonly publishedCount: number
  readonly acknowledgedCount: number
  /** Published without an answer before a crash, and delivered all the same: the kill came in between. */
  readonly unansweredDeliveredCount: number
  readonly deliveredCount: number
  readonly finishedCount: number
  /** The most finished messages of one channel that one crash brought back. */
  readonly redeliveredMax: number
  /** Deliveries of what an earlier life had delivered and nobody had finished. */
  readonly unfinishedAgainCount: number
  readonly lostCount: number
  readonly droppedBytes: number
  readonly restartMsMedian: number
  readonly restartMsMax: number
  readonly violations: readonly string[]
  /** Configuration, data path and record of syncs, left for a closer look; null when everything held. */
  readonly directory: string | null
  readonly perRound: readonly RoundFigures[]
}

export type Totals = Pick<
  CrashReport,
  | 'publishedCount'
  | 'acknowledgedCount'
  | 'unansweredDeliveredCount'
  | 'deliveredCount'
  | 'finishedCount'
  | 'redeliveredMax'
  | 'unfinishedAgainCount'
>

export function totalsOf(ledgers: Ledgers): Totals {
  const topics = ledgers.all
  const channels = topics.flatMap(({ everyChannel }) => everyChannel)
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)
  return {
    publishedCount: sum(topics.map(({ next }) => next)),
    acknowledgedCount: sum(topics.map((topic) => topic.acknowledgedCount)),
    unansweredDeliveredCount: sum(topics.map((topic) => topic.unansweredDeliveredCount)),
    deliveredCount: sum(channels.map((channel) => channel.deliveredCount)),
    finishedCount: sum(channels.map((channel) => channel.finishedCount)),
    redeliveredMax: channels.reduce((max, channel) => Math.max(max, channel.redeliveredMax), 0),
    unfinishedAgainCount: sum(channels.map((channel) => channel.unfinishedAgainCount)),
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length === 0) return 0
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** For people. */
export function reportText(report: CrashReport): string {
  const figures: readonly (readonly [string, number | string])[] = [
    ['storage', report.storage],
    ['durability', `${report.durability}${report.losesPower ? ', with losses of power' : ''}`],
    ['seed', report.seed],
    ['rounds', report.rounds],
    ['published', report.publishedCount],
    ['acknowledged', report.acknowledgedCount],
    ['acknowledged and lost', report.lostCount],
    ['not answered before a crash, and delivered all the same', report.unansweredDeliveredCount],
    ['delivered', report.deliveredCount],
    ['finished', report.finishedCount],
    ['finished and delivered again, most for one crash and channel', report.redeliveredMax],
    ['delivered before a crash, not finished, delivered again', report.unfinishedAgainCount],
    ['bytes lost with the power', report.droppedBytes],
    ['start to listening, median ms', Math.round(report.restartMsMedian)],
    ['start to listening, most ms', Math.round(report.restartMsMax)],
  ]
  const lines = figures.map(([name, value]) => `${name.padEnd(62)}${value}`)
  const verdict =
    report.violations.length === 0
      ? ['everything held']
      : ['FAILED:', ...report.violations.map((line) => `  ${line}`), `see ${report.directory}`]
  return [...lines, ...verdict, ''].join('\n')
}
