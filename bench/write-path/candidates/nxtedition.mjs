import { putRun } from './value.mjs'

/** RocksDB's own WAL, written on the calling thread. */
export async function openNxtedition({ module, dir, sync = false }) {
  const db = new module.RocksLevel(dir, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    createIfMissing: true,
    compaction: 'level',
    compression: false,
    walCompression: false,
    memtableMemoryBudget: 64 * 2 ** 20,
  })
  await db.open()
  // The public methods would add a promise and encodings; the candidate is given its shortest way.
  const batch = db._chainedBatch()
  const put = (key, value) => batch._put(key, value)
  let sequence = 0
  return {
    append(frames, count) {
      putRun(put, frames, count, sequence++)
      batch._writeSync({ sync })
      batch._clear()
    },
    caughtUp: () => undefined,
    drain: async () => {},
    close: () => db.close(),
  }
}
