import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

describe('an executable that is not built', () => {
  it('says what builds it, also where the compiler is missing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'spillway-unbuilt-'))
    cpSync(fileURLToPath(new URL('../../bin', import.meta.url)), join(folder, 'bin'), { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const { status, stderr } = spawnSync(process.execPath, [join(folder, 'bin', 'nsqd.js')], { encoding: 'utf8' })
    rmSync(folder, { recursive: true })
    assert.equal(status, 1)
    assert.equal(
      stderr,
      'nsqd: Spillway is not built here yet; run: npm ci\n' +
        'It builds, which takes the compiler: not with --omit=dev. What only building takes goes afterwards with: npm prune --omit=dev\n',
    )
  })
})
