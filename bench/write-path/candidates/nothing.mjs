import { crc32 } from 'node:zlib'

/** What the measurement itself costs: the turns and the checksum. */
export async function openNothing() {
  return {
    append: (frames) => void crc32(frames),
    caughtUp: () => undefined,
    drain: async () => {},
    close: async () => {},
  }
}
