import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDataPath, readFolderBytes, removeDataPath } from '../src/data-path.js'

describe('a data path', () => {
  let folder = ''
  beforeEach(() => {
    folder = makeDataPath()
  })
  afterEach(() => removeDataPath(folder))

  it('takes what its files take of the disk, in every folder below', () => {
    mkdirSync(join(folder, 'below', 'deeper'), { recursive: true })
    writeFileSync(join(folder, 'a'), Buffer.alloc(100_000, 1))
    writeFileSync(join(folder, 'below', 'deeper', 'b'), Buffer.alloc(50_000, 1))
    const sizeBytes = readFolderBytes(folder)
    assert.ok(sizeBytes >= 150_000 && sizeBytes < 300_000, `${sizeBytes}`)
  })

  it('takes nothing once it is removed', () => {
    writeFileSync(join(folder, 'a'), 'x')
    removeDataPath(folder)
    assert.equal(existsSync(folder), false)
    assert.equal(readFolderBytes(folder), 0)
  })
})
