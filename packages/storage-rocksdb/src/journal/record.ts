import { crc32 } from 'node:zlib'
import type { Lease, Sequence } from '@spillway/core'

/**
 * One record of the journal. Integers are big-endian.
 *
 * ```
 *   0       4       8        12       16     17        18         20      24
 *   | magic | crc32 | file   | synced | kind | version | reserved | log   |
 *   | SWJ1  | u32   | u32    | u32    | u8   | u8 = 1  | u16 = 0  | u32   |
 *   24               32      36                40              44         48
 *   | first          | count | attributesBytes | payloadBytes  | reserved |
 *   | u64            | u32   | u32             | u32           | u32 = 0  |
 *   48
 *   | attributes … | payload …
 * ```
 * The checksum covers everything behind itself. `file` is the number of the file that the record was written to, so that what is left of another one is
 * not taken for a record. `synced` says how many bytes of this file were on the disk itself when the record was written:
 * damage below that is damage, damage above it is what a loss of power leaves.
 */
export const RECORD_HEADER_BYTES = 48
const MAGIC = 0x53574a31
const VERSION = 1
const CHECKED_AT = 8

export const RecordKind = {
  /** The first record of a file; `first` is where the file before it ends, `count` is 1 when what came before is in RocksDB. */
  fileStart: 1,
  /** A run of messages: payload is the frames, attributes the side table. */
  chunk: 2,
  /** Keys and values, for which see `value-list.ts`. */
  values: 3,
} as const
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind]

export interface RecordHeader {
  readonly file: number
  readonly syncedBytes: number
  readonly kind: RecordKind
  readonly log: Lease
  readonly first: Sequence
  readonly count: number
  readonly attributesBytes: number
  readonly payloadBytes: number
}

const TWO_TO_32 = 2 ** 32

/** Writes everything but the checksum, which {@link sealRecord} adds once all bytes are known. */
export function writeRecordHeader(bytes: Buffer, at: number, header: RecordHeader): void {
  bytes.writeUInt32BE(MAGIC, at)
  bytes.writeUInt32BE(header.file, at + 8)
  bytes.writeUInt32BE(header.syncedBytes, at + 12)
  bytes[at + 16] = header.kind
  bytes[at + 17] = VERSION
  bytes[at + 18] = 0
  bytes[at + 19] = 0
  bytes.writeUInt32BE(header.log, at + 20)
  const high = Math.floor(header.first / TWO_TO_32)
  bytes.writeUInt32BE(high, at + 24)
  bytes.writeUInt32BE(header.first - high * TWO_TO_32, at + 28)
  bytes.writeUInt32BE(header.count, at + 32)
  bytes.writeUInt32BE(header.attributesBytes, at + 36)
  bytes.writeUInt32BE(header.payloadBytes, at + 40)
  bytes.writeUInt32BE(0, at + 44)
}

/** Adds the checksum of the header at `at` and of what follows it. */
export function sealRecord(bytes: Buffer, at: number, attributes: Uint8Array | null, payload: Uint8Array): void {
  let crc = crc32(bytes.subarray(at + CHECKED_AT, at + RECORD_HEADER_BYTES))
  if (attributes !== null) crc = crc32(attributes, crc)
  if (payload.length > 0) crc = crc32(payload, crc) // of nothing at all zlib says 0, whatever came before
  bytes.writeUInt32BE(crc, at + 4)
}

/** The same for a record that lies in one piece. */
export function sealWholeRecord(bytes: Buffer, at: number, end: number): void {
  bytes.writeUInt32BE(crc32(bytes.subarray(at + CHECKED_AT, end)), at + 4)
}

/** The header at `at`, or why there is none: bytes are missing, or it is not one of this file. Its checksum is for {@link isWhole} to check. */
export function readRecordHeader(bytes: Buffer, at: number, file: number): RecordHeader | null {
  if (at + RECORD_HEADER_BYTES > bytes.length || bytes.readUInt32BE(at) !== MAGIC || bytes[at + 17] !== VERSION)
    return null
  const header: RecordHeader = {
    file: bytes.readUInt32BE(at + 8),
    syncedBytes: bytes.readUInt32BE(at + 12),
    kind: bytes[at + 16] as RecordKind,
    log: bytes.readUInt32BE(at + 20),
    first: bytes.readUInt32BE(at + 24) * TWO_TO_32 + bytes.readUInt32BE(at + 28),
    count: bytes.readUInt32BE(at + 32),
    attributesBytes: bytes.readUInt32BE(at + 36),
    payloadBytes: bytes.readUInt32BE(at + 40),
  }
  return header.file === file ? header : null
}

/** One past the last byte of the record at `at`. */
export function recordEnd(at: number, header: Pick<RecordHeader, 'attributesBytes' | 'payloadBytes'>): number {
  return at + RECORD_HEADER_BYTES + header.attributesBytes + header.payloadBytes
}

/** Whether all bytes of the record are there, as they were written. */
export function isWhole(bytes: Buffer, at: number, header: RecordHeader): boolean {
  const end = recordEnd(at, header)
  return end <= bytes.length && bytes.readUInt32BE(at + 4) === crc32(bytes.subarray(at + CHECKED_AT, end))
}
