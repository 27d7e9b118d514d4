import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { definePlugin, STORAGE } from '@spillway/core'
import { MemoryStorage } from '@spillway/storage-memory'

/** Put into the data path, it makes the storage refuse. */
export const REFUSE_FILE = 'refuse'
export const REFUSAL = 'the disk of this test is nearly full'

/** A storage that takes nothing new while a file lies in the data path. */
export default definePlugin({
  name: 'refusing-storage',
  provides: STORAGE,
  optionsSchema: { type: 'object', properties: {}, additionalProperties: false },
  create(_options, { clock, dataPath }) {
    return Object.defineProperty(new MemoryStorage(clock), 'refusal', {
      get: () => (existsSync(join(dataPath, REFUSE_FILE)) ? REFUSAL : null),
    })
  },
})
