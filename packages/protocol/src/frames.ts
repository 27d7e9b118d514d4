/**
 * What the server sends:
 *
 * ```
 *   | int32 size = 4 + data length | int32 type | data |
 * ```
 */
export const FrameType = { response: 0, error: 1, message: 2 } as const
export type FrameType = (typeof FrameType)[keyof typeof FrameType]

/** The size and the type in front of a frame's data. */
export const FRAME_HEADER_SIZE_BYTES = 8

/** A frame around `data`. */
export function encodeFrame(type: FrameType, data: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_SIZE_BYTES + data.length)
  frame.writeInt32BE(data.length + 4, 0)
  frame.writeInt32BE(type, 4)
  frame.set(data, FRAME_HEADER_SIZE_BYTES)
  return frame
}

/** A response frame that holds `text` as UTF-8. */
export function encodeResponse(text: string): Buffer {
  return encodeFrame(FrameType.response, Buffer.from(text, 'utf8'))
}

/**
 * An error frame. `text` is a byte string, one character per byte: it may repeat what a peer sent, which need not be
 * UTF-8 and goes back as it came. See {@link toByteString}.
 */
export function encodeError(text: string): Buffer {
  return encodeFrame(FrameType.error, Buffer.from(text, 'latin1'))
}

/** The byte string (one character per byte) that holds `text` as UTF-8. */
export function toByteString(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

export const OK_FRAME: Uint8Array = encodeResponse('OK')
export const HEARTBEAT_FRAME: Uint8Array = encodeResponse('_heartbeat_')
export const CLOSE_WAIT_FRAME: Uint8Array = encodeResponse('CLOSE_WAIT')
