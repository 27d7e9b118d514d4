import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BrokerError, type ErrorCode } from '@spillway/core'
import { sequencesOf } from '@spillway/core/testing'
import { Database } from '../src/database.js'
import { chunkAt } from './sample-log.js'
import { makeStorage, temporaryFolder } from './support.js'

describe('A damaged RocksDB', () => {
  const root = temporaryFolder()
  let path: string
  let database: string

  /** A closed storage with two logs, which lie in different files. */
  beforeEach(async () => {
    path = join(root, 'data')
    database = join(path, 'rocksdb')
    rmSync(path, { recursive: true, force: true })
    for (const log of [1, 2]) {
      const storage = makeStorage(path)
      await storage.open()
      const store = await storage.openLog(log, { durability: 'process', epoch: 0 })
      await store.append(chunkAt(log, 0, 300))
      await storage.close()
    }
  })

  function fileOf(pattern: RegExp): string {
    const name = readdirSync(database).find((each) => pattern.test(each))
    assert(name !== undefined)
    return join(database, name)
  }

  function flip(file: string, at: number): void {
    const bytes = readFileSync(file)
    bytes[at] ^= 0xff
    writeFileSync(file, bytes)
  }

  async function refusesToOpen(code: ErrorCode): Promise<BrokerError> {
    const failure = await makeStorage(path)
      .open()
      .then(
        () => null,
        (error: unknown) => error,
      )
    assert(failure instanceof BrokerError, 'it opened')
    assert.equal(failure.code, code)
    assert(failure.detail.includes(database), failure.detail)
    assert(!failure.detail.includes('\n'), failure.detail)
    return failure
  }

  for (const [what, damage] of [
    ['with a bad byte in a .sst file', () => flip(fileOf(/\.sst$/), 5)],
    ['with a .sst file that is cut off', () => truncateSync(fileOf(/\.sst$/), 100)],
    ['without one of its .sst files', () => unlinkSync(fileOf(/\.sst$/))],
    ['with a bad byte in its MANIFEST', () => flip(fileOf(/^MANIFEST/), 40)],
    ['without its MANIFEST', () => unlinkSync(fileOf(/^MANIFEST/))],
    ['without CURRENT', () => unlinkSync(fileOf(/^CURRENT$/))],
  ] as const) {
    it(`${what} is damage, and what is left of it stays`, async () => {
      damage()
      const before = readdirSync(database).filter((name) => /\.(sst|blob)$/.test(name))
      await refusesToOpen('E_STORAGE_CORRUPT')
      const after = readdirSync(database)
      assert.deepEqual(
        before.filter((name) => !after.includes(name)),
        [],
      )
    })
  }

  for (const [what, damage] of [
    ['with a bad byte', (file: string) => flip(file, 2000)],
    ['that is cut off', (file: string) => truncateSync(file, 1000)],
    ['that is missing', (file: string) => unlinkSync(file)],
  ] as const) {
    it(`with a .blob file ${what} fails the reads of the log that lies in it, and no others`, async () => {
      const file = readdirSync(database).find((name) => {
        return /\.blob$/.test(name) && readFileSync(join(database, name)).includes('1/7 ')
      })
      damage(join(database, file as string))
      const storage = makeStorage(path)
      await storage.open()
      const damaged = await storage.openLog(1, { durability: 'process', epoch: 0 })
      await assert.rejects(damaged.read(0, 1_000_000), (error: BrokerError) => {
        assert.equal(error.code, 'E_STORAGE_CORRUPT')
        assert(error.detail.startsWith(`${database}: log 1, records from 0 on`), error.detail)
        return true
      })
      const whole = await storage.openLog(2, { durability: 'process', epoch: 0 })
      assert.equal(sequencesOf(await whole.read(0, 10_000_000)).length, 300)
      await damaged.append(chunkAt(1, 300, 1))
      assert.deepEqual(sequencesOf(await damaged.read(300, 1_000_000)), [300])
      await storage.close()
    })
  }

  it('reads no message for knowing what exists', async () => {
    const storage = makeStorage(path)
    await storage.open()
    storage.writeCatalogue([{ key: 'topic/orders', value: Buffer.from('entry') }])
    await storage.close()
    for (const name of readdirSync(database)) if (/\.blob$/.test(name)) flip(join(database, name), 2000)
    const again = makeStorage(path)
    await again.open()
    assert.deepEqual([...(await again.readCatalogue('')).keys()], ['topic/orders'])
    await again.close()
  })

  it('says that another process has it', async () => {
    const holder = fork(new URL('killed-writer.js', import.meta.url), [path, 'process'])
    await once(holder, 'message')
    const { detail } = await refusesToOpen('E_STORAGE_LOCKED')
    assert.equal(detail, `${database} is in use by another process; each broker needs a data path of its own`)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    const storage = makeStorage(path)
    await storage.open()
    await storage.close()
  })

  it('says where it wanted to write when it may not', async () => {
    rmSync(path, { recursive: true })
    writeFileSync(path, 'a file where the folder should be')
    const failure = await makeStorage(path)
      .open()
      .catch((error: unknown) => error)
    assert(failure instanceof BrokerError)
    assert.equal(failure.code, 'E_STORAGE_IO')
    assert(failure.detail.includes(path), failure.detail)
    rmSync(path)
  })

  it('is not changed by who only looks', async () => {
    const before = readdirSync(database).sort()
    const opened = new Database(database)
    await opened.open({ readOnly: true })
    assert((await opened.get(Buffer.from('v'))) !== null)
    await opened.close()
    assert.deepEqual(readdirSync(database).sort(), before)
  })
})
