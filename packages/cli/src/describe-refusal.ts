import { BrokerError } from '@spillway/core'
import { ConfigError, describeProblem } from '@spillway/core/node'

/** Why a program does not start, for people: a line for each mistake, with its code. */
export function describeRefusal(error: unknown, reason: string): string {
  if (error instanceof ConfigError) {
    return error.problems.map((problem) => `spillway: ${problem.code} ${describeProblem(problem)}\n`).join('')
  }
  const code = error instanceof BrokerError ? `${error.code} ` : ''
  return `spillway: ${code}${reason}\n`
}
