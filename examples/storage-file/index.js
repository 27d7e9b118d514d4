import { resolve } from 'node:path'
import { definePlugin, STORAGE } from '@spillway/core'
import { FileStorage } from './file-storage.js'

export { FileStorage }

export default definePlugin({
  name: 'storage-file',
  provides: STORAGE,
  optionsSchema: {
    type: 'object',
    properties: {
      path: { type: 'string', default: 'files', description: 'Folder for the files, relative to the data path.' },
      durability: { enum: ['process'], default: 'process' },
    },
    additionalProperties: false,
  },
  create: ({ path }, { dataPath, logger }) => new FileStorage(resolve(dataPath, path), logger),
})
