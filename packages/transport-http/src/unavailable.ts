import { BrokerError, type ErrorCode } from '@spillway/core'

/** What a node cannot do at the moment, as clients are told with 503. nsqd only ever says `EXITING`. */
const UNAVAILABLE: ReadonlyMap<ErrorCode, string> = new Map([
  ['E_EXITING', 'EXITING'],
  ['E_STORAGE_CLOSED', 'EXITING'],
  ['E_MEMORY_FULL', 'MEMORY_FULL'],
  ['E_STORAGE_FULL', 'FULL'],
])

/** Nothing when the error is not one that passes. */
export function unavailableCodeOf(error: unknown): string | undefined {
  return error instanceof BrokerError ? UNAVAILABLE.get(error.code) : undefined
}

/** Why the engine has refused a publish. */
export function reasonOf(error: BrokerError): BrokerError {
  return error.cause instanceof BrokerError ? error.cause : error
}

/** Of a publish that the engine has refused. */
export function failedPublishCodeOf(error: BrokerError): string {
  return unavailableCodeOf(reasonOf(error)) ?? 'PUB_FAILED'
}
