import type { LogStore } from '../contracts/log-store.js'
import type { Lease, Sequence } from '../contracts/sequence.js'
import type { CatalogueWrite, Durability, OpenLogOptions, Storage, StorageCapabilities } from '../contracts/storage.js'
import { BrokerError } from '../errors.js'
import { SimulatedDisk, SimulatedFile } from './simulated-disk.js'
import { SimulatedLog } from './simulated-log.js'
import { SimulatedLane, type SimulatedOperation, Simulation, type SimulationOptions } from './simulation.js'

export interface SimulatedStorageOptions extends SimulationOptions {
  /** Weakest first; the last one is the catalogue's. Without it, all three. */
  readonly durabilities?: readonly Durability[]
  /** `refuse` without it. */
  readonly whenFull?: StorageCapabilities['whenFull']
  /** Says that nothing is gained by reading back from here. False without it. */
  readonly resident?: boolean
  /** What an earlier storage left. */
  readonly disk?: SimulatedDisk
}

/**
 * A storage that does all that the contract allows a storage to do, and that a real one does once in a year: it is late,
 * it resolves calls on different logs and cursors in any order, it is full, it fails without saying whether it wrote,
 * it joins chunks, and it crashes between any two calls, with part of what it had not resolved written and the rest lost.
 *
 * It is as deterministic as the clock and the randomness that it is given. A life of it ends with {@link close}
 * or {@link crash}; {@link recover} begins the next one on what is left.
 *
 * | at a crash             | durability `process`, `power`              | `none`                            |
 * | ---------------------- | ------------------------------------------ | --------------------------------- |
 * | resolved appends       | stay                                       | the last ones may be lost         |
 * | unresolved appends     | the last ones are lost                     | the last ones are lost            |
 * | cursors, the catalogue | any state from the last resolved one on    | any state since `open`            |
 * | trims                  | may come undone                            | may come undone                   |
 * | what was erased        | may come back                              | may come back                     |
 *
 * Of what may be erased, some goes, some goes later, and some stays.
 */
export class SimulatedStorage implements Storage {
  readonly capabilities: StorageCapabilities
  /** Settable: from now on publishes are refused. Appends are not; they were accepted before. */
  refusal: string | null = null
  readonly #options: SimulatedStorageOptions
  readonly #disk: SimulatedDisk
  readonly #simulation: Simulation
  readonly #catalogue: SimulatedLane
  readonly #files: SimulatedLane
  readonly #openLogs = new Map<Lease, SimulatedLog>()
  #state: 'new' | 'open' | 'closed' = 'new'

  constructor(options: SimulatedStorageOptions) {
    this.#options = options
    this.#disk = options.disk ?? new SimulatedDisk()
    this.#simulation = new Simulation(options, () => this.#leave())
    this.#catalogue = new SimulatedLane(this.#simulation)
    this.#files = new SimulatedLane(this.#simulation)
    this.capabilities = {
      durabilities: options.durabilities ?? ['none', 'process', 'power'],
      resident: options.resident ?? false,
      memorySizeBytes: 0,
      whenFull: options.whenFull ?? 'refuse',
      fencing: false,
    }
  }

  /** Calls so far, `open` and `close` not counted. */
  get callCount(): number {
    return this.#simulation.callCount
  }

  get isCrashed(): boolean {
    return this.#simulation.isCrashed
  }

  /** Crashes just before the call with this number, counted as {@link callCount} does: the first one is 1. */
  set crashAtCall(callCount: number) {
    this.#simulation.crashAtCall = callCount
  }

  /** From now on nothing settles that is not answered at once. */
  hold(): void {
    this.#simulation.isHeld = true
  }

  /** What was held settles now, where its time has come. */
  release(): void {
    this.#simulation.release()
  }

  /** The process dies: no promise settles any more, and calls do nothing. Idempotent. */
  crash(): void {
    this.#simulation.crash()
  }

  /** Crashes if that has not happened, and returns a storage, not open yet, on what survived. */
  recover(options: Partial<SimulatedStorageOptions> = {}): SimulatedStorage {
    if (this.#state !== 'closed') this.crash()
    return new SimulatedStorage({ ...this.#options, ...options, disk: this.#disk })
  }

  /** Fails when a buffer that was handed over with an append was written to afterwards. */
  checkHandedOver(): void {
    this.#disk.check()
  }

  /** From now on reads fail at the chunk that holds `sequence`. */
  corrupt(log: Lease, sequence: Sequence): void {
    const chunk = this.#disk.files.get(log)?.chunks.find(({ first, end }) => first <= sequence && sequence < end)
    if (chunk === undefined) throw new RangeError(`log ${log} has no record ${sequence}`)
    chunk.isCorrupt = true
  }

  async open(): Promise<void> {
    if (this.#disk.owner !== null) throw new BrokerError('E_STORAGE_LOCKED', 'the simulated disk is in use')
    this.#disk.settle(this.#simulation.random)
    this.#disk.owner = this
    this.#state = 'open'
  }

  async readCatalogue(prefix: string): Promise<ReadonlyMap<string, Uint8Array>> {
    this.#requireOpen()
    return await this.#run(this.#catalogue, 'readCatalogue', () => {
      const entries = [...this.#disk.catalogue.value].filter(([key]) => key.startsWith(prefix))
      return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
    })
  }

  writeCatalogue(writes: readonly CatalogueWrite[]): void | Promise<void> {
    this.#requireOpen()
    const copies = writes.map(({ key, value }) => [key, value?.slice() ?? null] as const)
    const effect = () => {
      const entries = new Map(this.#disk.catalogue.value)
      for (const [key, value] of copies) {
        if (value === null) entries.delete(key)
        else entries.set(key, value)
      }
      this.#disk.catalogue.value = entries
      if (!this.#isVolatile) this.#disk.catalogue.settle()
    }
    return this.#run(this.#catalogue, 'writeCatalogue', effect, (code) => {
      if (code === 'E_STORAGE_IO' && this.#simulation.random() < 0.5) effect()
    })
  }

  takeLeases(count: number): Lease {
    this.#requireOpen()
    const fault = this.#simulation.begin('takeLeases')
    if (this.#simulation.isCrashed) throw new BrokerError('E_STORAGE_IO', 'the simulated storage has crashed')
    if (fault !== null) throw new BrokerError(fault, 'simulated failure of takeLeases')
    const first = this.#disk.nextLease
    this.#disk.nextLease += count
    return first
  }

  async openLog(lease: Lease, { durability }: OpenLogOptions): Promise<LogStore> {
    this.#requireOpen()
    if (!this.capabilities.durabilities.includes(durability)) {
      throw new BrokerError('E_INVALID_OPTION', `the simulated storage does not offer durability ${durability}`)
    }
    if (this.#openLogs.has(lease)) throw new BrokerError('E_STORAGE_LOCKED', `log ${lease} is open already`)
    return await this.#run(this.#files, 'openLog', () => {
      const file = this.#disk.files.get(lease) ?? new SimulatedFile()
      this.#disk.files.set(lease, file)
      file.reopen(this.#simulation.random, durability === 'none')
      const log = new SimulatedLog(this.#simulation, file, () => this.#openLogs.delete(lease))
      this.#openLogs.set(lease, log)
      return log
    })
  }

  async deleteLog(lease: Lease): Promise<void> {
    this.#requireOpen()
    if (this.#openLogs.has(lease)) throw new BrokerError('E_STORAGE_LOCKED', `log ${lease} is open`)
    await this.#run(this.#files, 'deleteLog', () => {
      const file = this.#disk.files.get(lease)
      // A crash in the middle of it leaves parts.
      if (this.isCrashed && this.#simulation.random() < 0.5) file?.chunks.splice(0)
      else this.#disk.files.delete(lease)
    })
  }

  async listLogs(): Promise<readonly Lease[]> {
    this.#requireOpen()
    return await this.#run(this.#files, 'listLogs', () =>
      [...this.#disk.files].filter(([, file]) => !file.isEmpty).map(([lease]) => lease),
    )
  }

  async close(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    await Promise.all([this.#catalogue.whenIdle(), this.#files.whenIdle()])
    await Promise.all([...this.#openLogs.values()].map((log) => log.close()))
    if (this.isCrashed) return new Promise(() => {})
    this.#disk.owner = null
  }

  /** Whether even what has resolved in the catalogue can be lost. */
  get #isVolatile(): boolean {
    return this.capabilities.durabilities.at(-1) === 'none'
  }

  #run<T>(
    lane: SimulatedLane,
    operation: SimulatedOperation,
    effect: () => T,
    failed: (code: string) => void = () => {},
  ): T | Promise<T> {
    return lane.run({ operation, fault: this.#simulation.begin(operation), effect, failed })
  }

  /** What becomes of what was resolved, once the lanes have said what became of the rest. */
  #leave(): void {
    const { random } = this.#simulation
    this.#disk.catalogue.goBack(random) // nowhere, unless the catalogue is volatile
    for (const file of this.#disk.files.values()) file.crash(random)
    this.#openLogs.clear()
    this.#disk.owner = null
  }

  #requireOpen(): void {
    if (this.#state !== 'open') throw new BrokerError('E_STORAGE_CLOSED', 'the simulated storage is not open')
  }
}
