import type { LogStore } from './log-store.js'
import type { Lease } from './sequence.js'

/** What an `OK` promises: `none` may be lost with the process, `process` survives kill -9, `power` survives loss of power. */
export type Durability = 'none' | 'process' | 'power'

/** What a storage can do beyond the contract's core. Read by the engine and by the conformance suite. */
export interface StorageCapabilities {
  /** The durabilities that {@link Storage.openLog} accepts, weakest first; never empty. */
  readonly durabilities: readonly Durability[]
  /**
   * The store keeps the very buffers that it was given for as long as the records are not trimmed. The engine then
   * never drops them to save memory, since that would free nothing.
   */
  readonly resident: boolean
  /** Bytes of records that the store may hold in memory on their way to where they are kept: they count as part of the node's memory. */
  readonly memorySizeBytes: number
  /**
   * What becomes of a publish when the node's memory is full and nothing can be read back later: it is refused, or the
   * oldest messages are dropped for it. Only a resident store has a reason to offer the latter.
   */
  readonly whenFull: 'refuse' | 'drop-oldest'
  /** Opening a log with a higher epoch shuts out its former owner (`E_STORAGE_FENCED`). */
  readonly fencing: boolean
}

export interface OpenLogOptions {
  /** One of the storage's {@link StorageCapabilities.durabilities}. */
  readonly durability: Durability
  /** The owner's epoch, for storages with fencing; a log is opened with an epoch at least as high as the last. */
  readonly epoch: number
}

/** One entry to store, or to forget when `value` is null. */
export interface CatalogueWrite {
  /** At most 256 bytes of UTF-8. */
  readonly key: string
  /** At most 1 MiB. Immutable from here on, and may be kept. */
  readonly value: Uint8Array | null
}

/**
 * Where a node keeps its logs and a small catalogue of what exists. It stores opaque, versioned bytes; core owns their
 * meaning. One process has a storage open at a time; {@link open} refuses a second one (`E_STORAGE_LOCKED`).
 *
 * Order of calls: `open`, then anything, then `close`; that is one life, and a new one takes a new object. Before `open` and after `close` every other method throws or
 * rejects `E_STORAGE_CLOSED`.
 */
export interface Storage {
  readonly capabilities: StorageCapabilities

  /**
   * Why no new record should be appended at the moment, in one line for people: the disk is nearly full, say. Null when
   * all is well. Whoever publishes is refused then (`E_STORAGE_FULL`), and `/ping` says why; cursors, trims and reads go on, and
   * it ends by itself. Cheap: asked at every publish. The storage itself logs when it begins and when it ends.
   */
  readonly refusal: string | null

  /**
   * Takes the storage into use and makes it whole after a crash.
   * @throws BrokerError `E_STORAGE_LOCKED`, `E_STORAGE_IO`, `E_STORAGE_CORRUPT`; the message names the path or the address.
   */
  open(): Promise<void>

  /** All catalogue entries whose key starts with `prefix`, by key in ascending order of UTF-16 code units. @throws BrokerError `E_STORAGE_IO`. */
  readCatalogue(prefix: string): Promise<ReadonlyMap<string, Uint8Array>>

  /**
   * Writes all entries or none, as durable as the strongest durability that the storage is configured for. Calls take
   * effect in call order. Returns nothing when done at once.
   * @throws BrokerError `E_STORAGE_FULL`: surely not written. `E_STORAGE_IO`: unknown.
   */
  writeCatalogue(writes: readonly CatalogueWrite[]): void | Promise<void>

  /**
   * Gives out `count` consecutive leases and returns the first. None of them is ever given out again, whatever
   * crashes. Synchronous: a store that persists its counter reserves ahead.
   * @throws BrokerError `E_STORAGE_FULL`, `E_STORAGE_IO` when nothing could be reserved.
   */
  takeLeases(count: number): Lease

  /**
   * Opens a log, creating it when it does not exist. One log is open at most once at a time.
   * @throws BrokerError `E_STORAGE_IO`, `E_STORAGE_CORRUPT`, `E_STORAGE_FENCED`, `E_INVALID_OPTION` for a durability that is not offered,
   * `E_STORAGE_LOCKED` when it is open already.
   */
  openLog(log: Lease, options: OpenLogOptions): Promise<LogStore>

  /** Deletes a log with its records and cursors; its {@link LogStore} must be closed. Idempotent. A crash may leave parts, which `listLogs` then still names. */
  deleteLog(log: Lease): Promise<void>

  /** Every log that has anything stored, in no order: core deletes those that its catalogue does not know. */
  listLogs(): Promise<readonly Lease[]>

  /** Closes what is open, lets accepted writes settle, releases the lock. Idempotent. */
  close(): Promise<void>
}
