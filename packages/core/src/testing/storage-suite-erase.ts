import assert from 'node:assert/strict'
import type { Chunk } from '../contracts/chunk.js'
import type { LogStore } from '../contracts/log-store.js'
import type { Sequence, SequenceRange } from '../contracts/sequence.js'
import type { Durability } from '../contracts/storage.js'
import { decodeDueTimes, encodeAttributes } from '../engine/attributes.js'
import { recordsOf, sampleChunk, sampleRun, sequencesOf } from './sample-records.js'
import { DURABLE, itIf, readAll, type StorageFixture } from './storage-fixture.js'

const ONE_MIB = 1024 * 1024
const RECORD_COUNT = 400
/** Records of one chunk, in turn. */
const CHUNK_COUNTS = [1, 7, 40, 2]
/** One record in so many is deferred. */
const DUE_EVERY = 9

/** Ranges of every kind: inside a chunk, over several, single records, next to each other. */
const RANGES: readonly SequenceRange[] = [
  { first: 3, end: 5 },
  { first: 9, end: 120 },
  { first: 120, end: 121 },
  { first: 130, end: 131 },
  { first: 132, end: 133 },
  { first: 134, end: 135 },
  { first: 200, end: 310 },
  { first: 390, end: 399 },
]

/** Reading side tables alone, and erasing records between others. */
export function testErase(fixture: StorageFixture, durability: Durability): void {
  testReadAttributes(fixture, durability)

  it('erase: takes nothing but what was named, and every read goes over the gaps', async () => {
    const log = await fixture.log(durability)
    const chunks = await appendSamples(log)
    const { first, next } = log
    log.erase(RANGES)
    await assertKept(log, chunks, RANGES)
    for (let from = 0; from <= RECORD_COUNT; from++) await assertReadsFrom(log, from, RANGES)
    assert.deepEqual([log.first, log.next], [first, next])
  })

  it('erase: of the same again, of what overlaps it, and of what is not there', async () => {
    const log = await fixture.log(durability)
    const chunks = await appendSamples(log)
    log.erase(RANGES)
    log.erase([])
    log.erase(RANGES)
    const more = [{ first: 100, end: 205 }]
    log.erase(more)
    await log.trim(50)
    log.erase([{ first: 0, end: 10 }])
    const kept = recordsOf(await readAll(log, 50)).filter(({ sequence }) => sequence >= 50)
    assertOnlyErased(
      kept,
      recordsOf(chunks).filter(({ sequence }) => sequence >= 50),
      [...RANGES, ...more],
    )
  })

  it('erase: appends go on, and what follows is there', async () => {
    const log = await fixture.log(durability)
    const chunks = [...(await appendSamples(log))]
    for (let round = 0; round < 20; round++) {
      const first = RECORD_COUNT + round * 10
      const run = sampleRun(first, 10)
      chunks.push(run)
      const appended = log.append(run)
      log.erase([{ first: round * 20, end: round * 20 + 19 }])
      await appended
    }
    const erased = Array.from({ length: 20 }, (_, round) => ({ first: round * 20, end: round * 20 + 19 }))
    await assertKept(log, chunks, erased)
  })

  it('erase: of everything leaves a log that goes on where it was', async () => {
    const lease = (await fixture.storage()).takeLeases(1)
    let log = await fixture.log(durability, lease)
    await appendSamples(log)
    log.erase([{ first: 0, end: RECORD_COUNT }])
    await log.read(0, ONE_MIB)
    await log.close()
    log = await fixture.log(durability, lease)
    assert.deepEqual([log.first, log.next], [0, RECORD_COUNT])
    await log.append(sampleRun(RECORD_COUNT, 1))
    assert.equal(sequencesOf(await readAll(log)).at(-1), RECORD_COUNT)
  })

  it('erase: then a trim, over gaps and into them', async () => {
    const log = await fixture.log(durability)
    const chunks = await appendSamples(log)
    log.erase(RANGES)
    for (const before of [4, 60, 131, 250, 309, 395, RECORD_COUNT]) {
      await log.trim(before)
      const wanted = recordsOf(chunks).filter(({ sequence }) => sequence >= before)
      assertOnlyErased(
        recordsOf(await readAll(log)).filter(({ sequence }) => sequence >= before),
        wanted,
        RANGES,
      )
    }
    assert.deepEqual(await log.read(0, ONE_MIB), [])
  })

  it('erase: a log that is opened again has all the rest', async () => {
    const lease = (await fixture.storage()).takeLeases(1)
    await assertReopens(fixture, durability, lease, async () => {})
  })

  itIf(durability !== 'none', DURABLE)(
    'erase: a log has all the rest when the storage, too, was opened again',
    async () => {
      const lease = (await fixture.storage()).takeLeases(1)
      await assertReopens(fixture, durability, lease, async () => void (await fixture.reopen()))
    },
  )
}

function testReadAttributes(fixture: StorageFixture, durability: Durability): void {
  it('readAttributes: gives what read gives, without frames and without chunks that have none', async () => {
    const log = await fixture.log(durability)
    await appendSamples(log)
    for (const from of [0, 1, 9, 10, 150, RECORD_COUNT - 1, RECORD_COUNT, RECORD_COUNT + 50]) {
      const read = (await readAll(log, from)).filter(({ attributes }) => attributes !== null)
      for (const sizeBytesMax of [0, 100, ONE_MIB]) {
        const found = await readAllAttributes(log, from, sizeBytesMax)
        assert.deepEqual(found.map(toPlain), read.map(toPlain), `from ${from}, ${sizeBytesMax} bytes at a time`)
      }
    }
  })

  it('readAttributes: about as many bytes at a time as asked for, but never nothing while there is something', async () => {
    const log = await fixture.log(durability)
    for (let first = 0; first < 40; first += 2) {
      await log.append(sampleChunk(first, ['a', 'b'], new Uint8Array(1000).fill(first)))
    }
    for (const sizeBytesMax of [0, 1000, 4500]) {
      const found = await log.readAttributes(11, sizeBytesMax)
      assert.ok(found.length >= 1 && found[0].first === 10, `${sizeBytesMax}`)
      assert.ok(found.length <= 1 + Math.ceil(sizeBytesMax / 1000), `${found.length} for ${sizeBytesMax} bytes`)
    }
    assert.deepEqual(await log.readAttributes(40, ONE_MIB), [])
  })

  it('readAttributes: of a log without any, without frames, or trimmed', async () => {
    const log = await fixture.log(durability)
    assert.deepEqual(await log.readAttributes(0, ONE_MIB), [])
    await log.append(sampleRun(0, 100))
    assert.deepEqual(await log.readAttributes(0, ONE_MIB), [])
    await log.append(sampleChunk(100, ['a'], Uint8Array.of(1, 2, 3)))
    await log.append(sampleChunk(101, ['b'], Uint8Array.of(4)))
    assert.deepEqual((await log.readAttributes(0, ONE_MIB)).map(toPlain), [
      [100, 1, '010203'],
      [101, 1, '04'],
    ])
    await log.trim(101)
    assert.deepEqual((await readAllAttributes(log, 0, ONE_MIB)).filter(({ first }) => first >= 101).map(toPlain), [
      [101, 1, '04'],
    ])
  })
}

type WithAttributes = Pick<Chunk, 'first' | 'count' | 'attributes'>

const toPlain = ({ first, count, attributes }: WithAttributes): [number, number, string] => [
  first,
  count,
  Buffer.from(attributes ?? []).toString('hex'),
]

async function readAllAttributes(log: LogStore, from: Sequence, sizeBytesMax: number): Promise<WithAttributes[]> {
  const all: WithAttributes[] = []
  for (let next = from; ; ) {
    const found = await log.readAttributes(next, sizeBytesMax)
    if (found.length === 0) return all
    all.push(...found)
    const last = found[found.length - 1]
    assert.ok(last.first + last.count > next, `readAttributes(${next}) did not get any further`)
    next = last.first + last.count
  }
}

const isDue = (sequence: Sequence): boolean => sequence % DUE_EVERY === 0
const dueOf = (sequence: Sequence): number => 1_800_000_000_000 + sequence

/** Chunks of several lengths, some of which have due times. */
async function appendSamples(log: LogStore): Promise<readonly Chunk[]> {
  const chunks: Chunk[] = []
  for (let first = 0; first < RECORD_COUNT; ) {
    const count = Math.min(CHUNK_COUNTS[chunks.length % CHUNK_COUNTS.length], RECORD_COUNT - first)
    const dues = new Float64Array(count).map((_, index) => (isDue(first + index) ? dueOf(first + index) : 0))
    chunks.push({ ...sampleRun(first, count), attributes: encodeAttributes(dues, 0, count) })
    first += count
  }
  await Promise.all(chunks.map((chunk) => log.append(chunk)))
  return chunks
}

const isIn = (ranges: readonly SequenceRange[], sequence: Sequence): boolean =>
  ranges.some(({ first, end }) => sequence >= first && sequence < end)

/** Whether something is there is up to the store where it was erased; what is there, is as it was. */
function assertOnlyErased(
  found: ReturnType<typeof recordsOf>,
  appended: ReturnType<typeof recordsOf>,
  erased: readonly SequenceRange[],
): void {
  const there = new Set(found.map(({ sequence }) => sequence))
  assert.deepEqual(
    found,
    appended.filter(({ sequence }) => there.has(sequence) || !isIn(erased, sequence)),
  )
}

async function assertKept(log: LogStore, chunks: readonly Chunk[], erased: readonly SequenceRange[]): Promise<void> {
  assertOnlyErased(recordsOf(await readAll(log)), recordsOf(chunks), erased)
  const dues = new Map<Sequence, number>()
  for (const { first, attributes } of await readAllAttributes(log, 0, 100)) {
    for (const [index, dueAtMs] of decodeDueTimes(attributes as Uint8Array)) dues.set(first + index, dueAtMs)
  }
  for (let sequence = 0; sequence < RECORD_COUNT; sequence++) {
    const mustBeThere = isDue(sequence) && !isIn(erased, sequence)
    if (dues.has(sequence) || mustBeThere) assert.equal(dues.get(sequence), dueOf(sequence), `due time of ${sequence}`)
    assert.ok(isDue(sequence) || !dues.has(sequence), `record ${sequence} has a due time`)
  }
}

/** One read gives the first record at or above `from` that is still needed. */
async function assertReadsFrom(log: LogStore, from: Sequence, erased: readonly SequenceRange[]): Promise<void> {
  const found = await log.read(from, 1)
  let wanted = from
  while (wanted < RECORD_COUNT && isIn(erased, wanted)) wanted++
  if (found.length > 0) assert.ok(found[0].first + found[0].count > from, `read(${from}) begins below it`)
  if (wanted === RECORD_COUNT) return
  assert.ok(found.length > 0, `read(${from}) finds nothing`)
  const sequences = sequencesOf(found)
  if (!sequences.includes(wanted)) {
    // what was erased and is still there may come first
    assert.ok(
      sequences.every((sequence) => sequence < wanted),
      `read(${from}) leaves out record ${wanted}`,
    )
    assert.ok(
      sequences.some((sequence) => sequence >= from),
      `read(${from}) gets no further`,
    )
  }
}

async function assertReopens(
  fixture: StorageFixture,
  durability: Durability,
  lease: number,
  between: () => Promise<void>,
): Promise<void> {
  let log = await fixture.log(durability, lease)
  const chunks = [...(await appendSamples(log))]
  const erased: SequenceRange[] = []
  for (const range of RANGES) {
    log.erase([range])
    erased.push(range)
    await log.close()
    await between()
    log = await fixture.log(durability, lease)
    assert.deepEqual([log.first, log.next], [0, endOf(chunks)])
    await assertKept(log, chunks, erased)
    const run = sampleRun(endOf(chunks), 3)
    await log.append(run)
    chunks.push(run)
  }
}

const endOf = (chunks: readonly Chunk[]): Sequence => {
  const last = chunks[chunks.length - 1]
  return last.first + last.count
}
