import type { SpillwayConfig } from '@spillway/core/node'

/** What `spillway start` runs without a configuration file. `config/default.json` says the same. */
export const DEFAULT_CONFIG: SpillwayConfig = {
  node: { dataPath: './data' },
  storage: { use: '@spillway/storage-rocksdb', options: { durability: 'process' } },
  transports: [
    { use: '@spillway/transport-tcp', options: { address: '0.0.0.0:4150' } },
    { use: '@spillway/transport-http', options: { address: '0.0.0.0:4151' } },
  ],
}
