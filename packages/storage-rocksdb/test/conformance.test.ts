import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { Durability } from '@spillway/core'
import { testStorage } from '@spillway/core/testing'
import { makeStorage, temporaryFolder } from './support.js'

describe('storage-rocksdb', () => {
  const folder = temporaryFolder()

  /** Lets another process write to the storage, and kills it at a moment that has nothing to do with what it reports. */
  function kill(place: string, durability: Durability): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      const lines: string[] = []
      const writer = fork(new URL('killed-writer.js', import.meta.url), [join(folder, place), durability])
      writer.once('message', () => setTimeout(() => writer.kill('SIGKILL'), 150))
      writer.on('message', (line) => lines.push(String(line)))
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
