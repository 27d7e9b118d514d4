import { type ConfigProblem, describeMistake, type JsonSchema, NODE_SCHEMA } from '@spillway/core/node'
import { NSQD_FLAGS, type NsqdFlag } from './flags.js'
import { flagOf, type NsqdValues } from './to-config.js'

const LIMITS: Readonly<Record<string, JsonSchema>> = NODE_SCHEMA.properties

/**
 * A mistake in the configuration, as whoever gave the flags knows it: the flag, what was typed, and the form that the flag
 * takes.
 * @param texts - the flags' values as they were typed
 */
export function describeFlagProblem(
  problem: ConfigProblem,
  values: NsqdValues,
  texts: Readonly<Record<string, string>>,
): string {
  const name = flagOf(problem.pointer, values)
  if (name === null) return `${problem.pointer}: ${describeMistake(problem)}`
  const limit = limitOf(problem, values, texts)
  if (limit !== null) return `--${name}: found ${texts[name] ?? problem.found}, expected ${limit}`
  const { pointer, valueName }: NsqdFlag = (NSQD_FLAGS as Record<string, NsqdFlag>)[name]
  const isNumber = ['duration', 'size', 'int'].includes(valueName)
  if (pointer?.startsWith('/node/') !== true || !isNumber) {
    const typed = isNumber ? { ...problem, found: texts[name] ?? problem.found } : problem
    return `--${name}: ${describeMistake(typed)}`
  }
  const found = texts[name] ?? problem.found
  const { minimum } = LIMITS[pointer.slice('/node/'.length)]
  const isTooLow = typeof minimum === 'number' && Number(problem.found) < minimum
  const expected = isTooLow ? atLeast(minimum, valueName) : problem.expected
  return `--${name}: ${describeMistake({ ...problem, found, expected })}`
}

/** `at most --max-msg-timeout, which is 15m`, for a limit that another flag sets. */
function limitOf(
  { expected }: ConfigProblem,
  values: NsqdValues,
  texts: Readonly<Record<string, string>>,
): string | null {
  const [, bound, key, value] = /^(at most|at least) node\.(\w+), which is (\d+)$/.exec(expected) ?? []
  if (key === undefined) return null
  const name = flagOf(`/node/${key}`, values)
  if (name === null) return null
  const { valueName }: NsqdFlag = (NSQD_FLAGS as Record<string, NsqdFlag>)[name]
  return `${bound} --${name}, which is ${texts[name] ?? (valueName === 'duration' ? durationText(Number(value)) : value)}`
}

const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** As somebody would type it: `15m`, `90s`. */
function durationText(ms: number): string {
  const [unit, unitMs] = UNITS.find(([, each]) => ms > 0 && ms % each === 0) ?? ['ms', 1]
  return `${ms / unitMs}${unit}`
}

function atLeast(minimum: number, valueName: string): string {
  if (valueName === 'duration') return `a duration of at least ${minimum}ms, such as 30s`
  if (valueName === 'size') return `a size of at least ${minimum / 2 ** 20}MiB, such as 512MiB`
  return `a whole number of at least ${minimum}`
}
