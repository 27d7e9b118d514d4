import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { Durability } from '@spillway/core'
import { testStorage } from '@spillway/core/testing'
import { makeStorage, temporaryFolder } from './support.js'

const RUN_MS = 100

describe('storage-rocksdb', () => {
  const folder = temporaryFolder()

  /** Lets another process write to the storage, and kills it at a moment that has nothing to do with what it reports. */
  function kill(place: string, durability: Durability): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      const lines: string[] = []
      const writer = fork(new URL('killed-writer.js', import.meta.url), [join(folder, place), durability])
      writer.on('message', (line) => {
        lines.push(String(line))
        // Before everything was written once there is nothing to look for.
        if (line === 'catalogue 1') setTimeout(() => writer.kill('SIGKILL'), RUN_MS)
      })
      writer.on('error', reject)
      writer.on('exit', () => resolve(lines))
    })
  }

  testStorage({
    capabilities: makeStorage(folder).capabilities,
    create: (place) => makeStorage(join(folder, place)),
    kill,
  })
})
