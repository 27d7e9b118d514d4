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
  const { pointer, valueName }: NsqdFlag = (NSQD_FLAGS as Record<string, NsqdFlag>)[name]
  const isNumber = pointer?.startsWith('/node/') === true && ['duration', 'size', 'int'].includes(valueName)
  if (!isNumber) return `--${name}: ${describeMistake(problem)}`
  const found = texts[name] ?? problem.found
  const { minimum } = LIMITS[pointer.slice('/node/'.length)]
  const isTooLow = typeof minimum === 'number' && Number(problem.found) < minimum
  const expected = isTooLow ? atLeast(minimum, valueName) : problem.expected
  return `--${name}: ${describeMistake({ ...problem, found, expected })}`
}

function atLeast(minimum: number, valueName: string): string {
  if (valueName === 'duration') return `a duration of at least ${minimum}ms, such as 30s`
  if (valueName === 'size') return `a size of at least ${minimum / 2 ** 20}MiB, such as 512MiB`
  return `a whole number of at least ${minimum}`
}
