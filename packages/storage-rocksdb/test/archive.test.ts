import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Chunk, LogStore } from '@spillway/core'
import { FakeClock, recordsOf, sampleFrame, sequencesOf, TestLogger } from '@spillway/core/testing'
import type { WriteBatch } from 'rocksdb-native'
import { Archive } from '../src/archive.js'
import { Database } from '../src/database.js'
import { Journal } from '../src/journal/journal.js'
import { kindRange } from '../src/keys.js'
import { LogState } from '../src/log-state.js'
import { RocksdbLog } from '../src/rocksdb-log.js'
import { temporaryFolder } from './support.js'

/** Lets a test do something at the very moment when RocksDB is asked. */
class WatchedDatabase extends Database {
  beforeGet: () => void | Promise<void> = () => undefined
  beforeWrite: () => void | Promise<void> = () => undefined
  /** RocksDB has it, and nobody was told yet. */
  afterWrite: () => void | Promise<void> = () => undefined

  override async get(key: Uint8Array) {
    await this.beforeGet()
    return super.get(key)
  }

  override async write(batch: WriteBatch) {
    await this.beforeWrite()
    await super.write(batch)
    await this.afterWrite()
  }
}

const LOG = 3
/** Two of them fill a stretch. */
const BODY = 'x'.repeat(400 * 1024)
const LOG_PARTS = { state: new LogState(0), durability: 'process' as const, closed: () => undefined }

describe('Archive', () => {
  const root = temporaryFolder()
  let placeCount = 0
  let database: WatchedDatabase
  let journal: Journal
  let archive: Archive
  let state: LogState
  let log: LogStore
  let logger: TestLogger

  beforeEach(async () => {
    const place = join(root, `place-${++placeCount}`)
    const folder = join(place, 'journal')
    mkdirSync(folder, { recursive: true })
    const clock = new FakeClock()
    logger = new TestLogger()
    database = new WatchedDatabase(join(place, 'rocksdb'))
    await database.open()
    const fileBytesMax = 1024 * 1024
    journal = new Journal({ folder, clock, logger, fileBytesMax, syncIntervalMs: 0, makeRoom: () => false })
    journal.open(1, 0, [])
    state = new LogState(LOG)
    archive = new Archive({
      database,
      journal,
      logs: new Map([[LOG, state]]),
      youngBytesMax: 48 * 1024 * 1024,
      clock,
      logger,
      makeRoom: () => undefined,
    })
    log = new RocksdbLog({ ...LOG_PARTS, state, journal, archive, database })
  })

  afterEach(async () => {
    await journal.close(false)
    await database.close()
  })

  function largeRecord(first: number): Chunk {
    return { first, count: 1, frames: sampleFrame(first, BODY), attributes: null }
  }

  /** Appends `count` records, two to a stretch, and stores them. */
  async function store(count: number): Promise<void> {
    for (let first = 0; first < count; first++) await log.append(largeRecord(first))
    await archive.run(true)
  }

  async function sequences(from = 0): Promise<readonly number[]> {
    const chunks: Chunk[] = []
    for (let at = from; ; ) {
      const read = await log.read(at, 4 * 1024 * 1024)
      if (read.length === 0) return sequencesOf(chunks).filter((sequence) => sequence >= from)
      chunks.push(...read)
      const last = read[read.length - 1]
      at = last.first + last.count
    }
  }

  async function storedKeys(): Promise<number> {
    return (await database.scan(kindRange('data'))).size
  }

  it('loses nothing when the log is trimmed while stretches in its middle are rewritten', async () => {
    await store(12)
    assert.equal(state.stored.length, 6)
    log.erase([2, 4, 6].map((first) => ({ first, end: first + 1 }))) // half of the second, third and fourth
    let gets = 0
    database.beforeGet = async () => {
      if (++gets === 1) await log.trim(2) // takes the first stretch away
    }
    await archive.run(true)
    database.beforeGet = () => undefined
    assert.deepEqual(await sequences(2), [3, 5, 7, 8, 9, 10, 11])
    assert.equal(state.stored.length, 3)
    await archive.run(true)
    assert.equal(await storedKeys(), state.stored.length)
  })

  it('gives every record once, in order, to whoever reads while stretches are rewritten', async () => {
    await store(8)
    log.erase([0, 2, 4].map((first) => ({ first, end: first + 1 })))
    const reads: Promise<readonly number[]>[] = []
    const read = (): void => void reads.push(sequences(1).then((found) => found.filter((each) => each % 2 === 1)))
    database.beforeWrite = () => {
      if (state.rewriting.length > 0) read()
    }
    database.afterWrite = async () => {
      if (state.rewriting.length === 0) return
      read()
      for (let i = 0; i < 4; i++) await database.get(Buffer.from('v')) // others are answered before the one who wrote
    }
    await archive.run(true)
    assert.equal(reads.length, 2)
    for (const found of await Promise.all(reads)) assert.deepEqual(found, [1, 3, 5, 7])
  })

  it('deletes the keys of stretches that die while others are deleted', async () => {
    await store(8)
    await log.trim(2)
    database.beforeWrite = async () => {
      database.beforeWrite = () => undefined
      await log.trim(6)
    }
    await archive.run(true)
    await archive.run(true)
    assert.equal(await storedKeys(), 1)
    assert.deepEqual(await sequences(6), [6, 7])
  })

  it('gives back the room of records that were erased while they were stored', async () => {
    for (let first = 0; first < 4; first++) await log.append(largeRecord(first))
    database.beforeWrite = () => log.erase([{ first: 0, end: 3 }])
    await archive.run(true)
    database.beforeWrite = () => undefined
    await archive.run(true)
    assert.deepEqual(await sequences(), [3])
    assert(log.sizeBytes < 1.5 * BODY.length, `${log.sizeBytes} bytes are left`)
  })

  it('gives back the room of records that were erased while what is around them was rewritten', async () => {
    await store(4)
    log.erase([{ first: 0, end: 1 }])
    database.beforeWrite = () => {
      if (state.rewriting.length > 0) log.erase([{ first: 1, end: 2 }])
    }
    await archive.run(true)
    database.beforeWrite = () => undefined
    await archive.run(true)
    assert.deepEqual(await sequences(), [2, 3])
    assert(log.sizeBytes < 2.5 * BODY.length, `${log.sizeBytes} bytes are left`)
  })

  it('keeps the journal of safe records that follow unsafe ones in memory', async () => {
    const unsafe = new RocksdbLog({ ...LOG_PARTS, state, journal, archive, database, durability: 'none' })
    state.durability = 'none'
    await unsafe.append(largeRecord(0))
    await unsafe.close()
    state.durability = 'process'
    for (let first = 1; first < 8; first++) await log.append(largeRecord(first))
    await archive.run(false)
    const oldest = state.young.oldestJournalFile
    assert(!journal.hasClosedBelow(oldest), 'a file below the oldest one that is needed is there for nothing')
    assert(state.storedEnd > 0, 'nothing was stored')
    assert.deepEqual(await sequences(), [0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('finds attributes that move from memory to RocksDB while they are read', async () => {
    const attributed = (first: number): Chunk => ({ ...largeRecord(first), attributes: attributesOf(first) })
    for (let first = 0; first < 4; first++) await log.append(attributed(first))
    await archive.run(true)
    for (let first = 4; first < 10; first++) await log.append(attributed(first))
    database.beforeGet = async () => {
      database.beforeGet = () => undefined
      await archive.run(false) // all but what lies in the journal's last file
      assert(!state.young.isEmpty)
    }
    const found: number[] = []
    for (let from = 0; ; ) {
      const read = await log.readAttributes(from, 1_000_000)
      if (read.length === 0) break
      for (const { first, attributes } of read) {
        assert.deepEqual(Buffer.from(attributes), attributesOf(first))
        found.push(first)
      }
      from = found[found.length - 1] + 1
    }
    assert.deepEqual(found, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('keeps everything when RocksDB cannot be written, and stores it when it can again', async () => {
    await log.append(largeRecord(0))
    await log.saveCursor(9, { head: Buffer.from('head'), pages: new Map() })
    database.beforeWrite = () => {
      throw new Error('no')
    }
    await assert.rejects(archive.run(true))
    await log.append(largeRecord(1))
    assert.deepEqual(await sequences(), [0, 1])
    assert.equal((await log.loadCursor(9))?.head.toString(), 'head')
    database.beforeWrite = () => undefined
    await archive.run(true)
    assert(state.young.isEmpty)
    assert.deepEqual(await sequences(), [0, 1])
    assert.equal((await log.loadCursor(9))?.head.toString(), 'head')
  })

  it('knows of a value that it is forgotten before RocksDB does', async () => {
    await log.saveCursor(9, { head: Buffer.from('head'), pages: new Map([[1, Buffer.from('page')]]) })
    await archive.run(true)
    await log.deleteCursor(9)
    assert.equal(await log.loadCursor(9), null)
    database.beforeWrite = async () => assert.equal(await log.loadCursor(9), null)
    await archive.run(true)
    assert.equal(await log.loadCursor(9), null)
  })

  it('writes what is left of several stretches as one, with their frames unchanged', async () => {
    await store(8)
    const before = recordsOf(await log.read(0, 10 * BODY.length))
    log.erase([0, 3, 4, 6].map((first) => ({ first, end: first + 1 })))
    await archive.run(true)
    assert.deepEqual(
      recordsOf(await log.read(0, 10 * BODY.length)),
      before.filter(({ sequence }) => [1, 2, 5, 7].includes(sequence)),
    )
    assert(state.stored.length < 4)
    assert(logger.messages('error').length === 0)
  })
})

/** A side table with a due time for the first record of its chunk. */
function attributesOf(first: number): Buffer {
  const bytes = Buffer.alloc(18)
  bytes[0] = 1
  bytes[5] = 1
  bytes.writeUInt32BE(8, 6)
  bytes.writeDoubleBE(1_000_000 + first, 10)
  return bytes
}
