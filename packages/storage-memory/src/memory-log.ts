import {
  BrokerError,
  type Chunk,
  type ChunkAttributes,
  type CursorUpdate,
  type Lease,
  type LogStore,
  type SavedCursor,
  type Sequence,
  type SequenceRange,
} from '@spillway/core'
import { MemoryRecords } from './memory-records.js'

interface MemoryCursor {
  readonly head: Uint8Array
  readonly pages: Map<number, Uint8Array>
}

/** What is kept of a log, open or not. */
export class MemoryLogState {
  readonly records = new MemoryRecords()
  readonly cursors = new Map<Lease, MemoryCursor>()
  /** The log's owner, `null` while it has none. */
  openAs: MemoryLog | null = null
}

/** A log while it is open. Everything happens at once, in call order. */
export class MemoryLog implements LogStore {
  readonly first: Sequence
  readonly next: Sequence
  readonly #name: string
  /** `null` once closed. */
  #state: MemoryLogState | null

  constructor(name: string, state: MemoryLogState) {
    this.#name = name
    this.#state = state
    this.first = state.records.trimmedBefore
    this.next = state.records.next
    state.openAs = this
  }

  get sizeBytes(): number {
    return this.#state?.records.sizeBytes ?? 0
  }

  append(chunk: Chunk): void {
    this.#open().records.append(chunk)
  }

  async read(from: Sequence, sizeBytesMax: number): Promise<readonly Chunk[]> {
    return this.#open().records.read(from, sizeBytesMax)
  }

  async readAttributes(from: Sequence, sizeBytesMax: number): Promise<readonly ChunkAttributes[]> {
    return this.#open().records.readAttributes(from, sizeBytesMax)
  }

  erase(ranges: readonly SequenceRange[]): void {
    this.#open().records.erase(ranges)
  }

  async trim(before: Sequence): Promise<void> {
    this.#open().records.trim(before)
  }

  saveCursor(channel: Lease, update: CursorUpdate): void {
    const { cursors } = this.#open()
    const pages = cursors.get(channel)?.pages ?? new Map<number, Uint8Array>()
    for (const [number, page] of update.pages) {
      if (page === null) pages.delete(number)
      else pages.set(number, page.slice()) // a copy: unlike a chunk's, these buffers stay the caller's
    }
    cursors.set(channel, { head: update.head.slice(), pages })
  }

  async loadCursor(channel: Lease): Promise<SavedCursor | null> {
    const cursor = this.#open().cursors.get(channel)
    return cursor === undefined ? null : { head: cursor.head, pages: new Map(cursor.pages) }
  }

  async deleteCursor(channel: Lease): Promise<void> {
    this.#open().cursors.delete(channel)
  }

  async close(): Promise<void> {
    if (this.#state !== null) this.#state.openAs = null
    this.#state = null
  }

  #open(): MemoryLogState {
    if (this.#state === null) throw new BrokerError('E_STORAGE_CLOSED', this.#name)
    return this.#state
  }
}
