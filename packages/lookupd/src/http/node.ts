import type * as http from '@spillway/http'
import type { RegistrationDatabase } from '../registrations/registration-database.js'

/** What all requests share. */
export interface LookupdHttpNode extends http.HttpNode {
  readonly database: RegistrationDatabase
  readonly inactiveProducerTimeoutMs: number
  readonly tombstoneLifetimeMs: number
}

export type Exchange = http.HttpExchange<LookupdHttpNode>
export type Route = http.Route<Exchange>
