import { readFileSync } from 'node:fs'
import { nearest } from '@spillway/core/node'
import { parse, TomlError } from 'smol-toml'
import { configKeyOf, NSQD_FLAGS, type NsqdFlag } from './flags.js'
import type { NsqdValues } from './to-config.js'

/** What a configuration file of nsqd says, as its flags would have it. */
export interface ConfigFile {
  readonly values: NsqdValues
  /** A line for each key that no flag has. */
  readonly warnings: readonly string[]
}

/** Flags by their key. These two make no sense in a file. */
const FLAGS = new Map<string, readonly [name: string, flag: NsqdFlag]>(
  Object.entries<NsqdFlag>(NSQD_FLAGS)
    .filter(([name]) => name !== 'config' && name !== 'version')
    .map(([name, flag]) => [configKeyOf(name, flag), [name, flag]]),
)

/**
 * Reads nsqd's TOML file. Keys that no flag has are told and otherwise ignored, as in nsqd.
 * @throws Error with one line that names the file and the place
 */
export function readConfigFile(path: string): ConfigFile {
  const values: Record<string, unknown> = {}
  const warnings: string[] = []
  for (const [key, value] of Object.entries(parseFile(path))) {
    const known = FLAGS.get(key)
    if (known === undefined) {
      const close = nearest(key, [...FLAGS.keys()])
      warnings.push(`${path}: unknown key "${key}"${close === undefined ? '' : `; did you mean "${close}"?`}`)
      continue
    }
    const [name, flag] = known
    try {
      values[name] = parsed(flag, value)
    } catch (error) {
      throw new Error(`failed parsing ${key} ${JSON.stringify(value)}: ${(error as Error).message}`)
    }
  }
  return { values: values as NsqdValues, warnings }
}

function parseFile(path: string): Record<string, unknown> {
  try {
    return parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (!(error instanceof TomlError)) {
      const { code, message } = error as NodeJS.ErrnoException
      throw new Error(code === 'ENOENT' ? 'no such file' : message)
    }
    const [reason] = error.message.split('\n')
    throw new Error(`line ${error.line}, column ${error.column}: ${reason.replace(/^Invalid TOML document: /, '')}`)
  }
}

/** A value as its flag would have it: whole numbers are milliseconds for durations, 1 and 0 are true and false. */
function parsed(flag: NsqdFlag, value: unknown): unknown {
  if (flag.isRepeatable) {
    const items = Array.isArray(value) ? value : String(value).split(',')
    return items.flatMap((item) => flag.parse(String(item).trim()) as unknown[])
  }
  if (typeof value === 'object') throw new Error('expected a single value')
  if (flag.valueName === 'duration' && typeof value === 'number') return value
  return flag.parse(String(value))
}
