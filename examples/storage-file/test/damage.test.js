import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sampleChunk, sampleRun, sequencesOf, TestLogger } from '@spillway/core/testing'
import { FileStorage } from '../index.js'

const LEASE = 1

describe('storage-file after damage', () => {
  let folder
  let file
  let storage
  let logger

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'storage-file-'))
    file = join(folder, 'logs', String(LEASE))
    logger = new TestLogger()
  })

  afterEach(async () => {
    await storage.close()
    rmSync(folder, { recursive: true })
  })

  /** Opens the log, calls `use` with it, and closes everything again. */
  async function withLog(use) {
    storage = new FileStorage(folder, logger)
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

  it('logs which file was cut, and by how much', async () => {
    await appendTwo()
    assert.deepEqual(logger.lines, [])
    const catalogue = join(folder, 'catalogue')
    for (const path of [file, catalogue]) appendFileSync(path, Buffer.alloc(5))
    await withLog(() => {})
    assert.deepEqual(
      logger.lines.map(({ level, fields }) => [level, fields.file, fields.cutSizeBytes]),
      [
        ['warn', catalogue, 5],
        ['warn', file, 5],
      ],
    )
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

  const itOnLinux = process.platform === 'linux' ? it : it.skip
  itOnLinux('takes over the lock of a process that was killed and that nobody has asked after', async () => {
    await appendTwo()
    // The shell becomes a sleep, which never asks after the shell's child; that one ends when its input does.
    const script = 'exec 3<&0; sh -c "read line" <&3 & echo $!; exec sleep 60'
    const parent = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] })
    const untilStat = async (pid, text) => {
      while (!readFileSync(`/proc/${pid}/stat`, 'utf8').includes(text)) await new Promise(setImmediate)
    }
    try {
      const pid = String((await once(parent.stdout, 'data'))[0]).trim()
      await untilStat(parent.pid, '(sleep)')
      parent.stdin.end()
      await untilStat(pid, ') Z ')
      writeFileSync(join(folder, 'lock'), pid)
      assert.equal(await withLog((log) => log.next), 4)
    } finally {
      parent.kill()
    }
  })

  itOnLinux('gives up on a folder that cannot be made, and says why in one line', async () => {
    storage = new FileStorage('/proc/nope/deeper')
    await assert.rejects(storage.open(), {
      code: 'E_STORAGE_IO',
      message: 'E_STORAGE_IO /proc/nope: no such file or directory (ENOENT)',
    })
  })
})
