import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeFolders } from '../../../src/tools/nsq-to-file/make-folders.js'

describe('making folders', () => {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-folders-'))
  after(() => rmSync(folder, { recursive: true }))

  it('makes all that are missing, and leaves those alone that are there', async () => {
    const path = join(folder, 'a/b/c')
    const made = [join(folder, 'a'), join(folder, 'a/b'), path]
    assert.deepEqual(await makeFolders(path, 0o750), made)
    assert.deepEqual(await makeFolders(path, 0o750), [])
    assert.ok(statSync(path).isDirectory())
  })

  it('ends with what the system says where nothing can be made, instead of trying for ever', async function () {
    if (process.platform !== 'linux') this.skip()
    await assert.rejects(makeFolders('/proc/none/of/these', 0o750), { code: 'ENOENT' })
  })
})
