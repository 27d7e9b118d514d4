import type { Step } from '../case.js'

export const KINDS = ['commands', 'deliveries', 'requests'] as const
export type Kind = (typeof KINDS)[number]

/** One thing that is done in a conversation. */
export interface Move {
  /** For people. */
  readonly text: string
  /** The rows of docs/compatibility.md that it may lead to, by their first cells. */
  readonly differs: readonly string[]
}

/** What a seed has made: moves that become steps. Without some of its moves it is a smaller conversation. */
export interface Conversation<M extends Move = Move> {
  readonly kind: Kind
  /** What it was drawn with: the same again gives the same conversation. */
  readonly seed: number
  readonly number: number
  /** Of both brokers. */
  readonly flags: readonly string[]
  /** That it may create. They are its own, so that conversations do not meet. */
  readonly topics: readonly string[]
  readonly moves: readonly M[]
  /** Null: what would come of these moves is a matter of luck. */
  stepsOf(moves: readonly M[]): readonly Step[] | null
}

export const nameOf = ({ kind, seed, number }: Conversation): string => `${kind} ${number} of seed ${seed}`
