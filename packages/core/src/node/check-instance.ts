import type { Authenticator } from '../contracts/authenticator.js'
import type { Discovery } from '../contracts/discovery.js'
import type { Reporter } from '../contracts/reporter.js'
import type { Storage } from '../contracts/storage.js'
import type { Telemetry } from '../contracts/telemetry.js'
import type { Transport } from '../contracts/transport.js'
import { AUTHENTICATOR, DISCOVERY, QUEUE, REPORTER, STORAGE, TELEMETRY, TRANSPORT } from '../tokens.js'

type Member = 'function' | 'list' | 'object' | 'text or null'

const STORAGE_MEMBERS = {
  capabilities: 'object',
  refusal: 'text or null',
  open: 'function',
  readCatalogue: 'function',
  writeCatalogue: 'function',
  takeLeases: 'function',
  openLog: 'function',
  deleteLog: 'function',
  listLogs: 'function',
  close: 'function',
} as const satisfies Record<keyof Storage, Member>

const TRANSPORT_MEMBERS = {
  start: 'function',
  addresses: 'list',
  drain: 'function',
  stop: 'function',
} as const satisfies Record<keyof Transport, Member>

const DISCOVERY_MEMBERS = {
  settings: 'list',
  start: 'function',
  topicCreated: 'function',
  topicDeleted: 'function',
  channelCreated: 'function',
  channelDeleted: 'function',
  channelsOf: 'function',
  stop: 'function',
} as const satisfies Record<keyof Discovery, Member>

const AUTHENTICATOR_MEMBERS = {
  authenticate: 'function',
  close: 'function',
} as const satisfies Record<keyof Authenticator, Member>

const TELEMETRY_MEMBERS = {
  published: 'function',
  stored: 'function',
  delivered: 'function',
  settled: 'function',
  close: 'function',
} as const satisfies Record<keyof Telemetry, Member>

const REPORTER_MEMBERS = {
  start: 'function',
  stop: 'function',
} as const satisfies Record<keyof Reporter, Member>

const MEMBERS: ReadonlyMap<symbol, Readonly<Record<string, Member>>> = new Map<
  symbol,
  Readonly<Record<string, Member>>
>([
  [STORAGE, STORAGE_MEMBERS],
  [TRANSPORT, TRANSPORT_MEMBERS],
  [DISCOVERY, DISCOVERY_MEMBERS],
  [AUTHENTICATOR, AUTHENTICATOR_MEMBERS],
  [TELEMETRY, TELEMETRY_MEMBERS],
  [REPORTER, REPORTER_MEMBERS],
])

/**
 * What an instance lacks of the contract that it was made for, before anybody stumbles over it; `null` when nothing.
 * Plugins need not be written in TypeScript, so no compiler has looked.
 */
export function missingOf(instance: unknown, contract: symbol): string | null {
  if (contract === QUEUE) return typeof instance === 'function' ? null : 'a queue factory, which is a function'
  if (typeof instance !== 'object' || instance === null) return 'an object'
  const held = instance as Record<string, unknown>
  const missing = Object.entries(MEMBERS.get(contract) ?? {}).filter(([name, kind]) => !isMember(held[name], kind))
  if (missing.length > 0) return missing.map(([name, kind]) => (kind === 'function' ? `${name}()` : name)).join(', ')
  return contract === STORAGE ? missingDurabilities(instance as Storage) : null
}

function isMember(value: unknown, kind: Member): boolean {
  if (kind === 'list') return Array.isArray(value)
  if (kind === 'text or null') return value === null || typeof value === 'string'
  return kind === 'function' ? typeof value === 'function' : typeof value === 'object' && value !== null
}

function missingDurabilities({ capabilities }: Storage): string | null {
  const durabilities: unknown = capabilities.durabilities
  const isOffer = Array.isArray(durabilities) && durabilities.length > 0
  return isOffer && durabilities.every((name) => ['none', 'process', 'power'].includes(name))
    ? null
    : 'capabilities.durabilities (one or more of "none", "process", "power")'
}
