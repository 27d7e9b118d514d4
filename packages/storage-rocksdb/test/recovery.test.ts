import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Chunk, LogStore } from '@spillway/core'
import { recordsOf, sampleChunk, sequencesOf, TestLogger } from '@spillway/core/testing'
import { RecordKind } from '../src/journal/record.js'
import { logKey } from '../src/keys.js'
import type { RocksdbStorage } from '../src/rocksdb-storage.js'
import { encodeValueList } from '../src/value-list.js'
import { makeJournal } from './journal/support.js'
import { makeStorage, temporaryFolder } from './support.js'

const LOG = 4
const PROCESS = { durability: 'process', epoch: 0 } as const

describe('Recovery', () => {
  const root = temporaryFolder()
  let path: string
  let placeCount = 0

  beforeEach(() => {
    path = join(root, `place-${++placeCount}`)
    mkdirSync(join(path, 'journal'), { recursive: true })
  })

  const chunkRecord = ({ first, count, frames, attributes }: Chunk) => {
    return { kind: RecordKind.chunk, log: LOG, first, count, attributes, payload: frames }
  }

  /** Writes a journal as a broker that was killed has left it. */
  async function journalOf(...records: Parameters<ReturnType<typeof makeJournal>['append']>[0][]): Promise<void> {
    const journal = makeJournal(join(path, 'journal'), 1024 * 1024)
    journal.open(1, 0, [])
    for (const record of records) await journal.append(record, false)
    await journal.close(false)
  }

  async function opened(): Promise<{ storage: RocksdbStorage; log: LogStore }> {
    const storage = makeStorage(path)
    await storage.open()
    return { storage, log: await storage.openLog(LOG, PROCESS) }
  }

  it('says in one line that a journal was read, and how much; and nothing after a stop in order', async () => {
    await journalOf(chunkRecord(sampleChunk(0, ['a', 'b'])), chunkRecord(sampleChunk(2, ['c'])))
    const logger = new TestLogger()
    const storage = makeStorage(path, {}, undefined, logger)
    await storage.open()
    const lines = logger.lines.filter(({ level }) => level !== 'debug')
    assert.equal(lines.length, 1)
    assert.equal(lines[0].message, `${join(path, 'journal')}: read, since the last stop was not in order`)
    assert.deepEqual([lines[0].fields.fileCount, lines[0].fields.messageCount], [1, 3])
    await storage.close()
    const next = makeStorage(path, {}, undefined, logger)
    await next.open()
    await next.close()
    assert.equal(logger.lines.filter(({ level }) => level !== 'debug').length, 1)
  })

  it('warns of a data path that it has made, or that has nothing in it: a disk may not be mounted', async () => {
    const logger = new TestLogger()
    for (const folder of [join(path, 'not', 'here'), path]) {
      const storage = makeStorage(folder, {}, undefined, logger)
      await storage.open()
      await storage.close()
    }
    assert.deepEqual(logger.messages('warn'), [
      `${join(path, 'not', 'here')}: nothing was stored here, this is a new, empty data path`,
      `${path}: nothing was stored here, this is a new, empty data path`,
    ])
  })

  it('keeps what it makes from other users', async () => {
    const folder = join(path, 'data')
    const storage = makeStorage(folder)
    await storage.open()
    const modeOf = (...names: string[]) => (statSync(join(folder, ...names)).mode & 0o777).toString(8)
    assert.deepEqual([modeOf(), modeOf('journal'), modeOf('rocksdb')], ['700', '700', '700'])
    for (const name of readdirSync(join(folder, 'journal'))) assert.equal(modeOf('journal', name), '600')
    await storage.close()
  })

  it('takes what was appended instead of what was refused, also when both were written', async () => {
    const before = sampleChunk(0, ['a', 'b', 'c', 'd', 'e'])
    const after = sampleChunk(5, ['f', 'g'])
    await journalOf(
      chunkRecord(before),
      chunkRecord(sampleChunk(5, ['refused', 'refused', 'refused', 'refused'])),
      chunkRecord(after),
    )
    for (let life = 0; life < 2; life++) {
      const { storage, log } = await opened()
      assert.equal(log.next, 7)
      assert.deepEqual(recordsOf(await log.read(0, 100_000)), recordsOf([before, after]))
      await storage.close()
    }
  })

  it('has what was safe, and nothing twice, after the disk has failed once and the process was killed', async () => {
    const writer = fork(new URL('failing-sync.js', import.meta.url), [path])
    const [next] = (await once(writer, 'message')) as [number]
    const ended = once(writer, 'exit')
    writer.kill('SIGKILL')
    await ended
    const storage = makeStorage(path)
    await storage.open()
    const log = await storage.openLog(1, { durability: 'power', epoch: 0 })
    const found = recordsOf(await log.read(0, 100_000))
    const expected = recordsOf([sampleChunk(0, ['a', 'b']), sampleChunk(next, ['c', 'd', 'e'])])
    assert.deepEqual(found, expected)
    await storage.close()
  })

  it('lets a trim count, whatever comes before it in the journal', async () => {
    const value = Buffer.alloc(8)
    value.writeDoubleBE(8)
    await journalOf(
      chunkRecord(sampleChunk(0, ['a', 'b', 'c', 'd', 'e'])),
      chunkRecord(sampleChunk(5, ['f', 'g', 'h'])),
      {
        ...chunkRecord(sampleChunk(0, ['-'])),
        kind: RecordKind.values,
        attributes: null,
        payload: encodeValueList([{ key: logKey(LOG), value }]),
      },
      chunkRecord(sampleChunk(8, ['i'])),
    )
    const { storage, log } = await opened()
    assert.equal(log.first, 8)
    assert.deepEqual(sequencesOf(await log.read(0, 100_000)), [8])
    await storage.close()
  })

  it('counts once what is in RocksDB and in the journal', async () => {
    const { storage, log } = await opened()
    for (let first = 0; first < 20; first++) await log.append(sampleChunk(first, [`body ${first}`]))
    const journal = join(path, 'journal')
    cpSync(journal, `${journal}-kept`, { recursive: true })
    await storage.close() // everything is in RocksDB now
    cpSync(`${journal}-kept`, journal, { recursive: true })
    const again = await opened()
    assert.deepEqual(
      sequencesOf(await again.log.read(0, 100_000)),
      Array.from({ length: 20 }, (_, at) => at),
    )
    await again.storage.close()
  })

  it('gives out no lease that could not be reserved', async () => {
    const storage = makeStorage(path, { journalFileSizeBytes: 100 }) // each record begins a file
    await storage.open()
    const first = storage.takeLeases(1)
    renameSync(join(path, 'journal'), join(path, 'elsewhere'))
    for (let tries = 0; tries < 3; tries++) assert.throws(() => storage.takeLeases(5000), { code: 'E_STORAGE_IO' })
    renameSync(join(path, 'elsewhere'), join(path, 'journal'))
    const last = storage.takeLeases(5000) + 4999
    assert(last > first)
    await storage.close()
    const again = makeStorage(path)
    await again.open()
    assert(again.takeLeases(1) > last)
    await again.close()
  })
})
