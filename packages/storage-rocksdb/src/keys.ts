import type { Lease, Sequence } from '@spillway/core'

/**
 * The keys in RocksDB. Integers are big-endian, so that keys sort by them.
 *
 * ```
 *   'v'                                        version of this layout, u8 = 1
 *   'l'                                        leases below this may have been given out: f64
 *   'c' key …                                  catalogue entry, as core gave it
 *   'm' log u32                                the log's first sequence: f64
 *   'h' log u32  channel u32                   cursor head, as core gave it
 *   'p' log u32  channel u32  page f64         cursor page, as core gave it
 *   'i' log u32  first u64                     index entry of a stretch of records (stretch-codec.ts)
 *   'd'                                        nothing: an iterator that ends before the messages steps on this, and not on a message
 *   'd' log u32  first u64                     the stretch's frames, back to back (in a blob file)
 * ```
 * Small values and index entries lie together, so that an open reads all of them without touching a message.
 */
const TWO_TO_32 = 2 ** 32
const CODE = { version: 118, leases: 108, catalogue: 99, log: 109, head: 104, page: 112, index: 105, data: 100 }
type KeyKind = keyof typeof CODE

export const VERSION_KEY = Buffer.from([CODE.version])
export const LEASES_KEY = Buffer.from([CODE.leases])
/** Lies between the catalogue and the messages: without it, reading the catalogue reads a message, and fails when that is damaged. */
export const FENCE_KEY = Buffer.from([CODE.data])

export function catalogueKey(key: string): Buffer {
  return Buffer.concat([Buffer.from([CODE.catalogue]), Buffer.from(key)])
}

export function logKey(log: Lease): Buffer {
  return keyOf('log', log, 0)
}

export function headKey(log: Lease, channel: Lease): Buffer {
  const key = keyOf('head', log, 4)
  key.writeUInt32BE(channel, 5)
  return key
}

/** The prefix of all pages of a channel. */
export function pagesPrefix(log: Lease, channel: Lease): Buffer {
  const key = keyOf('page', log, 4)
  key.writeUInt32BE(channel, 5)
  return key
}

export function pageKey(log: Lease, channel: Lease, page: number): Buffer {
  const key = keyOf('page', log, 12)
  key.writeUInt32BE(channel, 5)
  key.writeDoubleBE(page, 9)
  return key
}

export function pageOf(key: Buffer): number {
  return key.readDoubleBE(9)
}

export function indexKey(log: Lease, first: Sequence): Buffer {
  return stretchKey('index', log, first)
}

export function dataKey(log: Lease, first: Sequence): Buffer {
  return stretchKey('data', log, first)
}

/** The log of an index, data or log key. */
export function logOf(key: Buffer): Lease {
  return key.readUInt32BE(1)
}

/** The log whose data a prefix stands for; null for any other prefix. */
export function dataPrefixLog(prefix: Buffer): Lease | null {
  return prefix.length === 5 && prefix[0] === CODE.data ? logOf(prefix) : null
}

/** The first record of an index or data key. */
export function firstOf(key: Buffer): Sequence {
  return key.readUInt32BE(5) * TWO_TO_32 + key.readUInt32BE(9)
}

/** Everything that begins with one byte, as a range. */
export function kindRange(kind: KeyKind): { gte: Buffer; lt: Buffer } {
  return prefixRange(Buffer.from([CODE[kind]]))
}

/** All keys of one kind of a log, as a prefix. */
export function logPrefix(kind: KeyKind, log: Lease): Buffer {
  return keyOf(kind, log, 0)
}

export function prefixRange(prefix: Buffer): { gte: Buffer; lt: Buffer } {
  const lt = Buffer.from(prefix)
  let at = lt.length - 1
  while (at > 0 && lt[at] === 255) lt[at--] = 0
  lt[at]++
  return { gte: prefix, lt }
}

function stretchKey(kind: KeyKind, log: Lease, first: Sequence): Buffer {
  const key = keyOf(kind, log, 8)
  const high = Math.floor(first / TWO_TO_32)
  key.writeUInt32BE(high, 5)
  key.writeUInt32BE(first - high * TWO_TO_32, 9)
  return key
}

function keyOf(kind: KeyKind, log: Lease, moreBytes: number): Buffer {
  const key = Buffer.allocUnsafe(5 + moreBytes)
  key[0] = CODE[kind]
  key.writeUInt32BE(log, 1)
  return key
}
