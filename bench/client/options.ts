import { CommandLine } from '../src/command-line.js'

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
  const line = new CommandLine(args, ['messages', 'warm-up', 'size', 'in-flight', 'rounds', 'subject'])
  if (line.isGiven('help')) return 'help'
  return {
    messageCount: line.count('messages', 100_000),
    warmUpCount: line.count('warm-up', 50_000, 0),
    bodySizeBytes: line.count('size', 200, 20),
    inFlight: line.count('in-flight', 1_000),
    roundCount: line.count('rounds', 3),
    subject: line.text('subject'),
  }
}
