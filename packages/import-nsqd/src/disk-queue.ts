import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { OldMessage } from '@spillway/core'

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
const READ_BYTES = 1024 * 1024
/** nsqd's largest message is set by a flag; whatever it was, a record that does not fit its file is none. */
const META_LINES = 3

/** Something of a queue that cannot be read; what follows in the same file is given up with it. */
export interface QueueDamage {
  readonly path: string
  /** Where it begins, and how many bytes of the file lie behind. */
  readonly offset: number
  readonly sizeBytes: number
}

/** A queue's files, and where its unread records begin. */
interface QueueFiles {
  readonly paths: readonly string[]
  /** In the first of them. */
  readonly offset: number
}

/** The disk queue of a topic (`topic`) or of a channel (`topic:channel`), as nsqd left it. */
export class DiskQueue {
  /** Records that were given out. */
  messageCount = 0
  /** Bytes of them. */
  sizeBytes = 0
  readonly damages: QueueDamage[] = []
  readonly #folder: string
  readonly #name: string

  constructor(folder: string, name: string) {
    this.#folder = folder
    this.#name = name
  }

  /** Its unread records, in order. @throws Error when a file cannot be opened */
  async *messages(): AsyncGenerator<OldMessage> {
    const { paths, offset } = await this.#find()
    for (const [index, path] of paths.entries()) yield* this.#fileMessages(path, index === 0 ? offset : 0)
  }

  async #find(): Promise<QueueFiles> {
    const start = `${this.#name}.diskqueue.`
    const numbers = (await readdir(this.#folder))
      .filter((file) => file.startsWith(start))
      .map((file) => /^(\d{6,})\.dat$/.exec(file.slice(start.length))?.[1])
      .filter((number) => number !== undefined)
      .map(Number)
      .sort((a, b) => a - b)
    const meta = await this.#readMeta()
    // Without it nobody knows what was read: everything that is there is given out.
    const readFrom = meta ?? { file: 0, offset: 0 }
    const unread = numbers.filter((number) => number >= readFrom.file)
    const paths = unread.map((number) => join(this.#folder, `${start}${String(number).padStart(6, '0')}.dat`))
    return { paths, offset: unread[0] === readFrom.file ? readFrom.offset : 0 }
  }

  /** Where reading stands. It may lag behind after an unclean stop: then some records come again, as with nsqd. */
  async #readMeta(): Promise<{ file: number; offset: number } | null> {
    try {
      const text = await readFile(join(this.#folder, `${this.#name}.diskqueue.meta.dat`), 'utf8')
      const lines = text.split('\n')
      const [file, offset] = (lines[1] ?? '').split(',').map(Number)
      if (lines.length < META_LINES || !Number.isSafeInteger(file) || !Number.isSafeInteger(offset)) return null
      return { file, offset }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    }
  }

  async *#fileMessages(path: string, offset: number): AsyncGenerator<OldMessage> {
    const { size } = await stat(path)
    let carry: Buffer = Buffer.alloc(0)
    let at = offset
    for await (const part of createReadStream(path, { start: offset, highWaterMark: READ_BYTES })) {
      const bytes: Buffer = carry.length === 0 ? part : Buffer.concat([carry, part])
      let start = 0
      while (bytes.length - start >= SIZE_BYTES) {
        const recordBytes = bytes.readInt32BE(start)
        const end = start + SIZE_BYTES + recordBytes
        if (recordBytes < HEADER_BYTES || at + SIZE_BYTES + recordBytes > size) {
          this.damages.push({ path, offset: at, sizeBytes: size - at })
          return
        }
        if (end > bytes.length) break
        yield messageAt(bytes, start + SIZE_BYTES, end)
        this.messageCount++
        this.sizeBytes += recordBytes
        at += SIZE_BYTES + recordBytes
        start = end
      }
      carry = bytes.subarray(start)
    }
    if (carry.length > 0) this.damages.push({ path, offset: at, sizeBytes: carry.length })
  }
}

function messageAt(bytes: Buffer, start: number, end: number): OldMessage {
  return {
    timestampHigh: bytes.readUInt32BE(start),
    timestampLow: bytes.readUInt32BE(start + 4),
    attempts: bytes.readUInt16BE(start + 8),
    body: bytes.subarray(start + HEADER_BYTES, end),
  }
}
