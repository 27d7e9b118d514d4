import type { Address } from './address.js'
import {
  type ConnectionOptions,
  type ConnectionSettings,
  readAddresses,
  readConnectionOptions,
} from './connection-options.js'
import { OptionReader } from './option-reader.js'

/** What a {@link Producer} is made with. Give `address` or `addresses`. */
export interface ProducerOptions extends ConnectionOptions {
  /** Of the node: `host:port`, or the path of a Unix socket. */
  readonly address?: string
  /** Of nodes that stand in for each other: one is used at a time, the next when it fails. */
  readonly addresses?: readonly string[]
  /** Publishes that were sent and not answered yet, on the connection; what comes above waits. Default 10,000. */
  readonly maxInFlight?: number
  /** The bytes of their bodies; a single larger one is sent alone. Default 32 MiB. */
  readonly inFlightBytesMax?: number
  /** Publishes that wait: for a connection, or for room in flight. Above it they are rejected with `E_QUEUE_FULL`. Default 100,000. */
  readonly waitingMax?: number
  /** The bytes of their bodies. Default 256 MiB. */
  readonly waitingBytesMax?: number
  /** A message that is larger is rejected with `E_BAD_MESSAGE` instead of being sent; a node would close the connection. Default: what the node says then. */
  readonly messageSizeBytesMax?: number
  /** From the call to the node's answer. Default 30,000. */
  readonly publishTimeoutMs?: number
  /**
   * What happens to publishes whose connection broke after they were sent and before they were answered. `false`, the default:
   * they are rejected with `E_FATE_UNKNOWN`. `true`: they are sent again, until `publishTimeoutMs`; a message may then be published twice.
   */
  readonly retry?: boolean
  /**
   * What happens to publishes while no node can be connected. `false`, the default: they wait until `publishTimeoutMs`. `true`:
   * once every node has failed, they are rejected as the last one failed, with `E_CONNECT` or what it answered, and so are those that come
   * before the next attempt. None of them was published.
   */
  readonly failFast?: boolean
  /** How long {@link Producer.close} waits for what is on its way. Default 10,000. */
  readonly closeTimeoutMs?: number
}

export interface ProducerSettings {
  readonly connection: ConnectionSettings
  readonly addresses: readonly Address[]
  readonly maxInFlight: number
  readonly inFlightBytesMax: number
  readonly waitingMax: number
  readonly waitingBytesMax: number
  readonly messageSizeBytesMax: number
  readonly publishTimeoutMs: number
  readonly retry: boolean
  readonly failFast: boolean
  readonly closeTimeoutMs: number
}

const GIB = 2 ** 30

/** @throws NsqError `E_INVALID_OPTION` */
export function readProducerOptions(raw: ProducerOptions): ProducerSettings {
  const options = new OptionReader(raw)
  const addresses = readAddresses(options)
  if (raw.address === undefined && raw.addresses === undefined) options.complain('address or addresses is missing')
  const settings = {
    connection: readConnectionOptions(options),
    addresses,
    maxInFlight: options.integer('maxInFlight', { min: 1 }, 10_000),
    inFlightBytesMax: options.integer('inFlightBytesMax', { min: 1, max: GIB }, 32 * 1024 * 1024),
    waitingMax: options.integer('waitingMax', { min: 1 }, 100_000),
    waitingBytesMax: options.integer('waitingBytesMax', { min: 1, max: 8 * GIB }, 256 * 1024 * 1024),
    messageSizeBytesMax: options.integer('messageSizeBytesMax', { min: 1 }, 2 ** 31 - 1),
    publishTimeoutMs: options.integer('publishTimeoutMs', { min: 1 }, 30_000),
    retry: options.boolean('retry', false),
    failFast: options.boolean('failFast', false),
    closeTimeoutMs: options.integer('closeTimeoutMs', { min: 0 }, 10_000),
  }
  options.finish()
  return settings
}
