import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { FileFixture, writeLine } from './file-fixture.js'

const MINUTE_MS = 60_000

describe('the files of a topic', () => {
  const fixture = new FileFixture()
  const put = (folder: string, name: string, text: string): void => {
    mkdirSync(join(fixture.folder, folder), { recursive: true })
    writeFileSync(join(fixture.folder, folder, name), text)
  }

  it('one follows the other when the name changes', async () => {
    const series = fixture.series()
    await writeLine(series, 'a')
    await writeLine(series, 'b')
    fixture.clock.advance(MINUTE_MS)
    await writeLine(series, 'c')
    await series.close()
    assert.deepEqual(fixture.files(), { 't.04.log': 'a\nb\n', 't.05.log': 'c\n' })
  })

  it('a plain file is continued, on a line of its own', async () => {
    put('out', 't.04.log', 'earlier\nhalf a li')
    const series = fixture.series()
    await writeLine(series, 'a')
    await series.close()
    await writeLine(series, 'b')
    await series.close()
    assert.deepEqual(fixture.files(), { 't.04.log': 'earlier\nhalf a li\na\nb\n' })
  })

  it('another begins once one has more bytes than it is to have', async () => {
    const series = fixture.series({ rotateSizeBytes: 4 })
    for (const line of ['a', 'b', 'c', 'd', 'e']) await writeLine(series, line)
    await series.close()
    // At exactly 4 it is not full yet.
    assert.deepEqual(fixture.files(), { 't-000000.04.log': 'a\nb\nc\n', 't-000001.04.log': 'd\ne\n' })
  })

  it('the first one that is not full is continued', async () => {
    put('out', 't-000000.04.log', 'full up\n')
    put('out', 't-000001.04.log', 'a\n')
    const series = fixture.series({ rotateSizeBytes: 4 })
    await writeLine(series, 'b')
    await series.close()
    assert.deepEqual(fixture.files(), { 't-000000.04.log': 'full up\n', 't-000001.04.log': 'a\nb\n' })
  })

  it('another begins after the interval, and after a change of name the revision begins anew', async () => {
    const series = fixture.series({ rotateIntervalMs: 20_000 })
    await writeLine(series, 'a')
    fixture.clock.advance(20_000)
    await writeLine(series, 'b')
    fixture.clock.advance(1)
    await writeLine(series, 'c')
    fixture.clock.advance(MINUTE_MS)
    await writeLine(series, 'd')
    await series.close()
    const expected = { 't-000000.04.log': 'a\nb\n', 't-000001.04.log': 'c\n', 't-000000.05.log': 'd\n' }
    assert.deepEqual(fixture.files(), expected)
  })

  it('with an interval or compression, what is there is left alone', async () => {
    put('out', 't-000000.04.log', 'somebody’s\n')
    const series = fixture.series({ rotateIntervalMs: MINUTE_MS })
    await writeLine(series, 'a')
    await series.close()
    assert.deepEqual(fixture.files(), { 't-000000.04.log': 'somebody’s\n', 't-000001.04.log': 'a\n' })
    assert.ok(fixture.logger.lines.some((line) => /^warn: there is a file .*-000000\.04\.log already$/.test(line)))
  })

  it('the names of new files and folders are on the disk before there is anything in them', async function () {
    // Who is synced can only be asked here.
    if (process.platform !== 'linux') return this.skip()
    const handle = await open(fixture.folder)
    const prototype: FileHandle = Object.getPrototypeOf(handle)
    await handle.close()
    const { sync } = prototype
    const synced: string[] = []
    prototype.sync = function (this: FileHandle) {
      synced.push(relative(fixture.folder, readlinkSync(`/proc/self/fd/${this.fd}`)))
      return sync.call(this)
    }
    try {
      const series = fixture.series({ format: 'a/b/<DATETIME>' })
      await series.rotate()
      await series.close()
      assert.deepEqual(synced, ['', 'out', 'out/a', 'out/a/b'])
    } finally {
      prototype.sync = sync
    }
  })

  it('folders in names are made', async () => {
    const series = fixture.series({ format: 'a/<DATETIME>/t<REV>.log', rotateSizeBytes: 100 })
    await writeLine(series, 'x')
    await series.close()
    assert.deepEqual(fixture.files(), { 'a/04/t-000000.log': 'x\n' })
  })

  describe('compressed', () => {
    it('what was synced can be read, whatever comes behind it', async () => {
      const series = fixture.series({ gzipLevel: 6 })
      await writeLine(series, 'a')
      await series.sync()
      await writeLine(series, 'b')
      await series.sync()
      const path = join(fixture.folder, 'out', 't-000000.04.log.gz')
      const synced = readFileSync(path)
      assert.equal(gunzipSync(synced).toString(), 'a\nb\n')
      // What is written behind it is not compressed before the next sync, and torn by a crash there.
      await writeLine(series, 'c')
      assert.deepEqual(readFileSync(path), synced)
      await series.close()
      const whole = readFileSync(path)
      assert.deepEqual(whole.subarray(0, synced.length), synced)
      assert.equal(gunzipSync(whole).toString(), 'a\nb\nc\n')
    })

    it('is rotated by what it holds, not by its bytes', async () => {
      const series = fixture.series({ gzipLevel: 9, rotateSizeBytes: 1_000 })
      for (let i = 0; i < 3; i++) {
        await writeLine(series, 'x'.repeat(999))
        await series.sync()
      }
      await series.close()
      assert.deepEqual(
        Object.values(fixture.files()).map(({ length }) => length),
        [2_000, 1_000],
      )
    })

    it('is a gzip file also when it is empty', async () => {
      const series = fixture.series({ gzipLevel: 1 })
      await series.rotate()
      await series.close()
      assert.deepEqual(fixture.files(), { 't-000000.04.log.gz': '' })
    })

    it('a large message is not held back', async () => {
      const series = fixture.series({ gzipLevel: 1 })
      const large = 'y'.repeat(3_000_000)
      await writeLine(series, large)
      await writeLine(series, 'z')
      await series.close()
      assert.deepEqual(fixture.files(), { 't-000000.04.log.gz': `${large}\nz\n` })
    })
  })

  describe('with a work folder', () => {
    it('a file is moved when it is finished', async () => {
      const series = fixture.series({ workFolder: join(fixture.folder, 'work') })
      await writeLine(series, 'a')
      assert.deepEqual([fixture.files(), fixture.files('work')], [{}, { 't-000000.04.log': 'a\n' }])
      await series.close()
      assert.deepEqual([fixture.files(), fixture.files('work')], [{ 't-000000.04.log': 'a\n' }, {}])
    })

    it('what comes after that goes into another one', async () => {
      const series = fixture.series({ workFolder: join(fixture.folder, 'work') })
      for (const line of ['a', 'b']) {
        await writeLine(series, line)
        await series.close()
      }
      assert.deepEqual(fixture.files(), { 't-000000.04.log': 'a\n', 't-000001.04.log': 'b\n' })
    })

    it('nothing is written where it could not be moved', async function () {
      const work = '/dev/shm'
      if (!existsSync(work) || statSync(work).dev === statSync(tmpdir()).dev) this.skip()
      const elsewhere = mkdtempSync(join(work, 'spillway-work-'))
      try {
        await assert.rejects(
          writeLine(fixture.series({ workFolder: elsewhere }), 'a'),
          /on different file systems; use another --work-dir/,
        )
        assert.deepEqual(readdirSync(elsewhere), [])
      } finally {
        rmSync(elsewhere, { recursive: true })
      }
    })

    it('nothing is overwritten by moving', async () => {
      const series = fixture.series({ workFolder: join(fixture.folder, 'work') })
      await writeLine(series, 'a')
      put('out', 't-000000.04.log', 'meanwhile\n')
      put('out', 't-000001.04.log', 'and again\n')
      await series.close()
      const expected = { 't-000000.04.log': 'meanwhile\n', 't-000001.04.log': 'and again\n', 't-000002.04.log': 'a\n' }
      assert.deepEqual([fixture.files(), fixture.files('work')], [expected, {}])
    })

    it('no name is begun that is finished already', async () => {
      put('out', 't-000000.04.log', 'finished\n')
      const series = fixture.series({ workFolder: join(fixture.folder, 'work') })
      await writeLine(series, 'a')
      assert.deepEqual(fixture.files('work'), { 't-000001.04.log': 'a\n' })
      await series.close()
    })

    it('an unfinished plain file is continued', async () => {
      put('work', 't-000000.04.log', 'before the crash\n')
      const series = fixture.series({ workFolder: join(fixture.folder, 'work') })
      await writeLine(series, 'a')
      await series.close()
      assert.deepEqual(fixture.files(), { 't-000000.04.log': 'before the crash\na\n' })
    })
  })

  describe('what cannot be done is said in a line', () => {
    it('a folder that cannot be made', async () => {
      put('.', 'out', 'a file')
      await assert.rejects(fixture.series().rotate(), {
        message: `cannot open ${fixture.folder}/out/t.04.log: ENOTDIR: not a directory`,
      })
    })

    it('a full disk', async function () {
      if (process.platform !== 'linux') this.skip()
      const series = fixture.series({ outputFolder: '/dev', workFolder: '/dev', format: 'full' })
      await series.rotate()
      await assert.rejects(series.write(Buffer.from('a\n')), {
        message: 'cannot write to /dev/full: ENOSPC: no space left on device',
      })
      await assert.rejects(series.close(), /^Error: cannot close \/dev\/full: /)
    })

    it('a file that went from the work folder', async () => {
      const series = fixture.series({ workFolder: join(fixture.folder, 'work') })
      await writeLine(series, 'a')
      unlinkSync(join(fixture.folder, 'work', 't-000000.04.log'))
      await assert.rejects(series.close(), /cannot move .* ENOENT: no such file or directory/)
    })
  })
})
