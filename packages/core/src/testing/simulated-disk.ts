import assert from 'node:assert/strict'
import type { Chunk } from '../contracts/chunk.js'
import type { Random } from '../contracts/clock.js'
import type { ChunkAttributes, SavedCursor } from '../contracts/log-store.js'
import type { Lease, Sequence, SequenceRange } from '../contracts/sequence.js'
import { sliceAttributes } from '../engine/attributes.js'
import { BrokerError } from '../errors.js'
import { randomBelow } from './seeded-random.js'
import { withoutRanges } from './sequence-ranges.js'

/** A value, and the values that it had, as far as a crash may bring them back. */
export class Versioned<T> {
  #versions: T[]

  constructor(value: T) {
    this.#versions = [value]
  }

  get value(): T {
    return this.#versions[this.#versions.length - 1]
  }

  set value(value: T) {
    this.#versions.push(value)
  }

  /** Goes back to any version since the last {@link settle}. */
  goBack(random: Random): void {
    this.#versions.length = 1 + randomBelow(random, this.#versions.length)
  }

  /** From here on there is no going back. */
  settle(): void {
    this.#versions = [this.value]
  }
}

/** A chunk as it was when it was handed over, with the buffers in which that happened. */
export class StoredChunk implements Chunk {
  readonly first: Sequence
  readonly count: number
  readonly frames: Uint8Array
  readonly attributes: Uint8Array | null
  isCorrupt = false
  readonly #handedOver: Chunk

  constructor(chunk: Chunk) {
    this.first = chunk.first
    this.count = chunk.count
    this.frames = new Uint8Array(chunk.frames)
    this.attributes = chunk.attributes === null ? null : new Uint8Array(chunk.attributes)
    // Its own object: whoever appends may use the chunk object, unlike the buffers, again.
    this.#handedOver = { ...chunk, frames: chunk.frames, attributes: chunk.attributes }
  }

  get end(): Sequence {
    return this.first + this.count
  }

  get sizeBytes(): number {
    return this.frames.length + (this.attributes?.length ?? 0)
  }

  /** Copies, so that nothing can reach what is stored. */
  copy(): Chunk {
    const { first, count, frames, attributes } = this
    return { first, count, frames: frames.slice(), attributes: attributes?.slice() ?? null }
  }

  /** A copy of the records `[first, end)`, which must be some of its own. */
  cut({ first, end }: SequenceRange): Chunk {
    if (first === this.first && end === this.end) return this.copy()
    const from = first - this.first
    const to = end - this.first
    const frames = this.frames.slice(this.#offsetOf(from), this.#offsetOf(to))
    const attributes = this.attributes === null ? null : sliceAttributes(this.attributes, from, to)
    return { first, count: end - first, frames, attributes }
  }

  #offsetOf(index: number): number {
    const view = new DataView(this.frames.buffer)
    let at = 0
    for (let i = 0; i < index; i++) at += 4 + view.getInt32(at)
    return at
  }

  /** Fails when somebody wrote into the buffers after they were handed over. */
  check(): void {
    const { frames, attributes } = this.#handedOver
    const same =
      Buffer.compare(frames, this.frames) === 0 && Buffer.compare(attributes ?? EMPTY, this.attributes ?? EMPTY) === 0
    assert.ok(same, `records ${this.first} to ${this.end - 1} were changed after they had been appended`)
  }
}

const EMPTY = new Uint8Array(0)

/** One log as it lies on the simulated disk. */
export class SimulatedFile {
  /** Trimmed ones stay until the log is opened again: a crash may bring them back. */
  chunks: StoredChunk[] = []
  readonly trimmedBefore = new Versioned<Sequence>(0)
  readonly cursors = new Map<Lease, Versioned<SavedCursor | null>>()
  /** Records that are gone, although what lies around them is there: a crash may bring them back. */
  readonly #erased = new Versioned<readonly SequenceRange[]>([])
  /** May be erased at any time, or never. */
  #toErase: SequenceRange[] = []
  /** Failed with `E_STORAGE_IO`; some of them may be there when the log is opened again. */
  #unknown: StoredChunk[] = []
  #handedOver: StoredChunk[] = []
  /** How many chunks no crash can take. */
  #safeCount = 0
  #isVolatile = false

  get next(): Sequence {
    return Math.max(this.trimmedBefore.value, this.chunks.at(-1)?.end ?? 0)
  }

  get sizeBytes(): number {
    return this.chunks.reduce((sum, chunk) => (chunk.end > this.trimmedBefore.value ? sum + chunk.sizeBytes : sum), 0)
  }

  get isEmpty(): boolean {
    return this.chunks.length === 0 && this.trimmedBefore.value === 0 && this.cursors.size === 0
  }

  handOver(chunk: Chunk): StoredChunk {
    const stored = new StoredChunk(chunk)
    this.#handedOver.push(stored)
    return stored
  }

  addUnknown(chunk: StoredChunk): void {
    // A second try of what failed before is not written a second time.
    if (chunk.first >= (this.#unknown.at(-1)?.end ?? this.next)) this.#unknown.push(chunk)
  }

  /** The storage is opened: what lies here now is all there is, and safe. */
  settle(random: Random): void {
    this.check()
    this.#handedOver = []
    this.reopen(random, false)
    this.trimmedBefore.settle()
    this.#toErase = []
    this.#erased.settle()
    // Some of the trimmed chunks are still there. What counts is that none above is missing.
    const trimmedCount = this.chunks.filter((chunk) => chunk.end <= this.trimmedBefore.value).length
    this.chunks = this.chunks.slice(randomBelow(random, trimmedCount + 1))
    this.#makeSafe()
    for (const [channel, cursor] of this.cursors) if (cursor.value === null) this.cursors.delete(channel)
  }

  /** The log is opened: appends of which nobody knew whether they were written are there, or are not. */
  reopen(random: Random, isVolatile: boolean): void {
    this.chunks.push(...this.#unknown.slice(0, randomBelow(random, this.#unknown.length + 1)))
    this.#unknown = []
    if (!this.#isVolatile) this.#makeSafe()
    this.#isVolatile = isVolatile
  }

  /** With durability none, this takes the last of what was resolved, too. */
  crash(random: Random): void {
    this.trimmedBefore.goBack(random)
    this.#erased.goBack(random)
    if (!this.#isVolatile) return
    for (const cursor of this.cursors.values()) cursor.goBack(random)
    const keptCount = this.#safeCount + randomBelow(random, this.chunks.length - this.#safeCount + 1)
    if (keptCount < this.chunks.length) this.#unknown = []
    this.chunks.length = keptCount
    this.#isVolatile = false
    // What was lost may be appended anew, and is not erased then.
    const { next } = this
    this.#erased.value = this.#erased.value.filter(({ end }) => end <= next)
  }

  setCursor(channel: Lease, cursor: SavedCursor | null): void {
    const versions = this.cursors.get(channel) ?? new Versioned<SavedCursor | null>(null)
    versions.value = cursor
    if (!this.#isVolatile) versions.settle()
    this.cursors.set(channel, versions)
  }

  #makeSafe(): void {
    this.#safeCount = this.chunks.length
    for (const cursor of this.cursors.values()) cursor.settle()
  }

  read(from: Sequence, sizeBytesMax: number, random: Random): readonly Chunk[] {
    const found: Chunk[] = []
    let sizeBytes = 0
    for (const { chunk, range } of this.#piecesFrom(from)) {
      if (found.length > 0 && chunk.isCorrupt) break
      const piece = readable(chunk).cut(range)
      if (found.length > 0 && sizeBytes + piece.frames.length > sizeBytesMax) break
      sizeBytes += piece.frames.length
      const last = found.at(-1)
      // A store may join chunks; now and then this one does.
      if (last !== undefined && canJoin(last, piece) && random() < 0.25) found[found.length - 1] = join(last, piece)
      else found.push(piece)
    }
    return found
  }

  readAttributes(from: Sequence, sizeBytesMax: number): readonly ChunkAttributes[] {
    const found: ChunkAttributes[] = []
    let sizeBytes = 0
    for (const { chunk, range } of this.#piecesFrom(from)) {
      if (found.length > 0 && chunk.isCorrupt) break
      const { first, count, attributes } = readable(chunk).cut(range)
      if (attributes === null) continue
      if (found.length > 0 && sizeBytes + attributes.length > sizeBytesMax) break
      sizeBytes += attributes.length
      found.push({ first, count, attributes })
    }
    return found
  }

  /** What is left of the chunks that end above `from`, in order. */
  *#piecesFrom(from: Sequence): Generator<{ readonly chunk: StoredChunk; readonly range: SequenceRange }> {
    const above = Math.max(from, this.trimmedBefore.value)
    for (const chunk of this.chunks) {
      if (chunk.end <= above) continue
      for (const range of withoutRanges(this.#erased.value, chunk.first, chunk.end)) {
        if (range.end > above) yield { chunk, range }
      }
    }
  }

  /** These records may go. */
  erase(ranges: readonly SequenceRange[], random: Random): void {
    this.#toErase.push(...ranges)
    this.eraseSome(random)
  }

  /** Takes up some of the advice, of some of it a part, and leaves some for later. */
  eraseSome(random: Random): void {
    for (const { first, end } of this.#toErase.splice(0)) {
      const later = random() < 0.25
      const from = random() < 0.5 ? first : first + randomBelow(random, end - first)
      const to = random() < 0.5 ? end : from + 1 + randomBelow(random, end - from)
      if (later) this.#toErase.push({ first, end })
      else this.#erased.value = [...this.#erased.value, { first: from, end: to }]
    }
  }

  check(): void {
    for (const chunk of this.#handedOver) chunk.check()
  }
}

/** @throws BrokerError `E_STORAGE_CORRUPT` */
function readable(chunk: StoredChunk): StoredChunk {
  if (chunk.isCorrupt) throw new BrokerError('E_STORAGE_CORRUPT', `simulated damage at record ${chunk.first}`)
  chunk.check()
  return chunk
}

function canJoin(a: Chunk, b: Chunk): boolean {
  return a.attributes === null && b.attributes === null && a.first + a.count === b.first
}

function join(a: Chunk, b: Chunk): Chunk {
  const frames = new Uint8Array(a.frames.length + b.frames.length)
  frames.set(a.frames)
  frames.set(b.frames, a.frames.length)
  return { first: a.first, count: a.count + b.count, frames, attributes: null }
}

/** What a simulated storage leaves behind when it is closed or crashes. */
export class SimulatedDisk {
  readonly files = new Map<Lease, SimulatedFile>()
  readonly catalogue = new Versioned<ReadonlyMap<string, Uint8Array>>(new Map())
  nextLease: Lease = 1
  /** Whoever has it open. */
  owner: object | null = null

  settle(random: Random): void {
    this.catalogue.settle()
    for (const file of this.files.values()) file.settle(random)
    this.nextLease += randomBelow(random, 3) // as of a store that reserves leases ahead
  }

  check(): void {
    for (const file of this.files.values()) file.check()
  }
}
