/**
 * The body of every message that the benchmark sends. Whoever receives one can tell which message it is, and whether it
 * arrived whole, without having kept a copy.
 *
 * ```
 *   uint32 tag | uint32 serial | float64 sentAtMs | filler … | uint32 ~serial
 * ```
 *
 * The tag is drawn for each run, so that a message of another run or topic is noticed.
 */
export const SERIAL_AT = 4
export const SENT_AT_AT = 8
export const FILLER_AT = 16
export const TAIL_SIZE_BYTES = 4
export const BODY_SIZE_BYTES_MIN = FILLER_AT + TAIL_SIZE_BYTES

/** A body with serial 0; copies of it are made and patched. */
export function buildBody(tag: number, sizeBytes: number): Buffer {
  if (sizeBytes < BODY_SIZE_BYTES_MIN) throw new RangeError(`a body has at least ${BODY_SIZE_BYTES_MIN} bytes`)
  const body = Buffer.alloc(sizeBytes)
  body.writeUInt32BE(tag, 0)
  for (let i = FILLER_AT; i < sizeBytes - TAIL_SIZE_BYTES; i++) body[i] = (i * 31 + tag) & 0xff
  body.writeInt32BE(~0, sizeBytes - TAIL_SIZE_BYTES)
  return body
}

/** Gives the body at `at` its serial number; the rest of it stays. */
export function patchSerial(view: DataView, at: number, sizeBytes: number, serial: number): void {
  view.setInt32(at + SERIAL_AT, serial)
  view.setInt32(at + sizeBytes - TAIL_SIZE_BYTES, ~serial)
}

export function patchSentAt(view: DataView, at: number, sentAtMs: number): void {
  view.setFloat64(at + SENT_AT_AT, sentAtMs)
}
