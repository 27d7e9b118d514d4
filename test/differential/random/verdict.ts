import { PARTINGS, TAKEN_BACK } from '../differences.js'
import { canonical } from './canonical.js'
import type { Conversation, Move } from './conversation.js'

/** What came of holding ours against the original. */
export interface Verdict {
  /** Documented differences that were seen. */
  readonly known: ReadonlySet<string>
  /** The first line that differs for no documented reason; null when there is none. */
  readonly at: number | null
}

/** A step that did not come to an end, for whatever reason. */
export const STUCK = 'stuck: '

/** Holds two transcripts of the same moves against each other. */
export function judge(
  { kind }: Conversation,
  moves: readonly Move[],
  ours: readonly string[],
  original: readonly string[],
): Verdict {
  const known = new Set<string>()
  for (let at = 0; at < Math.max(ours.length, original.length); at++) {
    const [our, their] = [canonical(ours[at] ?? ''), canonical(original[at] ?? '')]
    // A conversation that nsqd cannot go through to its end is a bad one, whatever ours does.
    if (their.startsWith(STUCK)) return { known, at }
    if (our === their || isTakenBack(our, their, known)) continue
    // Requests are answered each by itself; what is said on a connection leads to what comes next.
    const name = partingOf(kind === 'requests' ? moves.slice(at, at + 1) : moves, our, their)
    if (name === null) return { known, at }
    known.add(name)
    if (kind !== 'requests' || PARTINGS[name].lasts === true) break
  }
  return { known, at: null }
}

/** Whether documented differences, taken back, leave none. */
function isTakenBack(our: string, their: string, known: Set<string>): boolean {
  let line = our
  const names: string[] = []
  for (const [name, takeBack] of Object.entries(TAKEN_BACK)) {
    const taken = takeBack(line)
    if (taken !== line) names.push(name)
    line = taken
  }
  if (line !== their) return false
  for (const name of names) known.add(name)
  return true
}

/** The documented difference that one of the moves may lead to, and that looks like this. */
function partingOf(moves: readonly Move[], our: string, their: string): string | null {
  for (const name of moves.flatMap(({ differs }) => differs)) {
    if (PARTINGS[name].ours.test(our) && PARTINGS[name].original.test(their)) return name
  }
  return null
}
