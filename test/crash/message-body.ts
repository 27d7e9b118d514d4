/**
 * What every message says of itself, so that a delivery shows which message it is and whether it arrived whole.
 *
 * ```
 *   uint32 tag | uint32 serial | filler, 92 to 291 bytes: a piece of one fixed text, which piece depends on the serial
 * ```
 * The tag names one life of one topic: a topic that is deleted and created again has another one.
 */
const HEAD_SIZE_BYTES = 8
const FILLER_SIZE_BYTES_MIN = 92
const FILLER_SIZES = 200
const FILLER_STARTS = 997

const filler = Buffer.from(
  Array.from({ length: FILLER_STARTS + FILLER_SIZE_BYTES_MIN + FILLER_SIZES }, (_, i) => (i * i * 31 + i * 7) & 0xff),
)

export function bodySizeBytesOf(serial: number): number {
  return HEAD_SIZE_BYTES + FILLER_SIZE_BYTES_MIN + ((serial * 37) % FILLER_SIZES)
}

/** Writes the body to `at`; returns where it ends. */
export function writeBody(to: Buffer, at: number, tag: number, serial: number): number {
  const end = at + bodySizeBytesOf(serial)
  to.writeUInt32BE(tag, at)
  to.writeUInt32BE(serial, at + 4)
  const start = serial % FILLER_STARTS
  filler.copy(to, at + HEAD_SIZE_BYTES, start, start + end - at - HEAD_SIZE_BYTES)
  return end
}

export interface BodyHead {
  readonly tag: number
  readonly serial: number
}

/** Null when these are not the bytes that {@link writeBody} wrote. */
export function readBody(body: Buffer): BodyHead | null {
  if (body.length < HEAD_SIZE_BYTES) return null
  const serial = body.readUInt32BE(4)
  if (body.length !== bodySizeBytesOf(serial)) return null
  const start = serial % FILLER_STARTS
  const size = body.length - HEAD_SIZE_BYTES
  if (body.compare(filler, start, start + size, HEAD_SIZE_BYTES) !== 0) return null
  return { tag: body.readUInt32BE(0), serial }
}
