/**
 * A record as it lies in the log, which is a message frame as it goes over the wire (nsq: protocol V2, message frame):
 *
 * ```
 *   0        4        8               16   18                 34
 *   | size   | type   | timestamp     | at | id               | body …
 *   | int32  | int32  | int64 unix ns | u16| 16 hex digits    |
 * ```
 * `size` counts everything behind itself; type 2 is a message; `at` is attempts, 1 in the log.
 */
export const FRAME_HEADER_BYTES = 34
const ATTEMPTS_AT = 16
const ID_AT = 18
const FRAME_TYPE_MESSAGE = 2
/** What `size` counts besides the body. */
const SIZE_OVERHEAD_BYTES = FRAME_HEADER_BYTES - 4

const TWO_TO_32 = 2 ** 32
const DIGITS = '0123456789abcdef'
/** Hex digits of every byte: the high digit, the low digit. */
const HEX_HIGH = Uint8Array.from({ length: 256 }, (_, byte) => DIGITS.charCodeAt(byte >> 4))
const HEX_LOW = Uint8Array.from({ length: 256 }, (_, byte) => DIGITS.charCodeAt(byte & 15))
/** Value of a lower-case hex digit; 255 for every other byte. */
const HEX_VALUE = new Uint8Array(256).fill(255)
for (let value = 0; value < 16; value++) HEX_VALUE[DIGITS.charCodeAt(value)] = value

function writeHex32(bytes: Uint8Array, at: number, value: number): void {
  const b0 = value >>> 24
  const b1 = (value >>> 16) & 255
  const b2 = (value >>> 8) & 255
  const b3 = value & 255
  bytes[at] = HEX_HIGH[b0]
  bytes[at + 1] = HEX_LOW[b0]
  bytes[at + 2] = HEX_HIGH[b1]
  bytes[at + 3] = HEX_LOW[b1]
  bytes[at + 4] = HEX_HIGH[b2]
  bytes[at + 5] = HEX_LOW[b2]
  bytes[at + 6] = HEX_HIGH[b3]
  bytes[at + 7] = HEX_LOW[b3]
}

/** The number that the eight lower-case hex digits at `at` stand for; -1 when they are not that. */
export function readHex32(bytes: Uint8Array, at: number): number {
  let value = 0
  let seen = 0
  for (let i = 0; i < 8; i++) {
    const digit = HEX_VALUE[bytes[at + i]]
    seen |= digit
    value = (value << 4) | digit
  }
  return seen > 15 ? -1 : value >>> 0
}

export function readSize(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

/** What the frames of one publish have in common: everything but size, offset in the id, and body. */
export interface FrameStamp {
  readonly timestampHigh: number
  readonly timestampLow: number
}

export function frameStamp(wallMs: number): FrameStamp {
  const ns = wallMs * 1e6
  const timestampHigh = Math.floor(ns / TWO_TO_32)
  return { timestampHigh, timestampLow: ns - timestampHigh * TWO_TO_32 }
}

/** Writes one frame at `at`; its body is `source[bodyStart, bodyStart + bodySize)`. */
export function writeFrame(
  slab: Buffer,
  at: number,
  stamp: FrameStamp,
  lease: number,
  offset: number,
  source: Uint8Array,
  bodyStart: number,
  bodySize: number,
): void {
  writeUint32(slab, at, SIZE_OVERHEAD_BYTES + bodySize)
  writeUint32(slab, at + 4, FRAME_TYPE_MESSAGE)
  writeUint32(slab, at + 8, stamp.timestampHigh)
  writeUint32(slab, at + 12, stamp.timestampLow)
  slab[at + ATTEMPTS_AT] = 0
  slab[at + ATTEMPTS_AT + 1] = 1
  writeHex32(slab, at + ID_AT, lease)
  writeHex32(slab, at + ID_AT + 8, offset)
  copyBody(slab, at + FRAME_HEADER_BYTES, source, bodyStart, bodySize)
}

/** A loop beats the call into the runtime for short bodies. */
const LOOP_COPY_BYTES_MAX = 48

function copyBody(slab: Buffer, at: number, source: Uint8Array, start: number, size: number): void {
  if (size <= LOOP_COPY_BYTES_MAX) {
    for (let i = 0; i < size; i++) slab[at + i] = source[start + i]
  } else {
    slab.set(source.subarray(start, start + size), at)
  }
}

/** The whole size of the frame at `at`, its size field included. */
export function frameSizeBytes(frames: Uint8Array, at: number): number {
  return 4 + readSize(frames, at)
}

/** A copy of the frame `frames[start, end)` that says `attempts`. */
export function copyFrameWithAttempts(frames: Uint8Array, start: number, end: number, attempts: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start)
  copy.set(frames.subarray(start, end))
  copy[ATTEMPTS_AT] = attempts >>> 8
  copy[ATTEMPTS_AT + 1] = attempts
  return copy
}

/** When the message of the frame at `at` was published, in wall-clock milliseconds. */
export function readTimestampMs(bytes: Buffer, at: number): number {
  return (bytes.readUInt32BE(at + 8) * TWO_TO_32 + bytes.readUInt32BE(at + 12)) / 1e6
}
