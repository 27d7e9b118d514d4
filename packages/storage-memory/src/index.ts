import { definePlugin, STORAGE } from '@spillway/core'
import { MemoryStorage } from './memory-storage.js'

export { MemoryStorage }

/** The reference storage: everything in memory, gone with the process. */
export default definePlugin({
  name: 'storage-memory',
  provides: STORAGE,
  optionsSchema: { type: 'object', properties: {}, additionalProperties: false },
  create: (_options: Record<string, never>, { clock }) => new MemoryStorage(clock),
})
