import type { Figure } from '../scenario.js'

/** How much of a backlog had to come from disk: of Spillway what no longer was in memory, of nsqd all. */
export function diskShareFigure(name: string, percent: number): Figure {
  return {
    key: `${name}.disk-share`,
    title: `${name}, share of the backlog on disk alone`,
    unit: '%',
    value: percent,
    better: 'more',
  }
}
