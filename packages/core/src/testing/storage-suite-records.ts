import assert from 'node:assert/strict'
import type { Chunk } from '../contracts/chunk.js'
import type { LogStore } from '../contracts/log-store.js'
import type { Durability } from '../contracts/storage.js'
import { recordsOf, sampleChunk, sampleRun, sequencesOf } from './sample-records.js'
import { DURABLE, itIf, readAll, type StorageFixture } from './storage-fixture.js'
import { assertLogClosed } from './storage-suite-lifecycle.js'

const ONE_MIB = 1024 * 1024
const endOf = (chunk: Chunk) => chunk.first + chunk.count

async function appendAll(log: LogStore, chunks: readonly Chunk[]): Promise<void> {
  await Promise.all(chunks.map((chunk) => log.append(chunk)))
}

/** Appending, reading, trimming and closing. */
export function testRecords(fixture: StorageFixture, durability: Durability): void {
  testAppendAndRead(fixture, durability)
  testSizes(fixture, durability)
  testTrim(fixture, durability)
  testReopen(fixture, durability)
}

function testAppendAndRead(fixture: StorageFixture, durability: Durability): void {
  it('append: records come back byte for byte, in order', async () => {
    const log = await fixture.log(durability)
    const chunks = [sampleChunk(0, ['a', '', 'ccc']), sampleChunk(3, ['d']), sampleChunk(4, ['ééé', '\0\n'])]
    for (const chunk of chunks) await log.append(chunk)
    assert.deepEqual(recordsOf(await log.read(0, ONE_MIB)), recordsOf(chunks))
  })

  it('append: overlapping calls keep call order, and resolve in it', async () => {
    const log = await fixture.log(durability)
    const resolved: number[] = []
    const appends = Array.from({ length: 100 }, (_, first) => {
      const size = first % 10 === 0 ? 100_000 : 10 // the long ones must not be overtaken
      const appended = log.append(sampleChunk(first, ['x'.repeat(size)]))
      return Promise.resolve(appended).then(() => resolved.push(first))
    })
    await Promise.all(appends)
    assert.deepEqual(resolved, [...resolved.keys()])
    assert.deepEqual(sequencesOf(await readAll(log)), resolved)
  })

  it('append: sequences may leave gaps, which hold nothing', async () => {
    const log = await fixture.log(durability)
    const chunks = [sampleRun(10, 2), sampleRun(20, 2), sampleRun(2 ** 32 - 1, 2), sampleRun(2 ** 40 + 1, 2)]
    await appendAll(log, chunks)
    assert.deepEqual(recordsOf(await readAll(log)), recordsOf(chunks))
  })

  it('append: attributes stay with their records', async () => {
    const log = await fixture.log(durability)
    const attributes = Uint8Array.of(1, 0, 255)
    const chunks = [
      sampleChunk(0, ['a']),
      sampleChunk(1, ['b', 'c'], attributes),
      sampleChunk(3, ['d']),
      sampleChunk(4, ['e'], new Uint8Array(100_000).fill(9)),
    ]
    await appendAll(log, chunks)
    const read = await readAll(log)
    assert.deepEqual(recordsOf(read), recordsOf(chunks))
    // What attributes say is core's business, so a chunk that has some can neither be cut nor joined.
    const withAttributes = read.filter((chunk) => chunk.attributes !== null)
    assert.deepEqual(
      withAttributes.map(({ first, count, attributes: found }) => [first, count, [...(found as Uint8Array)]]),
      [
        [1, 2, [...attributes]],
        [4, 1, new Array(100_000).fill(9)],
      ],
    )
  })

  it('append: buffers may be views into larger ones, also shared ones, and are left as they are', async () => {
    const log = await fixture.log(durability)
    const { frames } = sampleRun(0, 4)
    const handedOver = [new ArrayBuffer(ONE_MIB), new SharedArrayBuffer(ONE_MIB)].map((slab, at) => {
      const view = new Uint8Array(slab, 100, frames.length)
      view.set(frames)
      return { first: at * 4, count: 4, frames: view, attributes: new Uint8Array(slab, 10_000, 3).fill(at + 1) }
    })
    const copies = handedOver.map((chunk) => Buffer.from(new Uint8Array(chunk.frames.buffer)))
    await appendAll(log, handedOver)
    const read = await readAll(log)
    assert.deepEqual(
      read.map((chunk) => Buffer.from(chunk.frames).equals(frames)),
      [true, true],
    )
    assert.deepEqual(
      read.map((chunk) => [...(chunk.attributes ?? [])]),
      [
        [1, 1, 1],
        [2, 2, 2],
      ],
    )
    for (const [at, chunk] of handedOver.entries()) {
      assert.equal(Buffer.compare(new Uint8Array(chunk.frames.buffer), copies[at]), 0)
    }
  })

  it('append: what is handed over as an object may be used again', async () => {
    const log = await fixture.log(durability)
    const chunk = { ...sampleRun(0, 1) }
    const appended = [log.append(chunk)]
    Object.assign(chunk, sampleRun(1, 2))
    appended.push(log.append(chunk))
    await Promise.all(appended)
    assert.deepEqual(recordsOf(await readAll(log)), recordsOf([sampleRun(0, 1), sampleRun(1, 2)]))
  })

  it('read: sees what has resolved, and nothing that has not', async () => {
    const log = await fixture.log(durability)
    let resolvedEnd = 0
    for (let first = 0; first < 50; first++) {
      const appended = Promise.resolve(log.append(sampleRun(first, 1))).then(() => {
        resolvedEnd = first + 1
      })
      const before = resolvedEnd
      const seen = sequencesOf(await readAll(log)).length
      // Both may have resolved one right after the other; the order in which we hear of it is then up to chance.
      for (let turn = 0; turn < 20; turn++) await null
      assert.ok(seen >= before && seen <= resolvedEnd, `${before} to ${resolvedEnd} had resolved, a read saw ${seen}`)
      await appended
    }
  })

  it('read: begins with the chunk that holds `from`, wherever that lies', async () => {
    const log = await fixture.log(durability)
    await appendAll(log, [sampleRun(10, 10), sampleRun(30, 10)])
    const firstRead = async (from: number) => sequencesOf(await log.read(from, ONE_MIB))
    for (const from of [0, 9, 10]) assert.equal((await firstRead(from))[0], 10, `below the first chunk: ${from}`)
    for (const from of [11, 19, 30, 35, 39]) assert.ok((await firstRead(from)).includes(from), `inside: ${from}`)
    for (const from of [20, 25, 29]) assert.equal((await firstRead(from))[0], 30, `in the gap: ${from}`)
    for (const from of [40, 41, 2 ** 40]) assert.deepEqual(await log.read(from, ONE_MIB), [], `at the end: ${from}`)
  })
}

function testSizes(fixture: StorageFixture, durability: Durability): void {
  it('read: returns no more frames than asked for, but never less than a chunk', async () => {
    const log = await fixture.log(durability)
    const body = 'x'.repeat(1_000)
    for (let first = 0; first < 60; first += 2) await log.append(sampleChunk(first, [body, body]))
    for (const sizeBytesMax of [0, 1, 2_068, 5_000, 20_000, ONE_MIB]) {
      for (let from = 0; from < 60; from += 7) {
        const chunks = await log.read(from, sizeBytesMax)
        const sizeBytes = chunks.reduce((sum, { frames }) => sum + frames.length, 0)
        assert.ok(chunks.length >= 1 && endOf(chunks[0]) > from, `read(${from}, ${sizeBytesMax})`)
        assert.ok(chunks.length === 1 || sizeBytes <= sizeBytesMax, `read(${from}, ${sizeBytesMax}): ${sizeBytes}`)
      }
      assert.equal(sequencesOf(await readAll(log, 0, sizeBytesMax)).length, 60)
    }
  })

  it('holds many small chunks, as single publishes make them', async function () {
    this.timeout(60_000)
    const log = await fixture.log(durability)
    const all = sampleRun(0, 3_000)
    const appends: unknown[] = []
    for (let first = 0, start = 0; first < all.count; first++) {
      const end = start + 4 + Buffer.from(all.frames).readInt32BE(start)
      appends.push(log.append({ first, count: 1, frames: all.frames.subarray(start, end), attributes: null }))
      start = end
    }
    await Promise.all(appends)
    assert.deepEqual(recordsOf(await readAll(log)), recordsOf([all]))
    assert.equal((await log.read(2_999, 1)).length, 1)
  })

  it('holds a large chunk', async function () {
    this.timeout(60_000)
    const log = await fixture.log(durability)
    const large = sampleChunk(1, ['x'.repeat(8 * ONE_MIB), 'y'], new Uint8Array(ONE_MIB).fill(3))
    await appendAll(log, [sampleRun(0, 1), large, sampleRun(3, 1)])
    const read = await readAll(log)
    assert.deepEqual(sequencesOf(read), [0, 1, 2, 3])
    const found = read.find(({ first }) => first === 1) as Chunk
    assert.equal(Buffer.compare(found.frames, large.frames), 0)
    assert.equal(found.attributes?.length, ONE_MIB)
  })

  it('sizeBytes: grows with what is appended, and shrinks when everything is trimmed', async () => {
    const log = await fixture.log(durability)
    for (let first = 0; first < 10; first++) await log.append(sampleChunk(first, ['x'.repeat(10_000)]))
    const full = log.sizeBytes
    assert.ok(full > 0 && full < ONE_MIB, `${full}`)
    await log.trim(10)
    assert.ok(log.sizeBytes <= full, `${log.sizeBytes} after a trim, ${full} before`)
  })
}

function testTrim(fixture: StorageFixture, durability: Durability): void {
  it('trim: forgets the chunks below, keeps every record from there on', async () => {
    const log = await fixture.log(durability)
    const chunks = Array.from({ length: 10 }, (_, at) => sampleRun(at * 10, 10))
    await appendAll(log, chunks)
    let before = 0
    for (const asked of [1, 10, 35, 35, 20, 50, 99]) {
      await log.trim(asked)
      before = Math.max(before, asked)
      const read = await readAll(log)
      assert.ok(endOf(read[0]) > before, `trim(${before}) left records ${read[0].first} to ${endOf(read[0]) - 1}`)
      const kept = recordsOf(read).filter(({ sequence }) => sequence >= before)
      assert.deepEqual(
        kept,
        recordsOf(chunks).filter(({ sequence }) => sequence >= before),
      )
    }
  })

  it('trim: of everything leaves an empty log, which goes on where it was', async () => {
    const log = await fixture.log(durability)
    await log.append(sampleRun(0, 10))
    await log.trim(10)
    await log.trim(10)
    assert.deepEqual(await log.read(0, ONE_MIB), [])
    await log.append(sampleRun(10, 1))
    assert.deepEqual(sequencesOf(await readAll(log)), [10])
  })

  it('trim: overlaps with appends and reads', async () => {
    const log = await fixture.log(durability)
    const calls: unknown[] = []
    for (let first = 0; first < 200; first += 2) {
      calls.push(log.append(sampleRun(first, 2)))
      if (first % 20 === 18) calls.push(log.trim(first - 10), log.read(first - 10, ONE_MIB))
    }
    await Promise.all(calls)
    const kept = sequencesOf(await readAll(log)).filter((sequence) => sequence >= 188)
    assert.deepEqual(kept, [188, 189, 190, 191, 192, 193, 194, 195, 196, 197, 198, 199])
  })
}

function testReopen(fixture: StorageFixture, durability: Durability): void {
  it('close: twice, and twice at once, is like once; then every call fails', async () => {
    const log = await fixture.log(durability)
    await log.append(sampleRun(0, 1))
    await Promise.all([log.close(), log.close()])
    await log.close()
    await assertLogClosed(log)
  })

  it('close: lets accepted appends and saves settle', async () => {
    const lease = (await fixture.storage()).takeLeases(1)
    const log = await fixture.log(durability, lease)
    const writes = [0, 1, 2].map((first) => log.append(sampleRun(first, 1)))
    writes.push(log.saveCursor(1, { head: Uint8Array.of(5), pages: new Map() }))
    await Promise.all([log.close(), ...writes])
    const again = await fixture.log(durability, lease)
    assert.deepEqual(sequencesOf(await readAll(again)), [0, 1, 2])
    assert.deepEqual((await again.loadCursor(1))?.head[0], 5)
  })

  it('open: finds in a closed log what was there', async () => {
    const storage = await fixture.storage()
    await assertReopens(fixture, durability, storage.takeLeases(1), async () => {})
  })

  itIf(durability !== 'none', DURABLE)(
    'open: finds what was there when the storage, too, was opened again',
    async () => {
      const storage = await fixture.storage()
      await assertReopens(fixture, durability, storage.takeLeases(1), async () => void (await fixture.reopen()))
    },
  )
}

/** Takes a log through the states that it can be found in, opening it again in each. */
async function assertReopens(
  fixture: StorageFixture,
  durability: Durability,
  lease: number,
  between: () => Promise<void>,
): Promise<void> {
  const chunks = [sampleRun(5, 5), sampleChunk(10, ['x'], Uint8Array.of(1, 2)), sampleRun(20, 5)]
  const states = [
    { change: (log: LogStore) => appendAll(log, chunks), first: 0, next: 25, kept: 11 },
    { change: (log: LogStore) => log.trim(7), first: 7, next: 25, kept: 9 },
    { change: (log: LogStore) => log.trim(6), first: 7, next: 25, kept: 9 },
    { change: (log: LogStore) => log.trim(15), first: 15, next: 25, kept: 5 },
    { change: async (log: LogStore) => log.append(sampleRun(25, 1)), first: 15, next: 26, kept: 6 },
    { change: (log: LogStore) => log.trim(26), first: 26, next: 26, kept: 0 },
    { change: (log: LogStore) => log.trim(40), first: 40, next: 40, kept: 0 },
    { change: async (log: LogStore) => log.append(sampleRun(45, 1)), first: 40, next: 46, kept: 1 },
  ]
  let log = await fixture.log(durability, lease)
  for (const [at, { change, first, next, kept }] of states.entries()) {
    await change(log)
    await log.close()
    await between()
    log = await fixture.log(durability, lease)
    assert.deepEqual([log.first, log.next], [first, next], `after change ${at}`)
    const found = recordsOf(await readAll(log)).filter(({ sequence }) => sequence >= first)
    const wanted = recordsOf([...chunks, sampleRun(25, 1), sampleRun(45, 1)])
    assert.equal(found.length, kept, `after change ${at}`)
    assert.deepEqual(
      found,
      wanted.filter(({ sequence }) => sequence >= first && sequence < next),
    )
  }
}
