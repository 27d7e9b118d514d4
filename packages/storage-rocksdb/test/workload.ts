import type { Chunk, Durability, Lease, LogStore, Random, Sequence, Storage } from '@spillway/core'
import { randomBelow } from '@spillway/core/testing'
import { headAt, type LedgerEvent, pageAt } from './ledger.js'
import { chunkAt } from './sample-log.js'

const LOGS_MAX = 5
const SLAB_BYTES = 512 * 1024
/** A log that is longer is trimmed or deleted before more is appended. */
const RECORDS_MAX = 4000

interface OpenLog {
  readonly log: Lease
  readonly durability: Durability
  store: LogStore
  first: Sequence
  next: Sequence
  channel: Lease
  version: number
}

/** Everything that can be done to a storage, at random, with calls that overlap. */
export class Workload {
  readonly #random: Random
  readonly #note: (event: LedgerEvent) => void
  #storage: Storage
  readonly #logs: OpenLog[] = []
  readonly #running = new Set<Promise<unknown>>()
  #slab = new Uint8Array(SLAB_BYTES)
  #slabUsed = 0

  constructor(storage: Storage, random: Random, note: (event: LedgerEvent) => void) {
    this.#storage = storage
    this.#random = random
    this.#note = note
  }

  /** Does `steps` things at random, and waits for some of them. */
  async run(steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) {
      await this.#step()
      if (this.#below(6) === 0) await new Promise((resolve) => setImmediate(resolve))
      if (this.#below(40) === 0) await this.settle()
    }
  }

  async settle(): Promise<void> {
    await Promise.all(this.#running)
  }

  /** Everything was closed and opened again. */
  reopened(storage: Storage, stores: ReadonlyMap<Lease, LogStore>): void {
    this.#storage = storage
    for (const log of this.#logs) {
      log.store = stores.get(log.log) as LogStore
      log.first = log.store.first
      log.next = Math.max(log.next, log.store.next)
    }
  }

  #below(end: number): number {
    return randomBelow(this.#random, end)
  }

  #run(call: unknown, done: LedgerEvent): void {
    if (call === undefined) {
      this.#note(done)
      return
    }
    const running = Promise.resolve(call).then(() => this.#note(done))
    this.#running.add(running)
    running.finally(() => this.#running.delete(running)).catch(() => undefined)
  }

  async #step(): Promise<void> {
    const what = this.#below(100)
    if (this.#logs.length === 0 || (what < 2 && this.#logs.length < LOGS_MAX)) return await this.#create()
    const log = this.#logs[this.#below(this.#logs.length)]
    if (what < 4) await this.#delete(log)
    else if (what < 60) this.#append(log)
    else if (what < 66) this.#trim(log, log.first + this.#below(log.next - log.first + 1))
    else if (what < 80) this.#erase(log)
    else if (what < 98) this.#save(log)
    else this.#forget(log)
  }

  async #create(): Promise<void> {
    const log = this.#storage.takeLeases(2)
    const durability = (['process', 'process', 'power', 'none'] as const)[this.#below(4)]
    this.#note(['create', log, durability])
    const store = await this.#storage.openLog(log, { durability, epoch: 0 })
    this.#logs.push({ log, durability, store, first: 0, next: 0, channel: log + 1, version: 0 })
  }

  async #delete(log: OpenLog): Promise<void> {
    this.#logs.splice(this.#logs.indexOf(log), 1)
    await log.store.close()
    await this.settle()
    this.#note(['delete', log.log])
    this.#run(this.#storage.deleteLog(log.log), ['deleted', log.log])
  }

  #append(log: OpenLog): void {
    if (log.next - log.first > RECORDS_MAX) this.#trim(log, log.next - this.#below(RECORDS_MAX))
    if (this.#below(30) === 0) log.next += this.#below(20)
    const chunk = this.#inSlab(chunkAt(log.log, log.next, this.#below(3) === 0 ? 1 + this.#below(80) : 1))
    log.next += chunk.count
    this.#note(['append', log.log, chunk.first, chunk.count])
    this.#run(log.store.append(chunk), ['appended', log.log, log.next])
  }

  /** What is published lies in slabs, one record behind the other. */
  #inSlab(chunk: Chunk): Chunk {
    const { frames } = chunk
    if (frames.length > SLAB_BYTES / 4 || this.#below(5) === 0) return chunk
    if (this.#slabUsed + frames.length > SLAB_BYTES) {
      this.#slab = new Uint8Array(SLAB_BYTES)
      this.#slabUsed = 0
    }
    this.#slab.set(frames, this.#slabUsed)
    this.#slabUsed += frames.length
    return { ...chunk, frames: this.#slab.subarray(this.#slabUsed - frames.length, this.#slabUsed) }
  }

  #trim(log: OpenLog, before: Sequence): void {
    log.first = Math.max(log.first, before)
    this.#note(['trim', log.log, before])
    this.#run(log.store.trim(before), ['trimmed', log.log, before])
  }

  /** Most of a region, so that it becomes worth while to move the rest. */
  #erase(log: OpenLog): void {
    let at = log.first + this.#below(log.next - log.first + 1)
    const ranges = []
    for (let count = this.#below(12); count > 0 && at < log.next; count--) {
      const end = Math.min(log.next, at + 1 + this.#below(60))
      this.#note(['erase', log.log, at, end])
      ranges.push({ first: at, end })
      at = end + 1 + this.#below(3)
    }
    if (ranges.length > 0) log.store.erase(ranges)
  }

  #save(log: OpenLog): void {
    const { channel } = log
    const version = log.version++
    this.#note(['save', log.log, channel, version])
    const update = { head: headAt(log.log, channel, version), pages: new Map([pageAt(version)]) }
    this.#run(log.store.saveCursor(channel, update), ['saved', log.log, channel, version])
  }

  #forget(log: OpenLog): void {
    if (log.version === 0) return
    this.#note(['forget', log.log, log.channel])
    this.#run(log.store.deleteCursor(log.channel), ['forgotten', log.log, log.channel])
    log.channel = this.#storage.takeLeases(1)
    log.version = 0
  }
}
