import type { Chunk } from '../contracts/chunk.js'
import type { ChunkAttributes, CursorUpdate, LogStore, SavedCursor } from '../contracts/log-store.js'
import type { Lease, Sequence, SequenceRange } from '../contracts/sequence.js'
import { BrokerError } from '../errors.js'
import type { SimulatedFile } from './simulated-disk.js'
import { type SimulatedFault, SimulatedLane, type SimulatedOperation, type Simulation } from './simulation.js'

/** An open log of a {@link SimulatedStorage}. */
export class SimulatedLog implements LogStore {
  readonly first: Sequence
  readonly next: Sequence
  readonly #simulation: Simulation
  readonly #file: SimulatedFile
  readonly #onClosed: () => void
  readonly #appends: SimulatedLane
  readonly #trims: SimulatedLane
  readonly #cursors = new Map<Lease, SimulatedLane>()
  /** Reads under way. */
  readonly #reads = new Set<SimulatedLane>()
  #appendFault: SimulatedFault | null = null
  #appendedEnd: Sequence
  #closed: Promise<void> | null = null

  constructor(simulation: Simulation, file: SimulatedFile, onClosed: () => void) {
    this.#simulation = simulation
    this.#file = file
    this.#onClosed = onClosed
    this.#appends = new SimulatedLane(simulation)
    this.#trims = new SimulatedLane(simulation)
    this.first = file.trimmedBefore.value
    this.next = file.next
    this.#appendedEnd = this.next
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes
  }

  append(chunk: Chunk): void | Promise<void> {
    this.#requireOpen()
    if (chunk.first < this.#appendedEnd || chunk.count < 1) {
      throw new RangeError(
        `append of ${chunk.count} records at ${chunk.first}, but the log ends at ${this.#appendedEnd}`,
      )
    }
    const fault = this.#simulation.begin('append')
    if (this.#simulation.isCrashed) return new Promise(() => {})
    this.#appendFault ??= fault
    if (this.#appendFault === null) this.#appendedEnd = chunk.first + chunk.count
    const stored = this.#file.handOver(chunk)
    return this.#appends.run({
      operation: 'append',
      fault: this.#appendFault,
      effect: () => void this.#file.chunks.push(stored),
      failed: (code) => {
        if (code === 'E_STORAGE_IO') this.#file.addUnknown(stored)
      },
    })
  }

  read(from: Sequence, sizeBytesMax: number): Promise<readonly Chunk[]> {
    return this.#read(() => this.#file.read(from, sizeBytesMax, this.#simulation.random))
  }

  readAttributes(from: Sequence, sizeBytesMax: number): Promise<readonly ChunkAttributes[]> {
    return this.#read(() => this.#file.readAttributes(from, sizeBytesMax))
  }

  async #read<T>(effect: () => T): Promise<T> {
    this.#requireOpen()
    this.#file.eraseSome(this.#simulation.random)
    // Reads overtake each other and everything else: each has a lane of its own.
    const lane = new SimulatedLane(this.#simulation)
    this.#reads.add(lane)
    try {
      return await lane.run({ operation: 'read', fault: this.#simulation.begin('read'), effect })
    } finally {
      this.#reads.delete(lane)
      this.#simulation.removeLane(lane)
    }
  }

  erase(ranges: readonly SequenceRange[]): void {
    this.#requireOpen()
    if (this.#simulation.isCrashed) return
    this.#file.erase(ranges, this.#simulation.random)
  }

  async trim(before: Sequence): Promise<void> {
    this.#requireOpen()
    const effect = () => {
      if (before > this.#file.trimmedBefore.value) this.#file.trimmedBefore.value = before
    }
    await this.#trims.run({
      operation: 'trim',
      fault: this.#simulation.begin('trim'),
      effect,
      failed: () => this.#simulation.random() < 0.5 && effect(),
    })
  }

  saveCursor(channel: Lease, update: CursorUpdate): void | Promise<void> {
    this.#requireOpen()
    const head = update.head.slice()
    const changes = [...update.pages].map(([number, page]) => [number, page?.slice() ?? null] as const)
    return this.#runCursor(channel, 'saveCursor', () => {
      const pages = new Map(this.#file.cursors.get(channel)?.value?.pages)
      for (const [number, page] of changes) {
        if (page === null) pages.delete(number)
        else pages.set(number, page)
      }
      this.#file.setCursor(channel, { head, pages })
    })
  }

  async loadCursor(channel: Lease): Promise<SavedCursor | null> {
    this.#requireOpen()
    return await this.#runCursor(channel, 'loadCursor', () => this.#file.cursors.get(channel)?.value ?? null)
  }

  async deleteCursor(channel: Lease): Promise<void> {
    this.#requireOpen()
    await this.#runCursor(channel, 'deleteCursor', () => {
      if (this.#file.cursors.has(channel)) this.#file.setCursor(channel, null)
    })
  }

  close(): Promise<void> {
    this.#closed ??= this.#settle()
    return this.#closed
  }

  async #settle(): Promise<void> {
    const lanes = [this.#appends, this.#trims, ...this.#cursors.values(), ...this.#reads]
    await Promise.all(lanes.map((lane) => lane.whenIdle()))
    if (this.#simulation.isCrashed) return new Promise(() => {})
    this.#onClosed()
  }

  #runCursor<T>(channel: Lease, operation: SimulatedOperation, effect: () => T): T | Promise<T> {
    let lane = this.#cursors.get(channel)
    if (lane === undefined) {
      lane = new SimulatedLane(this.#simulation)
      this.#cursors.set(channel, lane)
    }
    return lane.run({ operation, fault: this.#simulation.begin(operation), effect })
  }

  #requireOpen(): void {
    if (this.#closed !== null) throw new BrokerError('E_STORAGE_CLOSED', 'the simulated log is closed')
  }
}
