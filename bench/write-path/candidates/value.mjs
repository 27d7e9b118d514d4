import { crc32 } from 'node:zlib'

const HEADER_BYTES = 44
const JOINED_BYTES_MAX = 4096

export function keyOf(kind, sequence) {
  const key = Buffer.allocUnsafe(13)
  key[0] = kind
  key.writeUInt32BE(7, 1)
  key.writeBigUInt64BE(BigInt(sequence), 5)
  return key
}

export function headerOf(frames, count, sequence, checksum = crc32(frames)) {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt32BE(frames.length, 0)
  header.writeUInt32BE(checksum, 4)
  header.writeUInt32BE(count, 8)
  header.writeUInt32BE(sequence, 24)
  return header
}

/** Puts a checksummed run: small ones as one value with their header, large ones uncopied and the header as a value beside them. */
export function putRun(put, frames, count, sequence) {
  const header = headerOf(frames, count, sequence)
  if (frames.length <= JOINED_BYTES_MAX) return put(keyOf(100, sequence), Buffer.concat([header, frames]))
  put(keyOf(100, sequence), frames)
  put(keyOf(105, sequence), header)
}
