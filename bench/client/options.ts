import { parseArgs } from 'node:util'
import { UsageError } from '../src/options.js'

export interface ClientBenchOptions {
  readonly messageCount: number
  readonly warmUpCount: number
  readonly bodySizeBytes: number
  readonly inFlight: number
  readonly roundCount: number
  /** Another broker than this checkout's Spillway; it gets nsqd's flags. */
  readonly subject: string | null
}

export const HELP = `Measures @spillway/client beside nsqjs on the same broker, and checks every message.

  npm run bench:client -- [options]

Each library runs in a process of its own, in turn (A B A B …), against one broker with its messages in memory. Printed
are medians and their ratio, which is to be 3 or more.

  --messages N    how many are published and consumed in a round (100000)
  --warm-up N     published and consumed before anything is measured (50000)
  --size BYTES    of a body (200)
  --in-flight N   publishes that are not answered yet, and messages that are not finished yet (1000)
  --rounds N      (3)
  --subject CMD   measure against this broker instead of Spillway; it gets nsqd's flags
  --help
`

/** @throws UsageError */
export function parseOptions(args: readonly string[]): ClientBenchOptions | 'help' {
  const text = { type: 'string' } as const
  let values: Readonly<Record<string, string | boolean | undefined>>
  try {
    values = parseArgs({
      args: [...args],
      options: {
        messages: text,
        'warm-up': text,
        size: text,
        'in-flight': text,
        rounds: text,
        subject: text,
        help: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  if (values.help === true) return 'help'
  const count = (name: string, fallback: number, min = 1): number => {
    const value = values[name]
    if (value === undefined) return fallback
    const number = Number(value)
    if (Number.isInteger(number) && number >= min) return number
    throw new UsageError(`--${name} is a whole number of ${min} or more, not ${value}`)
  }
  return {
    messageCount: count('messages', 100_000),
    warmUpCount: count('warm-up', 50_000, 0),
    bodySizeBytes: count('size', 200, 20),
    inFlight: count('in-flight', 1_000),
    roundCount: count('rounds', 3),
    subject: typeof values.subject === 'string' ? values.subject : null,
  }
}
