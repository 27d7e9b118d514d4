import { crc32 } from 'node:zlib'
import { BrokerError, type Chunk, type Lease, type Sequence } from '@spillway/core'

/**
 * A stretch is what is stored of a log as one value: up to about 1 MiB of frames, in pieces of consecutive records; between
 * the pieces records have been erased. Its index entry says what is in it. Integers are big-endian.
 *
 * ```
 *   0         1       5       9             13          17    25           29
 *   | version | crc32 | log   | framesBytes | framesCrc | end | pieceCount |
 *   | u8 = 1  | u32   | u32   | u32         | u32       | f64 | u32        |
 *   29
 *   | piece: first f64 | count u32 | framesBytes u32 | attributesBytes u32 | attributes … | piece …
 * ```
 * The first checksum covers the entry from byte 5 on, the second one the frames. `end` is where the next stretch may begin: records
 * behind the last piece may have been erased too.
 */
const VERSION = 1
const CHECKED_AT = 5
const PIECES_AT = 29
const PIECE_HEADER_BYTES = 20

/** Consecutive records of a stretch. */
export interface Piece {
  readonly first: Sequence
  readonly count: number
  readonly framesBytes: number
  readonly attributes: Uint8Array | null
}

export interface StretchEntry {
  readonly end: Sequence
  readonly framesBytes: number
  readonly framesCrc: number
  readonly pieces: readonly Piece[]
}

export function encodeStretchEntry(log: Lease, frames: Uint8Array, pieces: readonly Piece[], end: Sequence): Buffer {
  let sizeBytes = PIECES_AT
  for (const { attributes } of pieces) sizeBytes += PIECE_HEADER_BYTES + (attributes?.length ?? 0)
  const bytes = Buffer.allocUnsafe(sizeBytes)
  bytes[0] = VERSION
  bytes.writeUInt32BE(log, CHECKED_AT)
  bytes.writeUInt32BE(frames.length, CHECKED_AT + 4)
  bytes.writeUInt32BE(crc32(frames), CHECKED_AT + 8)
  bytes.writeDoubleBE(end, CHECKED_AT + 12)
  bytes.writeUInt32BE(pieces.length, CHECKED_AT + 20)
  let at = PIECES_AT
  for (const { first, count, framesBytes, attributes } of pieces) {
    bytes.writeDoubleBE(first, at)
    bytes.writeUInt32BE(count, at + 8)
    bytes.writeUInt32BE(framesBytes, at + 12)
    bytes.writeUInt32BE(attributes?.length ?? 0, at + 16)
    at += PIECE_HEADER_BYTES
    if (attributes === null) continue
    bytes.set(attributes, at)
    at += attributes.length
  }
  bytes.writeUInt32BE(crc32(bytes.subarray(CHECKED_AT)), 1)
  return bytes
}

/** @throws BrokerError `E_STORAGE_CORRUPT` with `where` in its text. */
export function decodeStretchEntry(log: Lease, bytes: Buffer, where: string): StretchEntry {
  const damaged = (what: string): BrokerError => new BrokerError('E_STORAGE_CORRUPT', `${where}: index entry ${what}`)
  if (bytes.length < PIECES_AT) throw damaged('is cut off')
  if (bytes[0] !== VERSION) throw damaged(`has unknown version ${bytes[0]}`)
  if (bytes.readUInt32BE(1) !== crc32(bytes.subarray(CHECKED_AT))) throw damaged('fails its checksum')
  if (bytes.readUInt32BE(CHECKED_AT) !== log) throw damaged(`belongs to log ${bytes.readUInt32BE(CHECKED_AT)}`)
  const pieces: Piece[] = []
  let at = PIECES_AT
  for (let left = bytes.readUInt32BE(CHECKED_AT + 20); left > 0; left--) {
    const attributesBytes = bytes.readUInt32BE(at + 16)
    const attributesAt = at + PIECE_HEADER_BYTES
    pieces.push({
      first: bytes.readDoubleBE(at),
      count: bytes.readUInt32BE(at + 8),
      framesBytes: bytes.readUInt32BE(at + 12),
      attributes: attributesBytes === 0 ? null : bytes.subarray(attributesAt, attributesAt + attributesBytes),
    })
    at = attributesAt + attributesBytes
  }
  return {
    framesBytes: bytes.readUInt32BE(CHECKED_AT + 4),
    framesCrc: bytes.readUInt32BE(CHECKED_AT + 8),
    end: bytes.readDoubleBE(CHECKED_AT + 12),
    pieces,
  }
}

/** The chunks of a stretch; views of `frames`. @throws BrokerError `E_STORAGE_CORRUPT` when the frames are not those of the entry. */
export function chunksOf(entry: StretchEntry, frames: Buffer, where: string): Chunk[] {
  if (frames.length !== entry.framesBytes || crc32(frames) !== entry.framesCrc) {
    throw new BrokerError('E_STORAGE_CORRUPT', `${where}: ${frames.length} bytes of frames fail their checksum`)
  }
  let at = 0
  return entry.pieces.map(({ first, count, framesBytes, attributes }) => {
    const chunk = { first, count, frames: frames.subarray(at, at + framesBytes), attributes }
    at += framesBytes
    return chunk
  })
}
