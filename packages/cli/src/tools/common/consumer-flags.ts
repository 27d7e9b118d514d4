import type { ConsumerOptions } from '@spillway/client'
import { type ClientOpt, clientOptFlag, consumerOptionsOf } from './client-opts.js'
import { FatalError } from './fatal-error.js'
import { boolean, integer, texts } from './flag-kinds.js'
import { userAgentOf } from './versions.js'

/** `--version`, which every tool has. */
export const VERSION_FLAG = { version: boolean('print the version and exit') } as const

/** Where the messages come from: exactly one of the two is needed. */
export const SOURCE_FLAGS = {
  'nsqd-tcp-address': texts('address (host:port) of an nsqd'),
  'lookupd-http-address': texts('address (host:port) of an nsqlookupd, which says where the topic is'),
} as const

/** What all tools have that consume. `topic` and `channel` are each tool's own: their defaults and texts differ. */
export const CONSUMER_FLAGS = {
  ...VERSION_FLAG,
  ...SOURCE_FLAGS,
  'max-in-flight': integer('messages that may be in flight at once', '200'),
  'consumer-opt': clientOptFlag('consumer'),
} as const

export const MAX_IN_FLIGHT = 200

export interface SourceValues {
  readonly 'nsqd-tcp-address'?: readonly string[]
  readonly 'lookupd-http-address'?: readonly string[]
}

export interface ConsumerValues extends SourceValues {
  readonly 'max-in-flight'?: number
  readonly 'consumer-opt'?: readonly ClientOpt[]
}

/** @throws FatalError in NSQ's words unless there is exactly one kind of source */
export function requireOneSource(values: SourceValues): void {
  const hasNodes = (values['nsqd-tcp-address'] ?? []).length > 0
  const hasLookup = (values['lookupd-http-address'] ?? []).length > 0
  if (!hasNodes && !hasLookup) throw new FatalError('--nsqd-tcp-address or --lookupd-http-address required')
  if (hasNodes && hasLookup) throw new FatalError('use --nsqd-tcp-address or --lookupd-http-address not both')
}

/** What a consumer is made with, but for topic and channel. */
export type ConsumerBase = Omit<ConsumerOptions, 'topic' | 'channel' | 'maxInFlight'> & { readonly maxInFlight: number }

/** @throws FatalError */
export function consumerBaseOf(tool: string, values: ConsumerValues): ConsumerBase {
  requireOneSource(values)
  const maxInFlight = values['max-in-flight'] ?? MAX_IN_FLIGHT
  if (maxInFlight < 1) throw new FatalError(`--max-in-flight must be at least 1, not ${maxInFlight}`)
  const addresses = values['nsqd-tcp-address'] ?? []
  return {
    // A message that has come often is one that could not be handled often: no reason to drop it, unless somebody says so.
    maxAttempts: 0,
    ...consumerOptionsOf(values['consumer-opt'] ?? [], userAgentOf(tool)),
    ...(addresses.length > 0 ? { addresses } : { lookupdAddresses: values['lookupd-http-address'] ?? [] }),
    maxInFlight,
    closeTimeoutMs: DRAIN_LIMIT_MS,
  }
}

/** How long a tool waits at a signal for what is in flight. */
export const DRAIN_LIMIT_MS = 30_000
