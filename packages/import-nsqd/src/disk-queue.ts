import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { OldMessage } from '@spillway/core'
import { onDisk } from './io-error.js'
import type { CountDifference, QueueDamage } from './queue-damage.js'
import { type QueueMeta, readQueueMeta } from './queue-meta.js'

/**
 * One record of a disk queue. Integers are big-endian.
 *
 * ```
 *   0              4               12         14        30
 *   | size int32   | timestamp i64 | attempts | id      | body … |
 * ```
 * `size` counts everything behind itself.
 */
const SIZE_BYTES = 4
const HEADER_BYTES = 26
const READ_BYTES = 256 * 1024

export interface DiskQueueOptions {
  readonly folder: string
  /** That of a topic (`topic`) or of a channel (`topic:channel`). */
  readonly name: string
  /** A record of a larger message is none: nsqd would give it up as well. */
  readonly msgSizeBytesMax: number
}

/** The disk queue of a topic or of a channel, as nsqd left it. */
export class DiskQueue {
  /** Records that were given out. */
  messageCount = 0
  /** Bytes of their bodies. */
  sizeBytes = 0
  readonly damages: QueueDamage[] = []
  readonly #options: DiskQueueOptions
  #meta: QueueMeta | null = null

  constructor(options: DiskQueueOptions) {
    this.#options = options
  }

  /** Once everything was given out: null when nsqd had counted as many, or has not counted. */
  get difference(): CountDifference | null {
    if (this.#meta === null || this.#meta.depth === this.messageCount) return null
    return { queue: this.#options.name, expectedCount: this.#meta.depth, messageCount: this.messageCount }
  }

  /**
   * Its unread records in order, those of one read at a time; a list is used up before the next is asked for.
   * @throws BrokerError `E_STORAGE_IO`, with the path
   */
  async *messages(): AsyncGenerator<readonly OldMessage[]> {
    const existing = await this.#fileNumbers()
    this.#meta = await this.#readMeta()
    const { read, write } = this.#meta ?? { read: null, write: null }
    let next = read?.file ?? existing[0]
    for (const number of existing.filter((each) => each >= next)) {
      this.#requireFiles(next, number)
      yield* this.#fileMessages(number, read?.file === number ? read.offset : 0)
      next = number + 1
    }
    // The file to be written next is made with its first record.
    if (write !== null) this.#requireFiles(next, write.offset > 0 ? write.file + 1 : write.file)
  }

  async #fileNumbers(): Promise<number[]> {
    const { folder, name } = this.#options
    const start = `${name}.diskqueue.`
    return (await onDisk(folder, () => readdir(folder)))
      .filter((file) => file.startsWith(start))
      .map((file) => /^(\d{6,})\.dat$/.exec(file.slice(start.length))?.[1])
      .filter((number) => number !== undefined)
      .map(Number)
      .sort((a, b) => a - b)
  }

  /** Without it nobody knows what was read: everything that is there is given out. */
  async #readMeta(): Promise<QueueMeta | null> {
    const path = this.#pathOf('meta')
    const meta = await readQueueMeta(path)
    if (meta !== 'nonsense') return meta
    this.damages.push({ kind: 'nonsense', path, offset: 0, sizeBytes: (await onDisk(path, () => stat(path))).size })
    return null
  }

  /** Files from `first` on, below `end`, have to be there, and are not. */
  #requireFiles(first: number, end: number): void {
    if (first >= end) return
    const several = end - first > 1 ? { lastPath: this.#pathOf(end - 1) } : {}
    this.damages.push({ kind: 'missing', path: this.#pathOf(first), ...several, offset: 0, sizeBytes: 0 })
  }

  #pathOf(file: number | 'meta'): string {
    const { folder, name } = this.#options
    const part = file === 'meta' ? file : String(file).padStart(6, '0')
    return join(folder, `${name}.diskqueue.${part}.dat`)
  }

  async *#fileMessages(number: number, offset: number): AsyncGenerator<readonly OldMessage[]> {
    const path = this.#pathOf(number)
    const { size } = await onDisk(path, () => stat(path))
    if (offset < size) yield* this.#recordsOf(path, offset, size)
    const write = this.#meta?.write
    if (write?.file === number && size < write.offset) {
      this.damages.push({ kind: 'cut-off', path, offset: size, sizeBytes: write.offset - size })
    } else if (offset > size) {
      this.damages.push({ kind: 'position', path, offset, sizeBytes: offset - size })
    } else if (size === 0 && write !== undefined && number < write.file) {
      // A file is left for the next one only with something in it.
      this.damages.push({ kind: 'cut-off', path, offset: 0, sizeBytes: 0 })
    }
  }

  async *#recordsOf(path: string, offset: number, size: number): AsyncGenerator<readonly OldMessage[]> {
    const recordBytesMax = HEADER_BYTES + this.#options.msgSizeBytesMax
    const file = await onDisk(path, () => open(path))
    try {
      // One buffer for the whole file: with one for each read, collecting them costs more than reading.
      let buffer: Buffer = Buffer.allocUnsafeSlow(READ_BYTES)
      let usedBytes = 0
      let at = offset
      for (;;) {
        const end = at + usedBytes
        const { bytesRead } = await onDisk(path, () => file.read(buffer, usedBytes, buffer.length - usedBytes, end))
        if (bytesRead === 0) break
        usedBytes += bytesRead
        const messages: OldMessage[] = []
        let start = 0
        let recordBytes = 0
        while (usedBytes - start >= SIZE_BYTES) {
          recordBytes = buffer.readInt32BE(start)
          const next = start + SIZE_BYTES + recordBytes
          if (recordBytes < HEADER_BYTES || recordBytes > recordBytesMax || next > usedBytes) break
          messages.push(messageAt(buffer, start + SIZE_BYTES, next))
          start = next
        }
        this.messageCount += messages.length
        this.sizeBytes += start - messages.length * (SIZE_BYTES + HEADER_BYTES)
        if (messages.length > 0) yield messages
        at += start
        usedBytes -= start
        buffer.copyWithin(0, start, start + usedBytes)
        if (usedBytes < SIZE_BYTES) continue
        const fits = at + SIZE_BYTES + recordBytes <= size
        if (recordBytes < HEADER_BYTES || recordBytes > recordBytesMax || !fits) {
          const kind = recordBytes > recordBytesMax && fits ? 'oversized' : 'unreadable'
          this.damages.push({ kind, path, offset: at, sizeBytes: size - at })
          return
        }
        if (SIZE_BYTES + recordBytes > buffer.length) buffer = enlarged(buffer, SIZE_BYTES + recordBytes)
      }
      if (usedBytes > 0) this.damages.push({ kind: 'unreadable', path, offset: at, sizeBytes: usedBytes })
    } finally {
      await file.close()
    }
  }
}

function enlarged(buffer: Buffer, sizeBytes: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(sizeBytes)
  buffer.copy(larger)
  return larger
}

function messageAt(bytes: Buffer, start: number, end: number): OldMessage {
  return {
    timestampHigh: bytes.readUInt32BE(start),
    timestampLow: bytes.readUInt32BE(start + 4),
    attempts: bytes.readUInt16BE(start + 8),
    bytes,
    start: start + HEADER_BYTES,
    end,
  }
}
