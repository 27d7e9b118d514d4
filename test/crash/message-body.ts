/**
 * What every message says of itself, so that a delivery shows which message it is and whether it arrived whole.
 *
 * ```
 *   uint32 tag | uint32 serial | filler: a piece of one fixed text, which piece and how long depends on the serial
 * ```
 * The tag names one life of one topic: a topic that is deleted and created again has another one. Messages are of 100 to
 * 300 bytes, those of a topic with large messages of 100 bytes to 20 kB.
 */
const HEAD_SIZE_BYTES = 8
const FILLER_SIZE_BYTES_MIN = 92
const FILLER_SIZES = 200
const LARGE_FACTOR = 100
const LARGE_TAG = 2 ** 31
const FILLER_STARTS = 997

const filler = Buffer.from(
  Array.from(
    { length: FILLER_STARTS + FILLER_SIZE_BYTES_MIN + FILLER_SIZES * LARGE_FACTOR },
    (_, i) => (i * i * 31 + i * 7) & 0xff,
  ),
)

/** The tag of the `number`-th life of a topic; it says how large the messages are. */
export function tagOf(number: number, isLarge: boolean): number {
  return isLarge ? LARGE_TAG + number : number
}

export function bodySizeBytesOf(tag: number, serial: number): number {
  const factor = tag >= LARGE_TAG ? LARGE_FACTOR : 1
  return HEAD_SIZE_BYTES + FILLER_SIZE_BYTES_MIN + ((serial * 37) % FILLER_SIZES) * factor
}

/** Writes the body to `at`; returns where it ends. */
export function writeBody(to: Buffer, at: number, tag: number, serial: number): number {
  const end = at + bodySizeBytesOf(tag, serial)
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
  const tag = body.readUInt32BE(0)
  const serial = body.readUInt32BE(4)
  if (body.length !== bodySizeBytesOf(tag, serial)) return null
  const start = serial % FILLER_STARTS
  const size = body.length - HEAD_SIZE_BYTES
  if (body.compare(filler, start, start + size, HEAD_SIZE_BYTES) !== 0) return null
  return { tag, serial }
}
