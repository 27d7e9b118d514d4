import { BrokerError } from '../errors.js'

/**
 * The side table of a chunk: what some of its records carry besides a frame. Sparse, so that a chunk of plain records has none.
 *
 * ```
 *   version u8 = 1 | entry | entry | …            entries by ascending index
 *   entry: index u32 | tag u8 | size u32 | value[size]      integers big-endian
 *   tag 1: due, wall-clock milliseconds as a float64
 *   tags 2 … 6: expiry, key, dedupe id, headers, trace context (not written yet)
 * ```
 * A reader skips tags that it does not know.
 */
const VERSION = 1
const ENTRY_HEADER_BYTES = 9
const TAG_DUE = 1

/** Encodes the due times (wall-clock ms, 0 for none) of the records `from` … `end - 1`, with indexes counted from `from`; null when there are none. */
export function encodeAttributes(dues: Float64Array, from: number, end: number): Uint8Array | null {
  let count = 0
  for (let index = from; index < end; index++) if (dues[index] > 0) count++
  if (count === 0) return null
  const bytes = Buffer.alloc(1 + count * (ENTRY_HEADER_BYTES + 8))
  bytes[0] = VERSION
  let at = 1
  for (let index = from; index < end; index++) {
    if (!(dues[index] > 0)) continue
    bytes.writeUInt32BE(index - from, at)
    bytes[at + 4] = TAG_DUE
    bytes.writeUInt32BE(8, at + 5)
    bytes.writeDoubleBE(dues[index], at + ENTRY_HEADER_BYTES)
    at += ENTRY_HEADER_BYTES + 8
  }
  return bytes
}

/** Due times (wall-clock ms) with their index in the chunk. @throws BrokerError `E_STORAGE_CORRUPT` */
export function* decodeDueTimes(attributes: Uint8Array): Generator<readonly [index: number, dueAtMs: number]> {
  const bytes = Buffer.from(attributes.buffer, attributes.byteOffset, attributes.byteLength)
  if (bytes[0] !== VERSION) throw new BrokerError('E_STORAGE_CORRUPT', `side table of unknown version ${bytes[0]}`)
  let at = 1
  while (at < bytes.length) {
    if (at + ENTRY_HEADER_BYTES > bytes.length) throw new BrokerError('E_STORAGE_CORRUPT', 'side table is cut off')
    const index = bytes.readUInt32BE(at)
    const tag = bytes[at + 4]
    const size = bytes.readUInt32BE(at + 5)
    at += ENTRY_HEADER_BYTES
    if (at + size > bytes.length) throw new BrokerError('E_STORAGE_CORRUPT', 'side table is cut off')
    if (tag === TAG_DUE) {
      if (size !== 8) throw new BrokerError('E_STORAGE_CORRUPT', `due time of ${size} bytes`)
      yield [index, bytes.readDoubleBE(at)]
    }
    at += size
  }
}

/**
 * The side table of the records `from` … `end - 1` of a chunk alone, with indexes counted from `from`; null when they have nothing. What
 * the entries say is not looked at.
 * @throws BrokerError `E_STORAGE_CORRUPT`
 */
export function sliceAttributes(attributes: Uint8Array, from: number, end: number): Uint8Array | null {
  const bytes = Buffer.from(attributes.buffer, attributes.byteOffset, attributes.byteLength)
  const parts: Buffer[] = [Buffer.from([bytes[0]])]
  for (let at = 1; at < bytes.length; ) {
    const index = bytes.readUInt32BE(at)
    const entryEnd = at + ENTRY_HEADER_BYTES + bytes.readUInt32BE(at + 5)
    if (entryEnd > bytes.length) throw new BrokerError('E_STORAGE_CORRUPT', 'side table is cut off')
    if (index >= from && index < end) {
      const entry = Buffer.from(bytes.subarray(at, entryEnd))
      entry.writeUInt32BE(index - from, 0)
      parts.push(entry)
    }
    at = entryEnd
  }
  return parts.length === 1 ? null : Buffer.concat(parts)
}
