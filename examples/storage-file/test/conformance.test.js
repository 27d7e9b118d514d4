import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testStorage } from '@spillway/core/testing'
import { FileStorage } from '../index.js'

const RUN_MS = 100
const folder = mkdtempSync(join(tmpdir(), 'storage-file-'))
after(() => rmSync(folder, { recursive: true }))

/** Lets another process write to the storage, and kills it at a moment that has nothing to do with what it reports. */
function kill(place, durability) {
  return new Promise((resolve, reject) => {
    const lines = []
    const writer = fork(new URL('killed-writer.js', import.meta.url), [join(folder, place), durability])
    writer.on('message', (line) => {
      lines.push(line)
      // Before everything was written once there is nothing to look for.
      if (line === 'catalogue 1') setTimeout(() => writer.kill('SIGKILL'), RUN_MS)
    })
    writer.on('error', reject)
    writer.on('exit', () => resolve(lines))
  })
}

describe('storage-file', () => {
  testStorage({
    capabilities: new FileStorage(folder).capabilities,
    create: (place) => new FileStorage(join(folder, place)),
    kill,
  })
})
