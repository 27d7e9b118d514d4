import { resolve } from 'node:path'
import { isSocketPath, parseHostAndPort } from '@spillway/core'
import { halfOfMemoryBytes, memorySizeBytesForBodies, type PluginUse, type SpillwayConfig } from '@spillway/core/node'
import type { FlagValues } from '../go-flags.js'
import { NSQD_FLAGS, type NsqdFlag } from './flags.js'
import { tlsOf, tlsRequirementOf } from './tls-flags.js'

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
  const percentiles = values['e2e-processing-latency-percentile']
  if (percentiles !== undefined) node.e2eLatencyQuantiles = percentiles.map(Number)
  const storage = values.storage ?? 'rocksdb'
  if (storage !== 'memory' && node.memorySizeBytesMax === undefined && values['mem-queue-size'] !== undefined) {
    node.memorySizeBytesMax = memorySizeBytesFor(values['mem-queue-size'], values)
  }
  return {
    node,
    storage: {
      use: OWN_STORAGES[storage] ?? storage,
      ...optionsOf(storage, values),
    },
    discovery: [discoveryOf(values)],
    ...authenticatorOf(values),
    ...reportersOf(values),
    transports: listenersOf(values).map(
      ({ use, address, options }): PluginUse => ({ use, options: { address, ...options } }),
    ),
  }
}

/** Memory that is enough for little. */
const MEMORY_BYTES_MIN = 128 * 1024 * 1024
/** nsqd keeps `--mem-queue-size` messages of every topic and channel in memory; here all of them share one budget. */
const BYTES_PER_QUEUED = 32 * 1024

function memorySizeBytesFor(memQueueSize: number, values: NsqdValues): number {
  const forQueues = Math.min(MEMORY_BYTES_MIN + Math.max(0, memQueueSize) * BYTES_PER_QUEUED, halfOfMemoryBytes())
  const bodySizeBytesMax = Math.max(values['max-msg-size'] ?? 0, values['max-body-size'] ?? 0)
  return Math.max(forQueues, memorySizeBytesForBodies(bodySizeBytesMax))
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
  const [, option] = /^\/(?:reporters\/0|discovery\/0|authenticator)\/options\/(\w+)/.exec(pointer) ?? []
  if (option !== undefined) return PLUGIN_FLAGS[option] ?? null
  return Object.keys(NSQD_FLAGS).find((name) => pointerOf(name) === pointer) ?? null
}

/** The flags behind the options of the authenticator, the discovery and the reporter. */
const PLUGIN_FLAGS: Readonly<Record<string, keyof typeof NSQD_FLAGS>> = {
  addresses: 'auth-http-address',
  requestMethod: 'auth-http-request-method',
  connectTimeoutMs: 'http-client-connect-timeout',
  requestTimeoutMs: 'http-client-request-timeout',
  rootCaPath: 'tls-root-ca-file',
  tcpAddresses: 'lookupd-tcp-address',
  httpConnectTimeoutMs: 'http-client-connect-timeout',
  httpRequestTimeoutMs: 'http-client-request-timeout',
  address: 'statsd-address',
  prefix: 'statsd-prefix',
  intervalMs: 'statsd-interval',
  memStats: 'statsd-mem-stats',
  packetSizeBytes: 'statsd-udp-packet-size',
  excludeEphemeral: 'statsd-exclude-ephemeral',
}

/** It is there without an address, too: `/config` may name some later. */
function discoveryOf(values: NsqdValues): PluginUse {
  const options = given({
    tcpAddresses: values['lookupd-tcp-address']?.filter(isPeerAddress),
    httpConnectTimeoutMs: positive(values['http-client-connect-timeout']),
    httpRequestTimeoutMs: positive(values['http-client-request-timeout']),
  })
  return { use: '@spillway/discovery-nsqlookupd', options }
}

function authenticatorOf(values: NsqdValues): { readonly authenticator?: PluginUse } {
  const addresses = values['auth-http-address']
  if (addresses === undefined || addresses.length === 0) return {}
  const rootCa = values['tls-root-ca-file']
  const options = given({
    addresses,
    requestMethod: values['auth-http-request-method'],
    connectTimeoutMs: positive(values['http-client-connect-timeout']),
    requestTimeoutMs: positive(values['http-client-request-timeout']),
    rootCaPath: rootCa ? resolve(rootCa) : undefined,
  })
  return { authenticator: { use: '@spillway/auth-nsq', options } }
}

/** No limit, in nsqd. Here every wait has one: that of the default. */
function positive(timeoutMs: number | undefined): number | undefined {
  return timeoutMs !== undefined && timeoutMs > 0 ? timeoutMs : undefined
}

/** What Go buffers where it is told to buffer nothing. */
const GO_BUFFER_SIZE_BYTES = 4096

/** Whether statsd or an nsqlookupd can be reached there. nsqd runs without it where it cannot. */
export function isPeerAddress(address: string | undefined): address is string {
  return address !== undefined && parseHostAndPort(address) !== null
}

function reportersOf(values: NsqdValues): { readonly reporters?: readonly PluginUse[] } {
  const address = values['statsd-address']
  if (!isPeerAddress(address)) return {}
  const packetSizeBytes = values['statsd-udp-packet-size']
  const options = given({
    address,
    prefix: values['statsd-prefix'],
    intervalMs: values['statsd-interval'],
    memStats: values['statsd-mem-stats'],
    packetSizeBytes: packetSizeBytes !== undefined && packetSizeBytes <= 0 ? GO_BUFFER_SIZE_BYTES : packetSizeBytes,
    excludeEphemeral: values['statsd-exclude-ephemeral'],
  })
  return { reporters: [{ use: '@spillway/reporter-statsd', options }] }
}

interface Listener {
  readonly flag: 'tcp-address' | 'http-address' | 'https-address'
  readonly use: string
  readonly address: string
  readonly options: Readonly<Record<string, unknown>>
}

const TCP = '@spillway/transport-tcp'
const HTTP = '@spillway/transport-http'

function listenersOf(values: NsqdValues): Listener[] {
  const tls = tlsOf(values)
  const required = tlsRequirementOf(values)
  const { snappy, deflate } = values
  const connectionsMax = values['max-connections']
  const tcp = given({ connectionsMax, tls, tlsRequired: required === 'none' ? undefined : true, snappy, deflate })
  const both = { authenticate: values['http-auth'], debug: values['http-debug'] }
  const http = given({ ...both, tlsRequired: required === 'everywhere' ? true : undefined })
  const listeners: Listener[] = [
    { flag: 'tcp-address', use: TCP, address: values['tcp-address'] ?? '0.0.0.0:4150', options: tcp },
    { flag: 'http-address', use: HTTP, address: values['http-address'] ?? '0.0.0.0:4151', options: http },
  ]
  if (tls !== undefined) {
    const address = values['https-address'] ?? '0.0.0.0:4152'
    listeners.push({ flag: 'https-address', use: HTTP, address, options: given({ ...both, tls }) })
  }
  return listeners
    .filter(({ address }) => address !== '')
    .map((listener) => ({ ...listener, address: fromWorkingDirectory(listener.address) }))
}

/** Without what is undefined. */
function given(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function pointerOf(name: string): string | undefined {
  return (NSQD_FLAGS as Record<string, NsqdFlag>)[name].pointer
}

/** nsqd takes a relative path of a Unix socket from where it was started; the configuration from the data path. */
function fromWorkingDirectory(address: string): string {
  return isSocketPath(address) ? resolve(address) : address
}
