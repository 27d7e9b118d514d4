import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OldDataPath } from '@spillway/import-nsqd/testing'
import { spillway } from '../../src/spillway/main.js'

describe('spillway import', () => {
  let folder: string
  let old: OldDataPath

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'spillway-import-'))
    old = await OldDataPath.create()
    const config = {
      node: { dataPath: './data' },
      storage: { use: '@spillway/storage-rocksdb' },
      transports: [{ use: '@spillway/transport-tcp', options: { address: '127.0.0.1:0' } }],
    }
    writeFileSync(join(folder, 'spillway.json'), JSON.stringify(config))
  })

  afterEach(async () => {
    rmSync(folder, { recursive: true })
    await old.remove()
  })

  async function run(from: string, ...options: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    let stdout = ''
    let stderr = ''
    const output = { out: (text: string) => (stdout += text), err: (text: string) => (stderr += text) }
    const code = await spillway(['import', from, '--config', join(folder, 'spillway.json'), ...options], output)
    return { code, stdout, stderr }
  }

  it('says what it has taken over, and exits 0', async () => {
    await old.metadata([{ name: 't', paused: false, channels: [{ name: 'c', paused: true }] }])
    await old.queue('t:c', [[{ body: 'a' }, { body: 'b' }]])
    const { code, stdout } = await run(old.path)
    assert.equal(code, 0)
    assert.match(stdout, /^t: 0 messages at the topic itself\n {2}c \(paused\): 2 messages\n\n2 messages, /)
  })

  it('exits 1 when something is missing, and names it, also to scripts', async () => {
    await old.metadata([{ name: 't', paused: false, channels: null }])
    await old.queue('t', [[{ body: 'a' }], [{ body: 'b' }]])
    const missing = join(old.path, 't.diskqueue.000001.dat')
    rmSync(missing)
    const { code, stdout } = await run(old.path, '--json')
    assert.equal(code, 1)
    const { isComplete, damages, differences } = JSON.parse(stdout)
    assert.equal(isComplete, false)
    assert.deepEqual(damages, [{ kind: 'missing', path: missing, offset: 0, sizeBytes: 0 }])
    assert.deepEqual(differences, [{ queue: 't', expectedCount: 2, messageCount: 1 }])
  })

  it('exits 2 with code and path when nothing could be done, also to scripts', async () => {
    const missing = join(old.path, 'missing')
    const { code, stdout, stderr } = await run(missing, '--json')
    assert.equal(code, 2)
    const detail = `${missing}: no such file or folder`
    assert.deepEqual(JSON.parse(stdout), { from: missing, error: { code: 'E_STORAGE_IO', detail } })
    assert.equal(stderr, `spillway: E_STORAGE_IO ${detail}\n`)
  })

  it('takes messages as large as nsqd did where it is told', async () => {
    await old.metadata([{ name: 't', paused: false, channels: null }])
    await old.queue('t', [[{ body: 'x'.repeat(2_000_000) }]])
    const { code, stdout } = await run(old.path, '--max-msg-size=2000000')
    assert.equal(code, 0, stdout)
    assert.equal((await run(old.path, '--max-msg-size=2M')).code, 2)
  })

  it('holds the larger ones for damage otherwise, and says so', async () => {
    await old.metadata([{ name: 't', paused: false, channels: null }])
    await old.queue('t', [[{ body: 'x'.repeat(2_000_000) }]])
    const { code, stdout } = await run(old.path)
    assert.equal(code, 1)
    assert.match(stdout, /what begins there is larger than --max-msg-size\n.*counted 1 messages, 0 were found/)
  })
})
