import { BLOB_OPTIONS } from './blob-options.mjs'
import { putRun } from './value.mjs'

/** RocksDB's own WAL, written in libuv's pool; what arrives while all batches are under way goes into one batch. */
export async function openRocksdbNative({ module: RocksDB, dir, workload, ...inFlightMax }) {
  const db = new RocksDB(dir, { ...BLOB_OPTIONS, writeBufferSize: 32 * 2 ** 20 })
  await db.ready()
  let sequence = 0
  let inFlight = 0
  let waiting = []
  const write = () => {
    const entries = waiting
    waiting = []
    inFlight += 1
    const batch = db.write({ autoDestroy: true })
    const put = (key, value) => batch.tryPut(key, value)
    for (const { frames, count } of entries) putRun(put, frames, count, sequence++)
    batch.flush().then(() => {
      inFlight -= 1
      for (const entry of entries) entry.resolve()
      if (waiting.length > 0) write()
    })
  }
  return {
    append: (frames, count) =>
      new Promise((resolve) => {
        waiting.push({ frames, count, resolve })
        if (inFlight < inFlightMax[workload]) write()
      }),
    caughtUp: () => undefined,
    drain: async () => {},
    close: () => db.close(),
  }
}
