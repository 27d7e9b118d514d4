import { definePlugin, STORAGE } from '@spillway/core'
import { MemoryStorage, type MemoryStorageOptions } from './memory-storage.js'

export { MemoryStorage }

/** The reference storage: everything in memory, gone with the process. */
export default definePlugin({
  name: 'storage-memory',
  provides: STORAGE,
  optionsSchema: {
    type: 'object',
    properties: {
      whenFull: {
        enum: ['refuse', 'drop-oldest'],
        default: 'refuse',
        description:
          'What happens when node.memorySizeBytesMax is reached: "refuse" refuses publishes, "drop-oldest" drops the oldest messages of the largest topic.',
      },
    },
    additionalProperties: false,
  },
  create: (options: MemoryStorageOptions, { clock }) => new MemoryStorage(clock, options),
})
