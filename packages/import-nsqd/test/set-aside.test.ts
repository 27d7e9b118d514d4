import assert from 'node:assert/strict'
import { readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isNsqdDataPath, LockedDataPath, setAside } from '../src/index.js'
import { OldDataPath } from '../src/testing/index.js'

describe('the files of an nsqd that were taken over', () => {
  let old: OldDataPath
  let locked: LockedDataPath

  beforeEach(async () => {
    old = await OldDataPath.create()
    locked = await LockedDataPath.lock(old.path)
  })

  afterEach(async () => {
    await locked.release()
    await old.remove()
  })

  /** A data path as an nsqd leaves it that stopped at this second of 2026. */
  async function nsqdStopped(second: number, body: string): Promise<void> {
    await old.metadata([{ name: 't', paused: false, channels: null }])
    await old.queue('t', [[{ body }]])
    const at = new Date(Date.UTC(2026, 0, 1, 0, 0, second))
    await utimes(join(old.path, 'nsqd.dat'), at, at)
  }

  it('are moved into a folder that says when that nsqd stopped', async () => {
    await nsqdStopped(1, 'a')
    await writeFile(join(old.path, 't.diskqueue.000007.dat.bad'), '')
    await writeFile(join(old.path, 'foreign'), '')
    const aside = await setAside(locked)
    assert.equal(basename(aside), 'nsqd-imported-2026-01-01T00-00-01.000Z')
    assert.equal(await isNsqdDataPath(old.path), false)
    assert.deepEqual((await readdir(old.path)).sort(), ['foreign', basename(aside)])
    assert.deepEqual((await readdir(aside)).sort(), [
      'nsqd.dat',
      't.diskqueue.000000.dat',
      't.diskqueue.000007.dat.bad',
      't.diskqueue.meta.dat',
    ])
  })

  it('do not take the place of those of a takeover before: each has its own folder', async () => {
    await nsqdStopped(1, 'first')
    const first = await setAside(locked)
    await nsqdStopped(2, 'second')
    const second = await setAside(locked)
    assert.notEqual(first, second)
    assert.match(await readFile(join(first, 't.diskqueue.000000.dat'), 'latin1'), /first$/)
    assert.match(await readFile(join(second, 't.diskqueue.000000.dat'), 'latin1'), /second$/)
  })

  it('go where the others went already when moving was cut off', async () => {
    await nsqdStopped(1, 'a')
    const aside = await setAside(locked)
    await rename(join(aside, 'nsqd.dat'), join(old.path, 'nsqd.dat'))
    assert.equal(await setAside(locked), aside)
    assert.equal((await readdir(aside)).length, 3)
  })

  it('never overwrite anything: whatever is in the way is named, and all stays where it is', async () => {
    await nsqdStopped(1, 'first')
    const aside = await setAside(locked)
    await nsqdStopped(1, 'other')
    await assert.rejects(setAside(locked), {
      code: 'E_STORAGE_IO',
      message: /t\.diskqueue\.(000000|meta)\.dat is there already, and so is .*: move one of them elsewhere$/,
    })
    assert.match(await readFile(join(aside, 't.diskqueue.000000.dat'), 'latin1'), /first$/)
    assert.match(await readFile(join(old.path, 't.diskqueue.000000.dat'), 'latin1'), /other$/)
    assert.equal(await isNsqdDataPath(old.path), true)
  })
})
