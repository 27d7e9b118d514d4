import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { ConfigSource } from './config.js'
import { findJsonSyntaxError, findRepeatedKeys } from './json-syntax.js'
import { ConfigError, type ConfigProblem } from './problem.js'
import { substituteEnvironment } from './substitute.js'

/** A configuration as it stands in a file, not yet checked. */
export interface RawConfig {
  readonly source: ConfigSource
  readonly value: unknown
  /** What was found already; told together with what is found later. */
  readonly problems: readonly ConfigProblem[]
}

/**
 * Reads a configuration file and puts the environment's variables in.
 * @throws ConfigError it cannot be read, or is not JSON
 */
export async function readConfigFile(
  path: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<RawConfig> {
  const text = await readText(path)
  const { value, substituted, problems } = substituteEnvironment(parse(text, path), env, path)
  const repeated = findRepeatedKeys(text).map(({ line, column, key }) =>
    problem(`${path}:${line}:${column}`, `the key ${JSON.stringify(key)} a second time`, 'each key once in an object'),
  )
  const source = { label: path, folder: dirname(resolve(path)), substituted }
  return { source, value, problems: [...repeated, ...problems] }
}

/** A configuration that does not come from a file: nothing is substituted in it. */
export function configFromValue(value: unknown, label: string, folder: string): RawConfig {
  return { source: { label, folder: resolve(folder), substituted: new Map() }, value, problems: [] }
}

async function readText(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '')
  } catch (error) {
    throw new ConfigError([problem(path, describeReadError(error), 'a JSON file that can be read')], { cause: error })
  }
}

function describeReadError(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'no such file'
    case 'EISDIR':
      return 'a folder'
    case 'EACCES':
    case 'EPERM':
      return 'a file that this user may not read'
    default:
      return String((error as Error).message)
  }
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const place = findJsonSyntaxError(text)
    if (place === null) throw error
    const file = `${path}:${place.line}:${place.column}`
    throw new ConfigError([problem(file, place.found, place.expected)], { cause: error })
  }
}

const problem = (file: string, found: string, expected: string): ConfigProblem => ({
  code: 'E_CONFIG',
  file,
  pointer: '',
  found,
  expected,
})
