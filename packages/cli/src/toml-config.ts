import { readFileSync } from 'node:fs'
import { nearest } from '@spillway/core'
import { parse, TomlError } from 'smol-toml'
import { type ConfigFlag, configKeyOf } from './config-flag.js'
import type { FlagValues } from './go-flags.js'

/** What a configuration file says, as the flags of its program would have it. */
export interface TomlConfig<F extends Record<string, ConfigFlag>> {
  readonly values: FlagValues<F>
  /** A line for each key that no flag has. */
  readonly warnings: readonly string[]
}

/** These two make no sense in a file. */
const NOT_IN_FILES: ReadonlySet<string> = new Set(['config', 'version'])

/**
 * Reads a TOML file of NSQ's programs. Keys that no flag has are told and otherwise ignored, as there.
 * @throws Error with one line that names the place
 */
export function readTomlConfig<F extends Record<string, ConfigFlag>>(flags: F, path: string): TomlConfig<F> {
  const known = Object.entries<ConfigFlag>(flags).filter(([name]) => !NOT_IN_FILES.has(name))
  const byKey = new Map(known.map((named) => [configKeyOf(...named), named]))
  const values: Record<string, unknown> = {}
  const warnings: string[] = []
  for (const [key, value] of Object.entries(parseFile(path))) {
    const named = byKey.get(key)
    if (named === undefined) {
      const close = nearest(key, [...byKey.keys()])
      warnings.push(`${path}: unknown key "${key}"${close === undefined ? '' : `; did you mean "${close}"?`}`)
      continue
    }
    const [name, flag] = named
    try {
      values[name] = parsed(flag, value)
    } catch (error) {
      throw new Error(`failed parsing ${key} ${JSON.stringify(value)}: ${(error as Error).message}`)
    }
  }
  return { values: values as FlagValues<F>, warnings }
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
function parsed(flag: ConfigFlag, value: unknown): unknown {
  if (flag.isRepeatable) {
    const items = Array.isArray(value) ? value : String(value).split(',')
    return items.flatMap((item) => flag.parse(String(item).trim()) as unknown[])
  }
  if (typeof value === 'object') throw new Error('expected a single value')
  if (flag.valueName === 'duration' && typeof value === 'number') return value
  return flag.parse(String(value))
}
