/** What nodes send, as bytes. */
export function frame(type: number, data: Uint8Array | string): Buffer {
  const bytes = Buffer.from(data as string)
  const header = Buffer.alloc(8)
  header.writeInt32BE(4 + bytes.length, 0)
  header.writeInt32BE(type, 4)
  return Buffer.concat([header, bytes])
}

export interface MessageFields {
  readonly serial: number
  readonly body?: string | Uint8Array
  readonly attempts?: number
  readonly timestampNs?: bigint
}

export function idOf(serial: number): string {
  return serial.toString(16).padStart(16, '0')
}

export function messageFrame({
  serial,
  body = `message ${serial}`,
  attempts = 1,
  timestampNs = 1n,
}: MessageFields): Buffer {
  const header = Buffer.alloc(26)
  header.writeBigInt64BE(timestampNs, 0)
  header.writeUInt16BE(attempts, 8)
  header.write(idOf(serial), 10, 'latin1')
  return frame(2, Buffer.concat([header, Buffer.from(body as string)]))
}
