import { randomFillSync } from 'node:crypto'

/** A message frame of the protocol around 200 bytes: size, type, timestamp, attempts, id, body. */
const FRAME_BYTES = 234
const BODY_OFFSET = 34

function framesOf(count) {
  const frames = randomFillSync(Buffer.alloc(count * FRAME_BYTES))
  for (let at = 0; at < frames.length; at += FRAME_BYTES) {
    frames.writeUInt32BE(FRAME_BYTES - 4, at)
    frames.writeUInt32BE(2, at + 4)
    frames.write('0000000100000001', at + BODY_OFFSET - 16, 'latin1')
  }
  return frames
}

/** `single`: two publishers, one record at a time. `mpub`: four publishers, 200 records at a time. Bodies are random: nothing compresses. */
export const WORKLOADS = {
  single: { publisherCount: 2, recordCount: 1, runs: Array.from({ length: 1024 }, () => framesOf(1)) },
  mpub: { publisherCount: 4, recordCount: 200, runs: Array.from({ length: 64 }, () => framesOf(200)) },
}
