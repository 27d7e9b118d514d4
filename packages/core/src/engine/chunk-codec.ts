import { crc32 } from 'node:zlib'
import type { Chunk } from '../contracts/chunk.js'
import type { Lease } from '../contracts/sequence.js'
import { BrokerError } from '../errors.js'

/**
 * A chunk as one stored value, for storages that keep bytes. Integers are big-endian.
 *
 * ```
 *   0         1         2          4         8       12            20        24            28                 32
 *   | version | flags   | reserved | crc32   | log   | first       | count   | sizes of:   attributes         |
 *   | u8 = 1  | u8      | u16 = 0  | u32     | u32   | u64         | u32     | frames u32  u32                |
 *   | frames … | attributes …
 * ```
 * The checksum covers everything behind it. A flag that a reader does not know makes the value unreadable for it; what a reader may
 * skip goes into the attributes (`attributes.ts`: due times; room for expiry, key, dedupe id, headers, trace context).
 */
const VERSION = 1
const CRC_AT = 4
const CHECKED_AT = 8
export const CHUNK_HEADER_BYTES = 32
const NO_BYTES = new Uint8Array(0)

/** The header that goes in front of `chunk.frames` and `chunk.attributes`: a store writes the three in one go, without copying. */
export function encodeChunkHeader(log: Lease, chunk: Chunk): Buffer {
  const attributes = chunk.attributes ?? NO_BYTES
  const header = Buffer.alloc(CHUNK_HEADER_BYTES)
  header[0] = VERSION
  header.writeUInt32BE(log, CHECKED_AT)
  header.writeBigUInt64BE(BigInt(chunk.first), CHECKED_AT + 4)
  header.writeUInt32BE(chunk.count, CHECKED_AT + 12)
  header.writeUInt32BE(chunk.frames.length, CHECKED_AT + 16)
  header.writeUInt32BE(attributes.length, CHECKED_AT + 20)
  header.writeUInt32BE(crc32(attributes, crc32(chunk.frames, crc32(header.subarray(CHECKED_AT)))), CRC_AT)
  return header
}

/**
 * Reads a stored value back; the chunk's buffers are views of it.
 * @throws BrokerError `E_STORAGE_CORRUPT`, with `where` in its text: cut off, of another version or log, or not what was written.
 */
export function decodeChunk(log: Lease, value: Uint8Array, where: string): Chunk {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const damaged = (what: string): BrokerError => new BrokerError('E_STORAGE_CORRUPT', `${where}: chunk ${what}`)
  if (bytes.length < CHUNK_HEADER_BYTES) throw damaged(`is cut off at ${bytes.length} bytes`)
  if (bytes[0] !== VERSION || bytes[1] !== 0) throw damaged(`has unknown version ${bytes[0]}, flags ${bytes[1]}`)
  const framesEnd = CHUNK_HEADER_BYTES + bytes.readUInt32BE(CHECKED_AT + 16)
  const attributesBytes = bytes.readUInt32BE(CHECKED_AT + 20)
  if (bytes.length !== framesEnd + attributesBytes) throw damaged(`has ${bytes.length} bytes, not what its header says`)
  if (bytes.readUInt32BE(CRC_AT) !== crc32(bytes.subarray(CHECKED_AT))) throw damaged('fails its checksum')
  if (bytes.readUInt32BE(CHECKED_AT) !== log) throw damaged(`belongs to log ${bytes.readUInt32BE(CHECKED_AT)}`)
  return {
    first: Number(bytes.readBigUInt64BE(CHECKED_AT + 4)),
    count: bytes.readUInt32BE(CHECKED_AT + 12),
    frames: bytes.subarray(CHUNK_HEADER_BYTES, framesEnd),
    attributes: attributesBytes === 0 ? null : bytes.subarray(framesEnd),
  }
}
