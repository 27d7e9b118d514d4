import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Program } from '../support/program.js'
import { Random } from '../support/random.js'
import { losePower } from './power-loss.js'

const SYNC_RECORDER = new URL('./sync-recorder.js', import.meta.url)

/** Gives each file its size, writes 10 bytes, syncs in the way that its name says, and writes 5 more. */
const WRITER = `
  import * as fs from 'node:fs'
  import { open } from 'node:fs/promises'
  import { join } from 'node:path'
  import { promisify } from 'node:util'
  const [, folder] = process.argv
  const create = (name) => {
    const fd = fs.openSync(join(folder, name), 'w')
    fs.ftruncateSync(fd, 50)
    return fd
  }
  const ways = {
    fdatasync: promisify(fs.fdatasync),
    fsync: promisify(fs.fsync),
    fdatasyncSync: fs.fdatasyncSync,
    fsyncSync: fs.fsyncSync,
    never: () => undefined,
  }
  for (const [name, sync] of Object.entries(ways)) {
    const fd = create(name)
    fs.writeSync(fd, Buffer.from('-0123456789'), 1, 10, 0)
    await sync(fd)
    fs.writevSync(fd, [Buffer.from('abc'), Buffer.from('de')], 10)
  }
  const later = create('writtenInThePool')
  await promisify(fs.writev)(later, [Buffer.from('01234'), Buffer.from('56789')], 0)
  await promisify(fs.fdatasync)(later)
  await promisify(fs.write)(later, Buffer.from('abcde'), 0, 5, 10)
  const meanwhile = create('writtenMeanwhile')
  fs.writeSync(meanwhile, '0123456789', 0)
  const synced = promisify(fs.fdatasync)(meanwhile)
  fs.writeSync(meanwhile, 'abcde', 10)
  await synced
  for (const name of ['sync', 'datasync']) {
    const handle = await open(join(folder, name), 'w')
    await handle.write('0123456789')
    await handle[name]()
    await handle.write('abcde')
  }
  const handle = await open(folder)
  await handle.sync()
  create('notKnownToBeThere')
`

describe('a loss of power', () => {
  let directory: string

  beforeEach(function () {
    // Only Linux says which file a descriptor is.
    if (process.platform !== 'linux') this.skip()
    directory = mkdtempSync(join(tmpdir(), 'spillway-test-'))
  })
  afterEach(() => {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
  })

  it('takes what was not synced, however syncs and writes were made; what is left stays', async () => {
    const files = join(directory, 'files')
    mkdirSync(files)
    const record = join(directory, 'syncs')
    const program = new Program({
      command: process.execPath,
      args: ['--import', SYNC_RECORDER.href, '--input-type=module', '--eval', WRITER, files],
      env: { SPILLWAY_TEST_SYNC_RECORD: record },
    })
    assert.deepEqual(await program.exited, { code: 0, signal: null }, program.stderr)
    const random = new Random(1)
    random.pick = ([first]) => first // of what was not synced, nothing stays
    random.chance = () => true // what is not known to be in the folder is not there
    assert.equal(losePower(files, record, random), 8 * 5 + 15)
    const names = readdirSync(files)
    assert.equal(names.length, 9)
    assert.ok(!names.includes('notKnownToBeThere'))
    for (const name of names) {
      const content = readFileSync(join(files, name), 'latin1')
      assert.equal(content.replaceAll('\0', ''), name === 'never' ? '' : '0123456789', name)
    }
    assert.equal(losePower(files, record, random), 0)
  })

  it('leaves any part of what was not synced, and nothing that was never written', () => {
    const path = join(directory, 'journal')
    const record = `${directory}.syncs`
    const content = Buffer.concat([Buffer.alloc(40_000, 'x'), Buffer.alloc(10_000)])
    const left = new Set<number>()
    for (let seed = 0; seed < 50; seed++) {
      writeFileSync(path, content)
      const lines = [
        { path, inode: statSync(path).ino, writtenBytes: 10_000 },
        { path: directory, names: ['journal'] },
      ]
      writeFileSync(record, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
      const lostBytes = losePower(directory, record, new Random(seed))
      const found = readFileSync(path)
      const leftBytes = found.filter((byte) => byte !== 0).length
      assert.equal(found.length, content.length)
      assert.ok(found.subarray(0, 10_000).equals(content.subarray(0, 10_000)))
      assert.equal(leftBytes + lostBytes, 40_000)
      left.add(leftBytes)
    }
    rmSync(record)
    assert.ok(left.has(10_000) && left.size > 10, `${[...left]}`)
  })

  it('does not take a new file for the one that had its name before, nor a line that was cut off', () => {
    const path = join(directory, 'journal')
    writeFileSync(path, '0123456789')
    const record = `${directory}.syncs`
    const lines = [
      { path, inode: statSync(path).ino + 1, writtenBytes: 10 },
      { path: directory, names: ['journal'] },
    ]
    writeFileSync(record, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n{"path": "torn`)
    assert.equal(losePower(directory, record, new Random(1)), 10)
    assert.equal(statSync(path).size, 0)
    rmSync(record)
  })
})
