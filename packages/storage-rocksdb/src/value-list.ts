/**
 * Keys and values as they lie in one record of the journal: written all or not at all.
 *
 * ```
 *   entry: keyBytes u16 | valueBytes u32 | key | value        integers big-endian
 * ```
 * A `valueBytes` of 2^32 - 1 stands for "forget this key", 2^32 - 2 for "forget all keys that begin with this".
 */
const FORGET = 0xff_ff_ff_ff
const FORGET_PREFIX = 0xff_ff_ff_fe
const ENTRY_HEADER_BYTES = 6

/** `value` null: forgets the key; `prefix`: forgets every key that begins with it. */
export interface ValueWrite {
  readonly key: Uint8Array
  readonly value: Uint8Array | null | 'prefix'
}

export function encodeValueList(writes: readonly ValueWrite[]): Buffer {
  let sizeBytes = 0
  for (const { key, value } of writes) {
    sizeBytes += ENTRY_HEADER_BYTES + key.length + (value instanceof Uint8Array ? value.length : 0)
  }
  const bytes = Buffer.allocUnsafe(sizeBytes)
  let at = 0
  for (const { key, value } of writes) {
    bytes.writeUInt16BE(key.length, at)
    bytes.writeUInt32BE(value === null ? FORGET : value === 'prefix' ? FORGET_PREFIX : value.length, at + 2)
    bytes.set(key, at + ENTRY_HEADER_BYTES)
    at += ENTRY_HEADER_BYTES + key.length
    if (!(value instanceof Uint8Array)) continue
    bytes.set(value, at)
    at += value.length
  }
  return bytes
}

/** The entries of a list whose checksum was right; keys and values are copies. */
export function* decodeValueList(bytes: Buffer): Generator<ValueWrite> {
  for (let at = 0; at < bytes.length; ) {
    const keyBytes = bytes.readUInt16BE(at)
    const valueBytes = bytes.readUInt32BE(at + 2)
    at += ENTRY_HEADER_BYTES
    const key = Buffer.from(bytes.subarray(at, at + keyBytes))
    at += keyBytes
    if (valueBytes === FORGET) yield { key, value: null }
    else if (valueBytes === FORGET_PREFIX) yield { key, value: 'prefix' }
    else {
      yield { key, value: Buffer.from(bytes.subarray(at, at + valueBytes)) }
      at += valueBytes
    }
  }
}
