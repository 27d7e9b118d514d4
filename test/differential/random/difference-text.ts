import { type Conversation, type Move, nameOf } from './conversation.js'
import type { Verdict } from './verdict.js'

/** What both answered. */
export interface Played {
  readonly ours: readonly string[]
  readonly original: readonly string[]
  readonly verdict: Verdict
}

const LINES_BEFORE = 2
const LINES_FROM_THERE = 3
const LINE_CHARS_MAX = 1_500
const LOOK_CHARS_MAX = 120

/** The lines that differ, without what conversations call their topics and what is asked for: equal looks are one difference. */
export function lookOf({ ours, original, verdict }: Played): string {
  const at = verdict.at ?? 0
  const [our, their] = [ours, original].map((lines) =>
    (lines[at] ?? 'nothing more')
      .replace(/^([A-Z]+) (\S+) ->/, (_, method, path) => `${method} ${path.split('?')[0]} ->`)
      .replace(/\n {2}(?:content-type|x-nsq-content-type)[^\n]*/g, '')
      .replace(/r\d+[dhps][n.\w-]*/g, 'T')
      .replace(/(?<!-> )\b\d+/g, 'N')
      .replace(/\s+/g, ' ')
      .slice(0, LOOK_CHARS_MAX),
  )
  return `${our} | nsqd: ${their}`
}

/** For people: what it takes, and what both said where they parted. */
export function differenceText(
  conversation: Conversation,
  moves: readonly Move[],
  { ours, original, verdict }: Played,
): string {
  const { kind, seed, number } = conversation
  const at = verdict.at ?? 0
  const shown = (lines: readonly string[]): string =>
    lines
      .slice(Math.max(0, at - LINES_BEFORE), at + LINES_FROM_THERE)
      .map((line) => `    ${line.slice(0, LINE_CHARS_MAX)}`)
      .join('\n')
  return [
    `\nDIFFERENT: ${nameOf(conversation)}; again with --random 1 --only ${kind} --seed ${seed} --number ${number}`,
    `  flags: ${conversation.flags.join(' ')}`,
    `  ${moves.length} of ${conversation.moves.length} moves:`,
    ...moves.map(({ text }) => `    ${text}`),
    '  nsqd:',
    shown(original),
    '  ours:',
    shown(ours),
  ].join('\n')
}
