import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BrokerError } from '@spillway/core'
import { FoundFile, journalFileName } from '../../src/journal/journal-file.js'
import { temporaryFolder } from '../support.js'
import {
  edit,
  firstsOf,
  flip,
  listJournalFiles,
  makeJournal,
  placesOf,
  readBack,
  sampleRecord,
  writeRecords,
} from './support.js'

/** With these sizes a file of 4 KiB takes 20 records. */
const RECORD_BYTES = 148
const RECORDS_A_FILE = 20

const numbers = (from: number, end: number): number[] => Array.from({ length: end - from }, (_, at) => from + at)
const records = (from: number, end: number) =>
  numbers(from, end).map((first) => sampleRecord(first, RECORD_BYTES - 48 + 52))

describe('Journal and replay', () => {
  const root = temporaryFolder()
  let folderCount = 0
  let folder: string

  beforeEach(() => {
    folder = join(root, `journal-${++folderCount}`)
    mkdirSync(folder)
  })

  const corrupt = (path: string, from: number, to: number) => (error: unknown) => {
    assert(error instanceof BrokerError)
    assert.equal(error.code, 'E_STORAGE_CORRUPT')
    assert.equal(
      error.detail,
      `${path} is damaged: bytes ${from} to ${to - 1} are not what was written; \`spillway doctor DATA_PATH\` says what can be saved`,
    )
    return true
  }

  it('gives back every record as it was written: small, large, with attributes, without', async () => {
    const written = [
      sampleRecord(0, 5),
      sampleRecord(1, 5, 'due'),
      sampleRecord(2, 60_000), // not through the staging buffer
      sampleRecord(3, 60_000, 'x'.repeat(40_000)),
      { ...sampleRecord(4), payload: new Uint8Array(0) },
    ]
    await writeRecords(folder, written)
    const { records: read } = await readBack(folder)
    assert.deepEqual(
      read,
      written.map(({ first, attributes, payload }) => ({
        first,
        attributes: attributes?.toString() ?? null,
        payload: payload.toString(),
      })),
    )
  })

  it('goes on in a new file when one is full, and gives back all of them in order', async () => {
    await writeRecords(folder, records(0, 3 * RECORDS_A_FILE + 1))
    assert.deepEqual(await listJournalFiles(folder), [1, 2, 3, 4])
    assert.deepEqual(await firstsOf(folder), numbers(0, 3 * RECORDS_A_FILE + 1))
  })

  it('takes a record that is larger than a file', async () => {
    await writeRecords(folder, [sampleRecord(0), sampleRecord(1, 50_000), sampleRecord(2)])
    assert.deepEqual(await firstsOf(folder), [0, 1, 2])
  })

  it('cuts a torn tail, whichever byte of the last record it ends at', async () => {
    await writeRecords(folder, records(0, 5))
    const places = placesOf(folder, 1)
    const last = places[places.length - 2]
    const end = places[places.length - 1]
    for (let at = last; at < end; at++) {
      edit(folder, 1, (bytes) => Buffer.concat([bytes.subarray(0, at), Buffer.alloc(bytes.length - at)]))
      const { records: read, cutBytes } = await readBack(folder)
      assert.deepEqual(
        read.map(({ first }) => first),
        [0, 1, 2, 3],
        `torn at ${at}`,
      )
      assert(cutBytes <= at - last, `cut ${cutBytes} of ${at - last}`)
      rmSync(folder, { recursive: true })
      mkdirSync(folder)
      await writeRecords(folder, records(0, 5))
    }
  })

  it('cuts a torn tail for good: what is written next follows what is whole', async () => {
    await writeRecords(folder, records(0, 5))
    const end = placesOf(folder, 1)[5] // the start of the last record: there is one for the file itself
    edit(folder, 1, (bytes) => bytes.subarray(0, end + 70))
    const { files } = await readBack(folder)
    const journal = makeJournal(folder)
    journal.open(2, end, [new FoundFile(folder, 1, end)])
    await journal.append(sampleRecord(4), false)
    await journal.append(sampleRecord(5), false)
    await journal.close(false)
    assert.deepEqual(files, [1])
    assert.deepEqual(await firstsOf(folder), [0, 1, 2, 3, 4, 5])
  })

  it('says which bytes are damaged when they were on the disk before what follows was written', async () => {
    await writeRecords(folder, records(0, 5), { syncAfter: [3] })
    const places = placesOf(folder, 1)
    for (const at of [0, 3, 4, 20, 47, 48, 99]) {
      const place = places[2]
      flip(folder, 1, place + at)
      await assert.rejects(readBack(folder), corrupt(join(folder, journalFileName(1)), place, places[3]))
      flip(folder, 1, place + at)
    }
    assert.deepEqual(await firstsOf(folder), [0, 1, 2, 3, 4])
  })

  it('takes note of damage and goes on behind it, for who asks', async () => {
    await writeRecords(folder, records(0, 6), { syncAfter: [4] })
    const places = placesOf(folder, 1)
    edit(folder, 1, (bytes) => bytes.fill(0xff, places[2] + 10, places[4] - 10))
    const { records: read, damage } = await readBack(folder, true)
    assert.deepEqual(
      read.map(({ first }) => first),
      [0, 3, 4, 5],
    )
    assert.deepEqual(damage, [{ path: join(folder, journalFileName(1)), from: places[2], to: places[4] }])
  })

  it('cuts at a bad byte in a place that was never on the disk for sure, with all that follows', async () => {
    await writeRecords(folder, records(0, 6), { syncAfter: [1] })
    const places = placesOf(folder, 1)
    flip(folder, 1, places[4] + 60)
    const { records: read, cutBytes } = await readBack(folder)
    assert.deepEqual(
      read.map(({ first }) => first),
      [0, 1, 2],
    )
    assert.equal(cutBytes, places[7] - places[4])
  })

  it('finds damage at the very beginning of a file that was on the disk, and deletes none', async () => {
    await writeRecords(folder, records(0, 3 * RECORDS_A_FILE), { syncAfter: [RECORDS_A_FILE + 3] })
    flip(folder, 2, 9)
    const second = placesOf(folder, 2)[1]
    await assert.rejects(readBack(folder), corrupt(join(folder, journalFileName(2)), 0, second))
    assert.deepEqual(await listJournalFiles(folder), [1, 2, 3])
    const { records: read } = await readBack(folder, true)
    assert.equal(read.length, 3 * RECORDS_A_FILE)
  })

  it('finds that a file ends too early when those behind it were on the disk', async () => {
    await writeRecords(folder, records(0, 2 * RECORDS_A_FILE + 5), { syncAfter: [RECORDS_A_FILE + 3] })
    const places = placesOf(folder, 1)
    const last = places[places.length - 2]
    const end = places[places.length - 1]
    edit(folder, 1, (bytes) => bytes.subarray(0, end - 10))
    await assert.rejects(readBack(folder), corrupt(join(folder, journalFileName(1)), last, end))
  })

  it('drops whole files that a loss of power left without what came before them', async () => {
    await writeRecords(folder, records(0, 3 * RECORDS_A_FILE))
    const places = placesOf(folder, 1)
    edit(folder, 1, (bytes) => bytes.subarray(0, places[5] + 3))
    assert.deepEqual(await firstsOf(folder), [0, 1, 2, 3])
    assert.deepEqual(await listJournalFiles(folder), [1])
  })

  it('misses a file in between, whatever its size was', async () => {
    // the second file is shorter than the first one: where it ended says nothing
    const long = sampleRecord(RECORDS_A_FILE, 3800)
    await writeRecords(
      folder,
      [...records(0, RECORDS_A_FILE), long, ...records(RECORDS_A_FILE + 1, RECORDS_A_FILE + 5)],
      {
        syncAfter: [RECORDS_A_FILE + 2],
      },
    )
    assert.deepEqual(await listJournalFiles(folder), [1, 2, 3])
    rmSync(join(folder, journalFileName(2)))
    await assert.rejects(readBack(folder), {
      code: 'E_STORAGE_CORRUPT',
      detail: `${join(folder, journalFileName(2))} is missing; \`spillway doctor DATA_PATH\` says what can be saved`,
    })
    assert(existsSync(join(folder, journalFileName(3))))
  })

  it('begins with any file: those before it have gone since all in them was stored', async () => {
    await writeRecords(folder, records(0, 3 * RECORDS_A_FILE))
    rmSync(join(folder, journalFileName(1)))
    assert.deepEqual(await firstsOf(folder), numbers(RECORDS_A_FILE, 3 * RECORDS_A_FILE))
  })

  for (const [what, bytes] of [
    ['empty', Buffer.alloc(0)],
    ['full of zeros', Buffer.alloc(4096)],
    ['torn in its first record', Buffer.from('SWJ1\u0000')],
  ] as const) {
    it(`goes on after a file that was just created: ${what}`, async () => {
      await writeRecords(folder, records(0, 3))
      writeFileSync(join(folder, journalFileName(2)), bytes)
      assert.deepEqual(await firstsOf(folder), [0, 1, 2])
      assert.deepEqual(await listJournalFiles(folder), [1])
    })

    it(`begins with a file that was just created: ${what}`, async () => {
      writeFileSync(join(folder, journalFileName(5)), bytes)
      const { records: read, files } = await readBack(folder)
      assert.deepEqual(read, [])
      assert.deepEqual(files, [5])
    })
  }

  it('does not take what is left of another file for its own', async () => {
    await writeRecords(folder, records(0, RECORDS_A_FILE + 3))
    let stale: Buffer = Buffer.alloc(0)
    edit(folder, 1, (bytes) => {
      stale = bytes
      return bytes
    })
    const end = placesOf(folder, 2).at(-1) ?? 0
    edit(folder, 2, (bytes) => Buffer.concat([bytes.subarray(0, end), stale.subarray(end)]))
    assert.deepEqual(await firstsOf(folder), numbers(0, RECORDS_A_FILE + 3))
  })

  it('ignores files that are not its own', async () => {
    await writeRecords(folder, records(0, 2))
    writeFileSync(join(folder, 'notes.txt'), 'mine')
    writeFileSync(join(folder, '00000009.journal.old'), 'mine')
    assert.deepEqual(await firstsOf(folder), [0, 1])
  })

  it('is empty where there is no file', async () => {
    assert.deepEqual(await readBack(folder), { records: [], damage: [], cutBytes: 0, files: [] })
  })
})
