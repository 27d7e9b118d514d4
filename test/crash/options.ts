import { parseArgs } from 'node:util'
import type { StorageUse } from './broker-process.js'

export interface CrashOptions {
  readonly seed: number
  readonly rounds: number
  readonly storage: string
  readonly durabilities: readonly string[]
  /** Null: with durability `power` only. */
  readonly losesPower: boolean | null
  /** Null: all scenarios. */
  readonly only: readonly string[] | null
  readonly keepsGoing: boolean
  readonly jsonPath: string | null
}

/** A command line that cannot be followed; its message is for the person who typed it. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const DEFAULT_STORAGE = '@spillway/storage-rocksdb'
const DURABILITIES = ['none', 'process', 'power']

export const HELP = `Kills the broker again and again in the middle of traffic, and checks that it keeps its promises.

  npm run test:crash -- [options]

  --rounds N            kills for each durability (50; or SPILLWAY_CRASH_ROUNDS)
  --seed N              what is drawn (random; or SPILLWAY_CRASH_SEED)
  --storage USE         a package or an absolute path (${DEFAULT_STORAGE})
  --durability LIST     process, power or none, separated by commas; one run for each (process,power)
  --lose-power          most kills are losses of power too, whatever the durability; with power they always are
  --only NAMES          these scenarios: plain, several, deferred, backlog, large, paused,
                        deleted, emptied, ephemeral
  --keep-going          go on when a round has found something wrong, to see what else is
  --json FILE           write all figures, each round of them
  --help                this text

Exits with 0 when everything held, and with 1 when not. A loss of power takes from the files in the
data path's journal folder what was not synced, or a part of it; this needs Linux. The durability none is there to see the checks fail.
`

/** @throws UsageError */
export function parseOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): CrashOptions | 'help' {
  const values = readArgs(args)
  if (values.help === true) return 'help'
  const durabilities = (values.durability ?? 'process,power').split(',')
  for (const durability of durabilities) {
    if (!DURABILITIES.includes(durability)) throw new UsageError(`--durability: there is no "${durability}"`)
  }
  return {
    seed: whole('--seed', values.seed ?? env.SPILLWAY_CRASH_SEED) ?? Math.floor(Math.random() * 2 ** 32),
    rounds: whole('--rounds', values.rounds ?? env.SPILLWAY_CRASH_ROUNDS) ?? 50,
    storage: values.storage ?? DEFAULT_STORAGE,
    durabilities,
    losesPower: values['lose-power'] ?? null,
    only: values.only?.split(',') ?? null,
    keepsGoing: values['keep-going'] === true,
    jsonPath: values.json ?? null,
  }
}

export function storageUse(use: string, durability: string): StorageUse {
  return { use, options: { durability } }
}

function readArgs(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rounds: { type: 'string' },
        seed: { type: 'string' },
        storage: { type: 'string' },
        durability: { type: 'string' },
        'lose-power': { type: 'boolean' },
        only: { type: 'string' },
        'keep-going': { type: 'boolean' },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function whole(flag: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new UsageError(`${flag} is a whole number, not "${text}"`)
  return value
}
