import type { Authenticator } from './contracts/authenticator.js'
import type { Clock } from './contracts/clock.js'
import type { Discovery } from './contracts/discovery.js'
import type { Logger } from './contracts/logger.js'
import type { QueueFactory } from './contracts/queue.js'
import type { Reporter } from './contracts/reporter.js'
import type { Storage } from './contracts/storage.js'
import type { Telemetry } from './contracts/telemetry.js'
import type { Transport } from './contracts/transport.js'

/** Names a contract in the container. The same contract has the same token in every copy of core. */
export type Token<T> = symbol & { readonly type?: T }

export const token = <T>(name: string): Token<T> => Symbol.for(`spillway.${name}`) as Token<T>

export const STORAGE = token<Storage>('storage')
export const TRANSPORT = token<Transport>('transport')
export const DISCOVERY = token<Discovery>('discovery')
export const QUEUE = token<QueueFactory>('queue')
export const AUTHENTICATOR = token<Authenticator>('authenticator')
export const TELEMETRY = token<Telemetry>('telemetry')
export const REPORTER = token<Reporter>('reporter')
export const CLOCK = token<Clock>('clock')
export const LOGGER = token<Logger>('logger')
