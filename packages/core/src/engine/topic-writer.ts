import type { LogStore } from '../contracts/log-store.js'
import type { Lease, Sequence } from '../contracts/sequence.js'
import type { CatalogueWrite, Durability, Storage } from '../contracts/storage.js'
import { channelWrite, topicWrite } from './catalogue.js'
import { type CursorHead, encodeHead, encodePage } from './cursor-codec.js'
import { FRAME_HEADER_BYTES, writeFrame } from './frame.js'
import { PAGE_RECORDS } from './record-states.js'

/** What one append holds. */
const CHUNK_BYTES = 1024 * 1024
/** A message that another broker has stored. */
export interface OldMessage {
  /** Unix nanoseconds, as two halves. */
  readonly timestampHigh: number
  readonly timestampLow: number
  /** Deliveries so far. */
  readonly attempts: number
  /** The body is `bytes[start, end)`. */
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

/** In order, some at a time: each list, with the bytes that it points into, is used up before the next is asked for. */
export type OldMessages = AsyncIterable<readonly OldMessage[]>

export interface TopicWriterOptions {
  readonly durability: Durability
  readonly paused: boolean
}

interface WrittenChannel {
  readonly name: string
  readonly id: Lease
  readonly paused: boolean
  /** Its own records. */
  readonly first: Sequence
  readonly end: Sequence
  /** Of the page in which they end, where that is not full; null when none of them was delivered before. */
  readonly lastDeliveries: Uint16Array | null
}

/**
 * Writes a topic into a storage that no engine has open, from a broker that keeps a queue for each channel: the queues one after
 * the other, and what waits at the topic itself behind them. To a channel, the records of the others are finished: those before
 * its own lie below its floor, those behind are one run in the head of its cursor.
 *
 * ```
 *   log              | queue of "audit" | queue of "mail" | the topic's own |
 *   channel "audit"  ^ floor            | finished …      | waiting         |
 *   channel "mail"                      ^ floor           | waiting         |
 * ```
 * Until {@link finish}'s writes are in the catalogue nothing of it exists: whoever opens the storage sweeps it away.
 */
export class TopicWriter {
  readonly #storage: Storage
  readonly #store: LogStore
  readonly #name: string
  readonly #options: TopicWriterOptions
  readonly #log: Lease
  readonly #idLease: Lease
  readonly #channels: WrittenChannel[] = []
  #slab = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  #usedBytes = 0
  #chunkFirst: Sequence = 0
  #next: Sequence = 0

  private constructor(storage: Storage, store: LogStore, name: string, log: Lease, options: TopicWriterOptions) {
    this.#storage = storage
    this.#store = store
    this.#name = name
    this.#log = log
    this.#idLease = storage.takeLeases(1)
    this.#options = options
  }

  static async create(storage: Storage, name: string, options: TopicWriterOptions): Promise<TopicWriter> {
    const log = storage.takeLeases(1)
    const store = await storage.openLog(log, { durability: options.durability, epoch: 0 })
    return new TopicWriter(storage, store, name, log, options)
  }

  /** Adds a channel and the messages of its queue, in order. */
  async writeChannel(name: string, paused: boolean, messages: OldMessages): Promise<void> {
    const id = this.#storage.takeLeases(1)
    const first = this.#next
    let deliveries: Uint16Array | null = null
    for await (const batch of messages) {
      for (const message of batch) {
        const sequence = this.#next
        const flushed = this.#append(message)
        if (flushed !== undefined) await flushed
        if (message.attempts > 0) {
          deliveries ??= new Uint16Array(PAGE_RECORDS)
          deliveries[sequence % PAGE_RECORDS] = message.attempts
        }
        const isPageEnd = sequence % PAGE_RECORDS === PAGE_RECORDS - 1
        if (deliveries === null || !isPageEnd) continue
        await this.#save(id, { floor: first, deliveredUpTo: first, finishedRun: null }, sequence, deliveries)
        deliveries = null
      }
    }
    this.#channels.push({ name, id, paused, first, end: this.#next, lastDeliveries: deliveries })
  }

  /** Adds what waits at the topic itself, and closes the log. @returns what is to be written to the catalogue */
  async finish(messages: OldMessages): Promise<readonly CatalogueWrite[]> {
    const topicFirst = this.#next
    for await (const batch of messages) {
      for (const message of batch) {
        const flushed = this.#append(message)
        if (flushed !== undefined) await flushed
      }
    }
    await this.#flush()
    for (const channel of this.#channels) await this.#finishChannel(channel, topicFirst)
    await this.#store.close()
    const { durability, paused } = this.#options
    const stands = paused || this.#channels.length === 0
    const leases = [{ lease: this.#idLease, first: 0 }]
    const release = stands ? topicFirst : null
    const channels = this.#channels.map(({ name, id, paused: isPaused, first }) =>
      channelWrite(this.#name, name, { id, paused: isPaused, start: first }),
    )
    return [topicWrite(this.#name, { log: this.#log, leases, durability, paused, release, voids: [] }), ...channels]
  }

  /** What lies between its own records and the topic's is finished. */
  async #finishChannel({ id, first, end, lastDeliveries }: WrittenChannel, topicFirst: Sequence): Promise<void> {
    const floor = first === end ? topicFirst : first
    const finishedRun = floor < topicFirst && end < topicFirst ? { first: end, end: topicFirst } : null
    await this.#save(id, { floor, deliveredUpTo: floor, finishedRun }, end - 1, lastDeliveries)
  }

  /** Saves a cursor's head, and the page of `sequence` where any of its records was delivered before. */
  async #save(channel: Lease, head: CursorHead, sequence: Sequence, deliveries: Uint16Array | null): Promise<void> {
    const pages = new Map<number, Uint8Array>()
    if (deliveries !== null) {
      const number = Math.floor(sequence / PAGE_RECORDS)
      const states = new Uint16Array(PAGE_RECORDS)
      const page = { number, states, deliveries, marked: 0, finished: 0, dirty: true }
      pages.set(
        number,
        encodePage(channel, page, () => 0),
      )
    }
    await this.#store.saveCursor(channel, { head: encodeHead(channel, head), pages })
  }

  #append({ timestampHigh, timestampLow, bytes, start, end }: OldMessage): void | Promise<void> {
    const sizeBytes = FRAME_HEADER_BYTES + end - start
    // What an append has not taken yet stays in the slab that it was given; a new one takes what follows.
    const flushed = this.#usedBytes + sizeBytes > this.#slab.length ? this.#flush() : undefined
    if (sizeBytes > this.#slab.length) this.#slab = Buffer.allocUnsafeSlow(sizeBytes)
    const stamp = { timestampHigh, timestampLow }
    writeFrame(this.#slab, this.#usedBytes, stamp, this.#idLease, this.#next, bytes, start, end - start)
    this.#usedBytes += sizeBytes
    this.#next++
    return flushed
  }

  #flush(): void | Promise<void> {
    const count = this.#next - this.#chunkFirst
    if (count === 0) return
    const frames = this.#slab.subarray(0, this.#usedBytes)
    const chunk = { first: this.#chunkFirst, count, frames, attributes: null }
    this.#chunkFirst = this.#next
    this.#usedBytes = 0
    this.#slab = Buffer.allocUnsafeSlow(CHUNK_BYTES)
    return this.#store.append(chunk)
  }
}
