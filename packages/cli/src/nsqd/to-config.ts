import { resolve } from 'node:path'
import { isSocketPath } from '@spillway/core'
import { halfOfMemoryBytes, type PluginUse, type SpillwayConfig } from '@spillway/core/node'
import type { FlagValues } from '../go-flags.js'
import { NSQD_FLAGS, type NsqdFlag } from './flags.js'

export type NsqdValues = FlagValues<typeof NSQD_FLAGS>

const OWN_STORAGES: Readonly<Record<string, string>> = {
  memory: '@spillway/storage-memory',
  rocksdb: '@spillway/storage-rocksdb',
}

/** The configuration that nsqd's flags describe; relative paths in it are meant relative to the working directory. */
export function configOfFlags(values: NsqdValues): SpillwayConfig {
  const node: Record<string, unknown> = { dataPath: values['data-path'] || '.' }
  for (const [name, value] of Object.entries(values)) {
    const key = /^\/node\/(\w+)$/.exec(pointerOf(name) ?? '')?.[1]
    if (key !== undefined && value !== '') node[key] = value
  }
  const storage = values.storage ?? 'rocksdb'
  if (storage !== 'memory' && node.memorySizeBytesMax === undefined && values['mem-queue-size'] !== undefined) {
    node.memorySizeBytesMax = memorySizeBytesFor(values['mem-queue-size'])
  }
  return {
    node,
    storage: {
      use: OWN_STORAGES[storage] ?? storage,
      ...optionsOf(storage, values),
    },
    transports: listenersOf(values).map(({ use, address }): PluginUse => ({ use, options: { address } })),
  }
}

/** Memory that is enough for little. */
const MEMORY_BYTES_MIN = 128 * 1024 * 1024
/** nsqd keeps `--mem-queue-size` messages of every topic and channel in memory; here all of them share one budget. */
const BYTES_PER_QUEUED = 32 * 1024

function memorySizeBytesFor(memQueueSize: number): number {
  return Math.min(MEMORY_BYTES_MIN + Math.max(0, memQueueSize) * BYTES_PER_QUEUED, halfOfMemoryBytes())
}

function optionsOf(storage: string, values: NsqdValues): { readonly options?: Record<string, unknown> } {
  const options: Record<string, unknown> = {}
  if (values.durability !== undefined) options.durability = values.durability
  if (storage === 'rocksdb' && values['sync-timeout'] !== undefined) options.syncIntervalMs = values['sync-timeout']
  return Object.keys(options).length === 0 ? {} : { options }
}

/** The flag behind a place in {@link configOfFlags}'s configuration, for messages. */
export function flagOf(pointer: string, values: NsqdValues): string | null {
  if (pointer.startsWith('/storage/use')) return 'storage'
  if (pointer === '/transports') return 'tcp-address'
  const listener = /^\/transports\/(\d+)\//.exec(pointer)
  if (listener !== null) return listenersOf(values)[Number(listener[1])]?.flag ?? null
  return Object.keys(NSQD_FLAGS).find((name) => pointerOf(name) === pointer) ?? null
}

interface Listener {
  readonly flag: 'tcp-address' | 'http-address'
  readonly use: string
  readonly address: string
}

function listenersOf(values: NsqdValues): Listener[] {
  const listeners: Listener[] = [
    { flag: 'tcp-address', use: '@spillway/transport-tcp', address: values['tcp-address'] ?? '0.0.0.0:4150' },
    { flag: 'http-address', use: '@spillway/transport-http', address: values['http-address'] ?? '0.0.0.0:4151' },
  ]
  return listeners
    .filter(({ address }) => address !== '')
    .map((listener) => ({ ...listener, address: fromWorkingDirectory(listener.address) }))
}

function pointerOf(name: string): string | undefined {
  return (NSQD_FLAGS as Record<string, NsqdFlag>)[name].pointer
}

/** nsqd takes a relative path of a Unix socket from where it was started; the configuration from the data path. */
function fromWorkingDirectory(address: string): string {
  return isSocketPath(address) ? resolve(address) : address
}
