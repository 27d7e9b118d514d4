import { definePlugin, STORAGE } from '@spillway/core'
import { OPTIONS_SCHEMA, type RocksdbOptions } from './options.js'
import { RocksdbStorage } from './rocksdb-storage.js'

export type { RocksdbOptions } from './options.js'
export { RocksdbStorage } from './rocksdb-storage.js'

/** The durable storage: a journal in front, RocksDB behind it. */
export default definePlugin({
  name: 'storage-rocksdb',
  provides: STORAGE,
  optionsSchema: OPTIONS_SCHEMA,
  create: (options: RocksdbOptions, { clock, logger, dataPath, memorySizeBytesMax }) =>
    new RocksdbStorage({ options, clock, logger, dataPath, memorySizeBytesMax }),
})
