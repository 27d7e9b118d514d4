import { EpsilonGreedy } from './epsilon-greedy.js'
import { HostPool } from './host-pool.js'
import { RoundRobin } from './round-robin.js'

/** How messages are shared out among destinations. */
export const MODES = ['hostpool', 'round-robin', 'epsilon-greedy'] as const
export type Mode = (typeof MODES)[number]

/** What a chooser does not take from the process in a test. */
export interface ChooserSurroundings {
  /** Does not go back. */
  readonly nowMs: () => number
  /** In [0, 1). */
  readonly random: () => number
}

/** Chooses for each message one of several destinations, by their index. */
export interface Chooser {
  next(): number
  /** What came of it. @param tookMs - from {@link next} to the answer */
  succeeded(index: number, tookMs: number): void
  failed(index: number): void
}

/** @param count - of destinations, at least 1 */
export function chooserFor(mode: Mode, count: number, surroundings: ChooserSurroundings): Chooser {
  if (mode === 'round-robin') return new RoundRobin(count)
  const pool = new HostPool(count, surroundings.nowMs)
  return mode === 'hostpool' ? pool : new EpsilonGreedy(pool, count, surroundings)
}
