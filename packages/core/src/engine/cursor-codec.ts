import { crc32 } from 'node:zlib'
import type { Sequence, SequenceRange } from '../contracts/sequence.js'
import { BrokerError } from '../errors.js'
import { PAGE_RECORDS, RecordState, type StatePage } from './record-states.js'

/**
 * What is saved of a cursor. Integers are big-endian, sequences float64.
 *
 * ```
 *   head: version u8 = 1 | crc32 u32 of the rest | channel u32 | floor f64 | deliveredUpTo f64
 *         version 2 has behind it: | first f64 | end f64 of a run that is finished, whatever the pages say
 *   page: version u8 = 1 | crc32 u32 of the rest | channel u32 | page u32
 *         | finished: 4,096 bits, record 0 in the lowest bit of the first byte
 *         | entries of 14 bytes: index u16 | deliveries u16 | reserved u16 | due f64, wall-clock ms, 0 when not deferred
 * ```
 */
const VERSION = 1
/** Of a head with a run. One without is written as version 1, which every release reads. */
const RUN_VERSION = 2
const CHECKED_AT = 5
const HEAD_BYTES = CHECKED_AT + 4 + 8 + 8
const RUN_HEAD_BYTES = HEAD_BYTES + 8 + 8
const BITMAP_AT = CHECKED_AT + 8
const BITMAP_BYTES = PAGE_RECORDS / 8
const ENTRIES_AT = BITMAP_AT + BITMAP_BYTES
const ENTRY_BYTES = 14
const ALL_ONES = Buffer.alloc(BITMAP_BYTES, 0xff)

export interface CursorHead {
  readonly floor: Sequence
  /** Everything below was delivered at least once, or was skipped. */
  readonly deliveredUpTo: Sequence
  /** A run above the floor that is finished as a whole, however long, and needs no pages; null when there is none. */
  readonly finishedRun: SequenceRange | null
}

/** One unfinished record that is not simply waiting for the first time. */
export interface CursorEntry {
  readonly index: number
  readonly deliveries: number
  readonly dueAtMs: number
}

export interface CursorPage {
  readonly isAllFinished: boolean
  isFinished(index: number): boolean
  readonly entries: readonly CursorEntry[]
}

export function encodeHead(channel: number, { floor, deliveredUpTo, finishedRun }: CursorHead): Uint8Array {
  const bytes = Buffer.alloc(finishedRun === null ? HEAD_BYTES : RUN_HEAD_BYTES)
  bytes.writeUInt32BE(channel, CHECKED_AT)
  bytes.writeDoubleBE(floor, CHECKED_AT + 4)
  bytes.writeDoubleBE(deliveredUpTo, CHECKED_AT + 12)
  if (finishedRun === null) return seal(bytes, VERSION)
  bytes.writeDoubleBE(finishedRun.first, HEAD_BYTES)
  bytes.writeDoubleBE(finishedRun.end, HEAD_BYTES + 8)
  return seal(bytes, RUN_VERSION)
}

/** @throws BrokerError `E_STORAGE_CORRUPT` */
export function decodeHead(channel: number, value: Uint8Array): CursorHead {
  const hasRun = value[0] === RUN_VERSION
  const bytes = unseal(value, channel, 'head', hasRun ? RUN_HEAD_BYTES : HEAD_BYTES, hasRun ? RUN_VERSION : VERSION)
  return {
    floor: bytes.readDoubleBE(CHECKED_AT + 4),
    deliveredUpTo: bytes.readDoubleBE(CHECKED_AT + 12),
    finishedRun: hasRun ? { first: bytes.readDoubleBE(HEAD_BYTES), end: bytes.readDoubleBE(HEAD_BYTES + 8) } : null,
  }
}

/** `dueAtMs` gives the wall-clock due time of a record that the consumer deferred, 0 for any other. */
export function encodePage(channel: number, page: StatePage, dueAtMs: (sequence: Sequence) => number): Uint8Array {
  const entries: CursorEntry[] = []
  const bitmap = Buffer.alloc(BITMAP_BYTES, page.finished === PAGE_RECORDS ? 0xff : 0)
  const isPlain = (page.marked === 0 && page.deliveries === null) || page.finished === PAGE_RECORDS
  for (let index = 0; index < PAGE_RECORDS && !isPlain; index++) {
    const state = page.states[index]
    if (state === RecordState.finished) {
      bitmap[index >> 3] |= 1 << (index & 7)
      continue
    }
    const deliveries = page.deliveries?.[index] ?? 0
    const due = state === RecordState.deferred ? dueAtMs(page.number * PAGE_RECORDS + index) : 0
    if (deliveries > 0 || due > 0) entries.push({ index, deliveries, dueAtMs: due })
  }
  const bytes = Buffer.alloc(ENTRIES_AT + entries.length * ENTRY_BYTES)
  bytes.writeUInt32BE(channel, CHECKED_AT)
  bytes.writeUInt32BE(page.number % 2 ** 32, CHECKED_AT + 4)
  bitmap.copy(bytes, BITMAP_AT)
  entries.forEach((entry, i) => {
    const at = ENTRIES_AT + i * ENTRY_BYTES
    bytes.writeUInt16BE(entry.index, at)
    bytes.writeUInt16BE(entry.deliveries, at + 2)
    bytes.writeDoubleBE(entry.dueAtMs, at + 6)
  })
  return seal(bytes, VERSION)
}

/** @throws BrokerError `E_STORAGE_CORRUPT` */
export function decodePage(channel: number, number: number, value: Uint8Array): CursorPage {
  const bytes = unseal(value, channel, `page ${number}`, ENTRIES_AT, VERSION)
  if (bytes.readUInt32BE(CHECKED_AT + 4) !== number % 2 ** 32) {
    throw new BrokerError('E_STORAGE_CORRUPT', `cursor page ${number} of channel ${channel} is another page`)
  }
  const entries: CursorEntry[] = []
  for (let at = ENTRIES_AT; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    entries.push({
      index: bytes.readUInt16BE(at),
      deliveries: bytes.readUInt16BE(at + 2),
      dueAtMs: bytes.readDoubleBE(at + 6),
    })
  }
  return {
    isAllFinished: bytes.compare(ALL_ONES, 0, BITMAP_BYTES, BITMAP_AT, ENTRIES_AT) === 0,
    isFinished: (index) => (bytes[BITMAP_AT + (index >> 3)] & (1 << (index & 7))) !== 0,
    entries,
  }
}

function seal(bytes: Buffer, version: number): Buffer {
  bytes[0] = version
  bytes.writeUInt32BE(crc32(bytes.subarray(CHECKED_AT)), 1)
  return bytes
}

function unseal(value: Uint8Array, channel: number, what: string, sizeBytesMin: number, version: number): Buffer {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const fault =
    bytes.length < sizeBytesMin
      ? `is cut off at ${bytes.length} bytes`
      : bytes[0] !== version
        ? `has unknown version ${bytes[0]}`
        : bytes.readUInt32BE(1) !== crc32(bytes.subarray(CHECKED_AT))
          ? 'fails its checksum'
          : bytes.readUInt32BE(CHECKED_AT) !== channel
            ? `belongs to channel ${bytes.readUInt32BE(CHECKED_AT)}`
            : null
  if (fault !== null) throw new BrokerError('E_STORAGE_CORRUPT', `cursor ${what} of channel ${channel} ${fault}`)
  return bytes
}
