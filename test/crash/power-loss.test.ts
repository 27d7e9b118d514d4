import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Program } from '../support/program.js'
import { dropWhatWasNotSynced } from './power-loss.js'

const SYNC_RECORDER = new URL('./sync-recorder.js', import.meta.url)

/** Writes 10 bytes, syncs in the way that its name says, writes 5 more. */
const WRITER = `
  import { fdatasync, fdatasyncSync, fsync, fsyncSync, openSync, writeSync } from 'node:fs'
  import { open } from 'node:fs/promises'
  import { join } from 'node:path'
  import { promisify } from 'node:util'
  const ways = {
    fdatasync: promisify(fdatasync),
    fsync: promisify(fsync),
    fdatasyncSync,
    fsyncSync,
    never: () => undefined,
  }
  for (const [name, sync] of Object.entries(ways)) {
    const fd = openSync(join(process.argv[1], name), 'w')
    writeSync(fd, '0123456789')
    await sync(fd)
    writeSync(fd, 'abcde')
  }
  for (const name of ['sync', 'datasync']) {
    const handle = await open(join(process.argv[1], name), 'w')
    await handle.write('0123456789')
    await handle[name]()
    await handle.write('abcde')
  }
  const fd = openSync(join(process.argv[1], 'writtenMeanwhile'), 'w')
  writeSync(fd, '0123456789')
  const synced = promisify(fdatasync)(fd)
  writeSync(fd, 'abcde')
  await synced
`

describe('dropping what was not synced', () => {
  let directory: string

  beforeEach(function () {
    // Only Linux says which file a descriptor is.
    if (process.platform !== 'linux') this.skip()
    directory = mkdtempSync(join(tmpdir(), 'spillway-test-'))
  })
  afterEach(() => {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
  })

  it('cuts every file to its length when the last sync began, however it was synced', async () => {
    const files = join(directory, 'files')
    mkdirSync(files)
    const record = join(directory, 'syncs')
    const program = new Program({
      command: process.execPath,
      args: ['--import', SYNC_RECORDER.href, '--input-type=module', '--eval', WRITER, files],
      env: { SPILLWAY_TEST_SYNC_RECORD: record },
    })
    assert.deepEqual(await program.exited, { code: 0, signal: null }, program.stderr)
    assert.deepEqual(dropWhatWasNotSynced(files, record), { fileCount: 8, sizeBytes: 7 * 5 + 15 })
    const sizeOf = (name: string) => statSync(join(files, name)).size
    for (const name of ['fdatasync', 'fsync', 'fdatasyncSync', 'fsyncSync', 'sync', 'datasync', 'writtenMeanwhile'])
      assert.equal(sizeOf(name), 10, name)
    assert.equal(sizeOf('never'), 0)
    assert.deepEqual(dropWhatWasNotSynced(files, record), { fileCount: 0, sizeBytes: 0 })
  })

  it('does not take a new file for the one that had its name before', () => {
    const path = join(directory, 'journal')
    writeFileSync(path, '0123456789')
    const record = join(directory, 'syncs')
    const inode = statSync(path).ino
    writeFileSync(record, `${JSON.stringify({ path, inode: inode + 1, sizeBytes: 10 })}\n{"path": "torn`)
    assert.deepEqual(dropWhatWasNotSynced(path.slice(0, -'/journal'.length), record).fileCount, 2)
    assert.equal(statSync(path).size, 0)
  })
})
