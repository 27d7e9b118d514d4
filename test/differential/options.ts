import { parseArgs } from 'node:util'
import { KINDS, type Kind } from './random/conversation.js'

/** What one run of the differential test does. */
export interface DifferentialOptions {
  /** Keeps what the original answers, for the test that plays it to ours alone. */
  readonly records: boolean
  /** Null: the cases, not conversations that are drawn. */
  readonly random: RandomOptions | null
}

export interface RandomOptions {
  readonly count: number
  readonly seed: number
  readonly kinds: readonly Kind[]
  /** Only this one of them; null: all. */
  readonly number: number | null
  readonly parallelCount: number
  /** The run ends when so many different differences were found. */
  readonly differencesMax: number
}

/** A command line that cannot be followed; its message is for the person who typed it. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const HELP = `Asks the original nsqd and ours the same, byte by byte, and holds their answers against each other.

  npm run test:differential                              the cases in test/differential/cases
  npm run test:differential -- --record                  the same, and keeps what nsqd answers; npm test plays that to ours
  npm run test:differential -- --random 2000 --seed 7    2000 conversations that are drawn

The original is what SPILLWAY_REAL_NSQD names, or the first nsqd in the PATH that is not ours; it should be 1.3.0.

  --random N        draws and plays N conversations
  --seed N          what is drawn (random): the same seed draws the same conversations
  --only KINDS      some of them, separated by commas
                      commands    what a client may send on a connection: every command in every state, parameters at
                                  their limits, bodies of any shape, garbage, ends in the middle; also in changed streams
                      deliveries  publishers and consumers of one topic; FIN, REQ, TOUCH, pausing, emptying, deleting
                      requests    HTTP: endpoints, methods, paths, queries, bodies
  --number N        only the one with this number; needs --seed, and --only with its kind
  --parallel N      so many at a time (16); requests always go one by one
  --differences N   ends after so many different differences (10)
  --help            this text

A difference that comes again each time is made smaller: what it does not need is left out, and the rest is printed with both
answers. One that docs/compatibility.md has is counted by its name there. What is new is either a mistake of ours, or belongs
on that page and in test/differential/differences.ts. Exits with 0 when nothing is new, and with 1 when something is.
`

/** @throws UsageError */
export function parseOptions(args: readonly string[]): DifferentialOptions | 'help' {
  const values = readArgs(args)
  if (values.help === true) return 'help'
  const records = values.record === true
  const count = whole('--random', values.random)
  if (count === undefined) {
    const useless = (['seed', 'only', 'number', 'parallel', 'differences'] as const).find((name) => values[name])
    if (useless !== undefined) throw new UsageError(`--${useless} goes with --random`)
    return { records, random: null }
  }
  if (records) throw new UsageError('--record goes with the cases, not with --random')
  const kinds = (values.only?.split(',') ?? KINDS) as Kind[]
  for (const kind of kinds) {
    if (!KINDS.includes(kind)) throw new UsageError(`--only: there is no "${kind}", but ${KINDS.join(', ')}`)
  }
  const number = whole('--number', values.number) ?? null
  if (number !== null && (values.seed === undefined || kinds.length > 1)) {
    throw new UsageError('--number goes with --seed and with one kind, --only')
  }
  return {
    records,
    random: {
      count,
      seed: whole('--seed', values.seed) ?? Math.floor(Math.random() * 2 ** 32),
      kinds,
      number,
      parallelCount: Math.max(1, whole('--parallel', values.parallel) ?? 16),
      differencesMax: Math.max(1, whole('--differences', values.differences) ?? 10),
    },
  }
}

function readArgs(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        record: { type: 'boolean' },
        random: { type: 'string' },
        seed: { type: 'string' },
        only: { type: 'string' },
        number: { type: 'string' },
        parallel: { type: 'string' },
        differences: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function whole(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text === '' || !Number.isSafeInteger(value) || value < 0) {
    throw new UsageError(`${flag} is a whole number, not "${text}"`)
  }
  return value
}
