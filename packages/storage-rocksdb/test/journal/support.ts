import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '@spillway/core'
import { FakeClock, TestLogger } from '@spillway/core/testing'
import { Journal, type JournalRecord } from '../../src/journal/journal.js'
import { journalFileName } from '../../src/journal/journal-file.js'
import { RecordKind } from '../../src/journal/record.js'
import { type JournalDamage, listJournalFiles, replayJournal } from '../../src/journal/replay.js'

/** A journal that is written in a folder which is there; its files are small. */
export function makeJournal(folder: string, fileBytesMax = 4096, clock: Clock = new FakeClock()): Journal {
  return new Journal({
    folder,
    clock,
    logger: new TestLogger(),
    fileBytesMax,
    syncIntervalMs: 0,
    makeRoom: () => false,
  })
}

/** A record of log 7 whose payload tells its number. */
export function sampleRecord(first: number, payloadBytes = 100, attributes: string | null = null): JournalRecord {
  return {
    kind: RecordKind.chunk,
    log: 7,
    first,
    count: 1,
    attributes: attributes === null ? null : Buffer.from(attributes),
    payload: Buffer.from(`${first}:`.padEnd(payloadBytes, String(first))),
  }
}

/** Appends these records, syncing after those that `syncAfter` names. The journal is left as a kill leaves it. */
export async function writeRecords(
  folder: string,
  records: readonly JournalRecord[],
  options: { readonly fileBytesMax?: number; readonly syncAfter?: readonly number[] } = {},
): Promise<void> {
  const journal = makeJournal(folder, options.fileBytesMax)
  journal.open(1, 0, [])
  for (const record of records) {
    await journal.append(record, options.syncAfter?.includes(record.first) ?? false)
  }
  await journal.close(false)
}

export interface ReadBack {
  readonly records: readonly { readonly first: number; readonly attributes: string | null; readonly payload: string }[]
  readonly damage: readonly JournalDamage[]
  readonly cutBytes: number
  readonly files: readonly number[]
}

/** Replays; `tolerant` takes note of damage and goes on. */
export async function readBack(folder: string, tolerant = false): Promise<ReadBack> {
  const records: { first: number; attributes: string | null; payload: string }[] = []
  const damage: JournalDamage[] = []
  const { cutBytes, files } = await replayJournal(
    folder,
    ({ first }, attributes, payload) => {
      records.push({
        first,
        attributes: attributes === null ? null : Buffer.from(attributes).toString(),
        payload: payload.toString(),
      })
    },
    tolerant ? { onDamage: (each) => damage.push(each) } : {},
  )
  return { records, damage, cutBytes, files: files.map(({ number }) => number) }
}

export async function firstsOf(folder: string): Promise<readonly number[]> {
  return (await readBack(folder)).records.map(({ first }) => first)
}

/** Changes the bytes of a journal file. */
export function edit(folder: string, number: number, change: (bytes: Buffer) => Buffer): void {
  const path = join(folder, journalFileName(number))
  const bytes = readFileSync(path)
  writeFileSync(path, change(bytes))
}

/** Changes one bit. */
export function flip(folder: string, number: number, at: number): void {
  edit(folder, number, (bytes) => {
    bytes[at] ^= 1
    return bytes
  })
}

/** Where each record of a file begins, and after the last one where it ends. */
export function placesOf(folder: string, number: number): readonly number[] {
  const bytes = readFileSync(join(folder, journalFileName(number)))
  const places: number[] = []
  let at = 0
  while (at + 48 <= bytes.length && bytes.toString('latin1', at, at + 4) === 'SWJ1') {
    places.push(at)
    at += 48 + bytes.readUInt32BE(at + 36) + bytes.readUInt32BE(at + 40)
  }
  return [...places, at]
}

export { listJournalFiles }
