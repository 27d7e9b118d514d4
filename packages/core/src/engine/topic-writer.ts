import type { LogStore } from '../contracts/log-store.js'
import type { Lease, Sequence, SequenceRange } from '../contracts/sequence.js'
import type { CatalogueWrite, Durability, Storage } from '../contracts/storage.js'
import { channelWrite, topicWrite } from './catalogue.js'
import { encodeHead, encodePage } from './cursor-codec.js'
import { FRAME_HEADER_BYTES, writeFrame } from './frame.js'
import { PAGE_RECORDS, RecordState, type StatePage } from './record-states.js'

/** What one append holds. */
const CHUNK_BYTES = 1024 * 1024
/** Cursor pages in one save. */
const PAGES_PER_SAVE = 1_000

/** A message that another broker has stored. */
export interface OldMessage {
  /** Unix nanoseconds, as two halves. */
  readonly timestampHigh: number
  readonly timestampLow: number
  /** Deliveries so far. */
  readonly attempts: number
  /** Used up before the next message is asked for. */
  readonly body: Uint8Array
}

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
 * the other, and what waits at the topic itself behind them. To a channel, the records of the others are finished.
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
  async writeChannel(name: string, paused: boolean, messages: AsyncIterable<OldMessage>): Promise<void> {
    const id = this.#storage.takeLeases(1)
    const first = this.#next
    let deliveries: Uint16Array | null = null
    for await (const message of messages) {
      const sequence = this.#next
      await this.#append(message)
      if (message.attempts > 0) {
        deliveries ??= new Uint16Array(PAGE_RECORDS)
        deliveries[sequence % PAGE_RECORDS] = message.attempts
      }
      const isPageEnd = sequence % PAGE_RECORDS === PAGE_RECORDS - 1
      if (deliveries === null || !isPageEnd) continue
      await this.#save(id, first, [statePage(Math.floor(sequence / PAGE_RECORDS), deliveries, NOWHERE)])
      deliveries = null
    }
    this.#channels.push({ name, id, paused, first, end: this.#next, lastDeliveries: deliveries })
  }

  /** Adds what waits at the topic itself, and closes the log. @returns what is to be written to the catalogue */
  async finish(messages: AsyncIterable<OldMessage>): Promise<readonly CatalogueWrite[]> {
    const topicFirst = this.#next
    for await (const message of messages) await this.#append(message)
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
    const others = { first: end, end: topicFirst }
    let pages: StatePage[] = []
    // Its last page is the one that the next queue begins in, unless it was full.
    let deliveries = lastDeliveries
    for (let number = Math.floor(end / PAGE_RECORDS); number * PAGE_RECORDS < topicFirst; number++) {
      pages.push(statePage(number, deliveries, others))
      deliveries = null
      if (pages.length < PAGES_PER_SAVE) continue
      await this.#save(id, floor, pages)
      pages = []
    }
    await this.#save(id, floor, pages)
  }

  async #save(channel: Lease, floor: Sequence, pages: readonly StatePage[]): Promise<void> {
    const encoded = pages.map((page) => [page.number, encodePage(channel, page, () => 0)] as const)
    const head = encodeHead(channel, { floor, deliveredUpTo: floor })
    await this.#store.saveCursor(channel, { head, pages: new Map(encoded) })
  }

  async #append({ timestampHigh, timestampLow, body }: OldMessage): Promise<void> {
    const sizeBytes = FRAME_HEADER_BYTES + body.length
    if (this.#usedBytes + sizeBytes > this.#slab.length) {
      await this.#flush()
      this.#slab = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, sizeBytes))
    }
    const stamp = { timestampHigh, timestampLow }
    writeFrame(this.#slab, this.#usedBytes, stamp, this.#idLease, this.#next, body, 0, body.length)
    this.#usedBytes += sizeBytes
    this.#next++
  }

  async #flush(): Promise<void> {
    const count = this.#next - this.#chunkFirst
    if (count === 0) return
    const frames = this.#slab.subarray(0, this.#usedBytes)
    await this.#store.append({ first: this.#chunkFirst, count, frames, attributes: null })
    this.#chunkFirst = this.#next
    this.#usedBytes = 0
    this.#slab = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  }
}

const NOWHERE: SequenceRange = { first: 0, end: 0 }

/** A page of a cursor of which the records in `finished` are finished. */
function statePage(number: number, deliveries: Uint16Array | null, finished: SequenceRange): StatePage {
  const start = number * PAGE_RECORDS
  const states = new Uint16Array(PAGE_RECORDS)
  const from = Math.max(0, finished.first - start)
  const to = Math.max(from, Math.min(PAGE_RECORDS, finished.end - start))
  states.fill(RecordState.finished, from, to)
  return { number, states, deliveries, marked: to - from, finished: to - from, dirty: true }
}
