import type { ChannelCounts } from './channel-counts.js'

/**
 * The widths of the columns, in nsq_stat's groups:
 *
 * ```
 * ------rate------+----------------depth----------------+--------------metadata---------------
 * ingress  egress |   total     mem    disk inflt   def |     req     t-o         msgs clients
 * ```
 */
const WIDTHS = [
  [7, 7],
  [7, 7, 7, 5, 5],
  [7, 7, 12, 7],
] as const
const GROUPS = '------rate------+----------------depth----------------+--------------metadata---------------'
const NAMES = [
  ['ingress', 'egress'],
  ['total', 'mem', 'disk', 'inflt', 'def'],
  ['req', 't-o', 'msgs', 'clients'],
]

/** Two lines. */
export const HEADER = `${GROUPS}\n${lineOf(NAMES)}`

/** One line: what has come in and gone out since `before`, and how things stand. */
export function row(before: ChannelCounts, now: ChannelCounts, intervalMs: number): string {
  const incoming = now.messageCount - before.messageCount
  const outgoing = incoming - (now.depth - before.depth)
  return lineOf([
    [perSecond(incoming, intervalMs), perSecond(outgoing, intervalMs)],
    [now.depth, now.memoryDepth, now.backendDepth, now.inFlightCount, now.deferredCount],
    [now.requeueCount, now.timeoutCount, now.messageCount, now.clientCount],
  ])
}

/** Cut to whole ones, and never `-0`. */
function perSecond(count: number, intervalMs: number): number {
  return Math.trunc(count / (intervalMs / 1_000)) + 0
}

function lineOf(groups: readonly (readonly (string | number)[])[]): string {
  const texts = groups.map((cells, group) => cells.map((cell, at) => `${cell}`.padStart(WIDTHS[group][at])).join(' '))
  return `${texts.join(' | ')}\n`
}
