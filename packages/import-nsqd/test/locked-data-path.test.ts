import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LockedDataPath } from '../src/index.js'
import { holderIn } from '../src/locked-data-path.js'
import { OldDataPath } from '../src/testing/index.js'

/** Without that program nobody else is kept out: {@link holderIn} is all there is. */
const HAS_FLOCK = spawnSync('flock', ['--version']).error === undefined

describe('the lock on the data path of an nsqd', () => {
  let old: OldDataPath

  beforeEach(async () => {
    old = await OldDataPath.create()
  })

  afterEach(() => old.remove())

  it('is refused while another process has it, and is free again when that one is gone', async function () {
    if (!HAS_FLOCK) this.skip()
    this.timeout(60_000)
    const first = await LockedDataPath.lock(old.path)
    await assert.rejects(LockedDataPath.lock(old.path), {
      code: 'E_STORAGE_LOCKED',
      message: /is in use by process \d+: stop that nsqd first$/,
    })
    await first.release()
    await first.release()
    const second = await LockedDataPath.lock(old.path)
    await second.release()
  })

  it('is free again however its owner ends', async function () {
    if (!HAS_FLOCK) this.skip()
    this.timeout(60_000)
    const module = new URL('../src/index.js', import.meta.url)
    const script = `import { LockedDataPath } from ${JSON.stringify(module.href)}
      await LockedDataPath.lock(process.argv[1])
      console.log('locked')`
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script, old.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(owner.stdout, 'data')
    await assert.rejects(LockedDataPath.lock(old.path), { code: 'E_STORAGE_LOCKED' })
    owner.kill('SIGKILL')
    await once(owner, 'exit')
    const locked = await LockedDataPath.lock(old.path)
    await locked.release()
  })

  it('names the path that is no folder, or is not there', async () => {
    const missing = join(old.path, 'missing')
    await assert.rejects(LockedDataPath.lock(missing), {
      code: 'E_STORAGE_IO',
      message: new RegExp(`${missing}: no such file or folder$`),
    })
    await writeFile(missing, '')
    await assert.rejects(LockedDataPath.lock(missing), { code: 'E_STORAGE_IO', message: /: this is no folder$/ })
  })

  describe("where Linux's list of locks has to do", () => {
    const locks = [
      '1: POSIX  ADVISORY  WRITE 11 fe:00:42 0 EOF',
      '2: FLOCK  ADVISORY  WRITE 12 fe:01:42 0 EOF',
      '3: FLOCK  ADVISORY  WRITE 13 fe:00:42 0 EOF',
      '4: FLOCK  ADVISORY  WRITE 14 00:2f:43 0 EOF',
      '',
    ].join('\n')
    const device = (major: bigint, minor: bigint): bigint => (major << 8n) | (minor & 0xffn) | ((minor & ~0xffn) << 12n)

    it('is told by device and inode', () => {
      assert.equal(holderIn(locks, { dev: device(0xfen, 0n), ino: 42n }), 13)
      assert.equal(holderIn(locks, { dev: device(0xfen, 1n), ino: 42n }), 12)
      assert.equal(holderIn(locks, { dev: device(0xfen, 2n), ino: 42n }), null)
      assert.equal(holderIn(locks, { dev: device(0xfen, 0n), ino: 44n }), null)
    })

    it('is told by the inode alone on file systems without a device of their own', () => {
      assert.equal(holderIn(locks, { dev: device(0n, 0x31n), ino: 43n }), 14)
    })
  })
})
