import { BrokerError } from '@spillway/core'

/**
 * Why a broker could not start, in one line: for errors that say so themselves, ours and the system's, also from a plugin
 * with its own copy of core. `null` for anything else, which is a mistake in a program and needs its stack.
 */
export function describeStartError(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  if (error instanceof BrokerError) return error.detail
  if (error.name === 'BrokerError' && 'detail' in error) return String(error.detail)
  return 'code' in error && !(error instanceof TypeError) ? error.message : null
}
