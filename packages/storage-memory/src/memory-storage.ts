import {
  BrokerError,
  type CatalogueWrite,
  type Clock,
  type Lease,
  type LogStore,
  type OpenLogOptions,
  type Storage,
  type StorageCapabilities,
} from '@spillway/core'
import { MemoryLog, MemoryLogState } from './memory-log.js'

const LEASE_MAX = 2 ** 32 - 1
const LEASES_PER_SECOND = 64

export interface MemoryStorageOptions {
  /** What becomes of a publish when `node.memorySizeBytesMax` is reached. */
  readonly whenFull: StorageCapabilities['whenFull']
}

const DEFAULTS: MemoryStorageOptions = { whenFull: 'refuse' }

/** Keeps everything in memory for as long as it is open. */
export class MemoryStorage implements Storage {
  readonly capabilities: StorageCapabilities
  readonly refusal = null
  readonly #clock: Clock
  #isOpen = false
  #nextLease = 0
  #catalogue = new Map<string, Uint8Array>()
  #logs = new Map<Lease, MemoryLogState>()

  constructor(clock: Clock, { whenFull }: MemoryStorageOptions = DEFAULTS) {
    this.#clock = clock
    this.capabilities = { durabilities: ['none'], resident: true, memorySizeBytes: 0, whenFull, fencing: false }
  }

  async open(): Promise<void> {
    if (this.#isOpen) throw new BrokerError('E_STORAGE_LOCKED', 'this memory storage is open already')
    this.#isOpen = true
    // Leases stand in message ids, which should not repeat after a restart although nothing else is remembered. So they
    // follow the clock, fast enough that a node which took thousands at once may restart within minutes. They come
    // round after a year, always in the lower half of what there is: the upper one is room to go on.
    const fromClock = Math.floor((this.#clock.wallMs() / 1000) * LEASES_PER_SECOND) % 2 ** 31
    this.#nextLease = Math.max(this.#nextLease, fromClock, 1)
  }

  async readCatalogue(prefix: string): Promise<ReadonlyMap<string, Uint8Array>> {
    this.#requireOpen()
    const keys = [...this.#catalogue.keys()].filter((key) => key.startsWith(prefix)).sort()
    return new Map(keys.map((key) => [key, this.#catalogue.get(key) as Uint8Array]))
  }

  writeCatalogue(writes: readonly CatalogueWrite[]): void {
    this.#requireOpen()
    for (const { key, value } of writes) {
      if (value === null) this.#catalogue.delete(key)
      else this.#catalogue.set(key, value)
    }
  }

  takeLeases(count: number): Lease {
    this.#requireOpen()
    const first = this.#nextLease
    if (first + count - 1 > LEASE_MAX) throw new BrokerError('E_STORAGE_FULL', 'all leases are used up')
    this.#nextLease = first + count
    return first
  }

  async openLog(log: Lease, { durability }: OpenLogOptions): Promise<LogStore> {
    this.#requireOpen()
    if (!this.capabilities.durabilities.includes(durability)) {
      throw new BrokerError('E_INVALID_OPTION', `storage-memory offers durability none, not ${durability}`)
    }
    const state = this.#logs.get(log) ?? new MemoryLogState()
    if (state.openAs !== null) throw new BrokerError('E_STORAGE_LOCKED', `log ${log} is open already`)
    this.#logs.set(log, state)
    return new MemoryLog(`log ${log} is closed`, state)
  }

  async deleteLog(log: Lease): Promise<void> {
    this.#requireOpen()
    if (this.#logs.get(log)?.openAs) throw new BrokerError('E_STORAGE_LOCKED', `log ${log} is open`)
    this.#logs.delete(log)
  }

  async listLogs(): Promise<readonly Lease[]> {
    this.#requireOpen()
    return [...this.#logs.keys()]
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    for (const { openAs } of this.#logs.values()) await openAs?.close()
    this.#logs = new Map()
    this.#catalogue = new Map()
  }

  #requireOpen(): void {
    if (!this.#isOpen) throw new BrokerError('E_STORAGE_CLOSED', 'storage-memory is not open')
  }
}
