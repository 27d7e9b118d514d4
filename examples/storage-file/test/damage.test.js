import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sampleChunk, sampleRun, sequencesOf } from '@spillway/core/testing'
import { FileStorage } from '../index.js'

const LEASE = 1

describe('storage-file after damage', () => {
  let folder
  let file
  let storage

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'storage-file-'))
    file = join(folder, 'logs', String(LEASE))
  })

  afterEach(async () => {
    await storage.close()
    rmSync(folder, { recursive: true })
  })

  /** Opens the log, calls `use` with it, and closes everything again. */
  async function withLog(use) {
    storage = new FileStorage(folder)
    await storage.open()
    const log = await storage.openLog(LEASE, { durability: 'process', epoch: 0 })
    const result = await use(log)
    await storage.close()
    return result
  }

  const appendTwo = () =>
    withLog((log) => {
      log.append(sampleRun(0, 2))
      const sizeBytes = statSync(file).size
      log.append(sampleRun(2, 2))
      return sizeBytes
    })

  it('drops an entry of which only the beginning was written, and goes on in its place', async () => {
    const firstSizeBytes = await appendTwo()
    const whole = readFileSync(file)
    for (let sizeBytes = firstSizeBytes; sizeBytes < whole.length; sizeBytes++) {
      writeFileSync(file, whole)
      truncateSync(file, sizeBytes)
      const found = await withLog(async (log) => {
        assert.equal(log.next, 2)
        log.append(sampleRun(2, 1))
        return sequencesOf(await log.read(0, 10_000))
      })
      assert.deepEqual(found, [0, 1, 2], `cut at byte ${sizeBytes}`)
    }
  })

  it('says where a damaged entry is, and gives none of it out', async () => {
    await appendTwo()
    const whole = readFileSync(file)
    whole[60] ^= 1
    writeFileSync(file, whole)
    await assert.rejects(
      withLog(() => {}),
      { code: 'E_STORAGE_CORRUPT', message: /entry at byte 0/ },
    )
  })

  it('does not take zeros at the end for an entry', async () => {
    await appendTwo()
    appendFileSync(file, Buffer.alloc(100))
    await assert.rejects(
      withLog(() => {}),
      { code: 'E_STORAGE_CORRUPT' },
    )
  })

  it('gives disk space back when records are trimmed', async () => {
    await withLog(async (log) => {
      for (let first = 0; first < 20; first++) log.append(sampleChunk(first, ['x'.repeat(1024 * 1024)]))
      await log.saveCursor(1, { head: Buffer.from('kept'), pages: new Map([[3, Buffer.from('page')]]) })
      await log.trim(19)
    })
    assert.ok(statSync(file).size < 2 * 1024 * 1024)
    await withLog(async (log) => {
      assert.deepEqual([log.first, log.next], [19, 20])
      assert.deepEqual(sequencesOf(await log.read(0, 10)), [19])
      assert.equal((await log.loadCursor(1)).pages.get(3).toString(), 'page')
    })
  })

  it('takes over the lock of a process that is gone', async () => {
    await appendTwo()
    writeFileSync(join(folder, 'lock'), '4194305') // above the highest process id that Linux gives out
    assert.equal(await withLog((log) => log.next), 4)
  })
})
