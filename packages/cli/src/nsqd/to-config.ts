import { resolve } from 'node:path'
import { isSocketPath } from '@spillway/core'
import type { PluginUse, SpillwayConfig } from '@spillway/core/node'
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
  const storage = values.storage ?? 'memory'
  const { durability } = values
  return {
    node,
    storage: {
      use: OWN_STORAGES[storage] ?? storage,
      ...(durability === undefined ? {} : { options: { durability } }),
    },
    transports: listenersOf(values).map(({ use, address }): PluginUse => ({ use, options: { address } })),
  }
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
