import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Journal } from '../journal.mjs'
import { BLOB_OPTIONS } from './blob-options.mjs'
import { GroupSync } from './group-sync.mjs'
import { StoreBehind } from './store-behind.mjs'

/** A journal in front; RocksDB gets stretches of up to 1 MiB behind it, or nothing when all is `consumed` in time. */
export async function openJournal({ module: RocksDB, dir, consumed = false, power = false }) {
  const db = new RocksDB(join(dir, 'rocksdb'), { ...BLOB_OPTIONS, writeBufferSize: 16 * 2 ** 20 })
  await db.ready()
  mkdirSync(join(dir, 'journal'))
  const behind = new StoreBehind(db, { consumed, power })
  const journal = new Journal(join(dir, 'journal'), {
    preparation: 'truncate',
    onFull: (fd, path) => behind.addFullFile({ fd, path, settled: sync?.settled(fd) }),
  })
  const sync = power ? new GroupSync() : undefined
  let sequence = 0
  return {
    append(frames, count) {
      journal.append(frames, count, sequence++)
      behind.add(frames, count)
      return sync?.wait(journal.fd)
    },
    caughtUp: () => behind.caughtUp(),
    drain: () => behind.drain(),
    async close() {
      journal.close()
      await db.close()
    },
  }
}
