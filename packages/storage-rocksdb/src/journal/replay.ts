import { open, readdir, stat, truncate, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { BrokerError } from '@spillway/core'
import { journalFileName, journalFileNumber } from './journal-file.js'
import { isWhole, RECORD_HEADER_BYTES, type RecordHeader, RecordKind, readRecordHeader, recordEnd } from './record.js'

/** Told of each record, in the order in which they were written. The buffers are used again after the call. */
export type OnRecord = (header: RecordHeader, attributes: Uint8Array | null, payload: Buffer) => void

export interface ReplayedJournal {
  /** The files that are there, ascending, and where each ends. */
  readonly files: readonly { readonly number: number; readonly end: number }[]
  /** Bytes that were not whole and have been cut off, as a kill or a loss of power leaves them. */
  readonly cutBytes: number
}

/** Damage in the middle of a journal: bytes `[from, to)` of a file are not what was written; up to infinity when the file is missing. */
export interface JournalDamage {
  readonly path: string
  readonly from: number
  readonly to: number
}

/** The numbers of the journal files in a folder, ascending. */
export async function listJournalFiles(folder: string): Promise<number[]> {
  const numbers = (await readdir(folder)).map(journalFileNumber).filter((number) => number !== null)
  return numbers.sort((a, b) => a - b)
}

export interface ReplayOptions {
  /** Between two files. */
  readonly afterFile?: () => Promise<void>
  /** Takes note of damage, after which the replay goes on behind it; without this it ends with an error. */
  readonly onDamage?: (damage: JournalDamage) => void
  /** Nothing is cut off or removed. */
  readonly isReadOnly?: boolean
}

/** Whether the journal is not whole without what was in RocksDB before it. */
export async function goesOnFromDatabase(folder: string): Promise<boolean> {
  const [number] = await listJournalFiles(folder)
  if (number === undefined) return false
  const file = await open(join(folder, journalFileName(number)), 'r')
  try {
    const bytes = Buffer.alloc(RECORD_HEADER_BYTES)
    await file.read(bytes, 0, bytes.length, 0)
    return number > 1 || readRecordHeader(bytes, 0, number)?.count === 1
  } finally {
    await file.close()
  }
}

/**
 * Reads a whole journal. What a crash leaves at its end is cut off, in the files too; anything else that cannot be read is damage.
 * @throws BrokerError `E_STORAGE_CORRUPT` with the file and the place, unless `onDamage` takes note of it.
 */
export async function replayJournal(
  folder: string,
  onRecord: OnRecord,
  { afterFile, onDamage = refuse, isReadOnly = false }: ReplayOptions = {},
): Promise<ReplayedJournal> {
  const numbers = await listJournalFiles(folder)
  const files: { number: number; end: number }[] = []
  let buffer: Buffer = Buffer.alloc(0)
  let cutBytes = 0
  for (const number of numbers) {
    const path = join(folder, journalFileName(number))
    const bytes = await readInto(buffer, path)
    if (bytes.length > buffer.length) buffer = bytes
    const previous = files.at(-1)
    const start = readRecordHeader(bytes, 0, number)
    const isStarted = start !== null && start.kind === RecordKind.fileStart && isWhole(bytes, 0, start)
    if (previous !== undefined && !(isStarted && number === previous.number + 1 && start.first <= previous.end)) {
      if (!wasSynced(bytes, number)) {
        cutBytes += await cut(folder, [number, ...numbers.filter((later) => later > number)], isReadOnly)
        break
      }
      if (number > previous.number + 1) {
        onDamage({ path: join(folder, journalFileName(previous.number + 1)), from: 0, to: Infinity })
      } else if (isStarted) {
        onDamage({ path: join(folder, journalFileName(previous.number)), from: previous.end, to: start.first })
      } // else its own beginning is damaged, as will be seen
    }
    const end = walk(bytes, number, path, onRecord, onDamage)
    if (number === numbers[numbers.length - 1]) cutBytes += usedBytes(bytes, end)
    files.push({ number, end })
    await afterFile?.()
  }
  const last = files.at(-1)
  if (cutBytes > 0 && last !== undefined && !isReadOnly)
    await truncate(join(folder, journalFileName(last.number)), last.end)
  return { files, cutBytes }
}

/** Whether anything of the file was on the disk itself while it was written: all files before it were, then. */
function wasSynced(bytes: Buffer, number: number): boolean {
  for (let at = 0; at !== -1; at = nextRecord(bytes, at + 1, number)) {
    const header = readRecordHeader(bytes, at, number)
    if (header !== null && header.syncedBytes > 0) return true
  }
  return false
}

/** Removes files that a loss of power has left without what came before them. Returns their bytes. */
async function cut(folder: string, numbers: readonly number[], isReadOnly: boolean): Promise<number> {
  let cutBytes = 0
  for (const number of numbers) {
    const path = join(folder, journalFileName(number))
    cutBytes += (await stat(path)).size
    if (!isReadOnly) await unlink(path)
  }
  return cutBytes
}

function refuse(damage: JournalDamage): void {
  const hint = '`spillway doctor DATA_PATH` says what can be saved'
  throw new BrokerError('E_STORAGE_CORRUPT', `${describeDamage(damage)}; ${hint}`)
}

export function describeDamage({ path, from, to }: JournalDamage): string {
  if (to === Infinity) return `${path} is missing`
  return `${path} is damaged: bytes ${from} to ${to - 1} are not what was written`
}

/** Tells of the records of one file. Returns where they end. */
function walk(
  bytes: Buffer,
  number: number,
  path: string,
  onRecord: OnRecord,
  onDamage: (damage: JournalDamage) => void,
): number {
  let at = 0
  for (;;) {
    const header = readRecordHeader(bytes, at, number)
    if (header === null || !isWhole(bytes, at, header)) {
      const next = syncedRecordBehind(bytes, at, number)
      if (next === -1) return at
      onDamage({ path, from: at, to: next })
      at = next
      continue
    }
    const payloadAt = at + RECORD_HEADER_BYTES + header.attributesBytes
    const end = recordEnd(at, header)
    if (header.kind !== RecordKind.fileStart) {
      const attributes =
        header.attributesBytes === 0 ? null : Buffer.from(bytes.subarray(at + RECORD_HEADER_BYTES, payloadAt))
      onRecord(header, attributes, bytes.subarray(payloadAt, end))
    }
    at = end
  }
}

/**
 * A record behind the place `at` that was written when `at` was on the disk itself already: then what is at `at` was whole once.
 * -1 when there is none: what is there was never acknowledged, or was promised to survive a kill only.
 */
function syncedRecordBehind(bytes: Buffer, at: number, number: number): number {
  const first = nextRecord(bytes, at + 1, number)
  for (let next = first; next !== -1; next = nextRecord(bytes, next + 1, number)) {
    const header = readRecordHeader(bytes, next, number) as RecordHeader
    if (header.syncedBytes > at) return first
  }
  return -1
}

/** Where the next whole record begins, at or behind `from`; -1 when there is none. */
function nextRecord(bytes: Buffer, from: number, number: number): number {
  for (let at = bytes.indexOf('SWJ1', from); at !== -1; at = bytes.indexOf('SWJ1', at + 1)) {
    const header = readRecordHeader(bytes, at, number)
    if (header !== null && isWhole(bytes, at, header)) return at
  }
  return -1
}

const ZEROS = Buffer.alloc(64 * 1024)

/** How many bytes from `end` on are not zero, up to the last one: what was begun. */
function usedBytes(bytes: Buffer, end: number): number {
  let last = bytes.length
  while (last - ZEROS.length >= end && ZEROS.equals(bytes.subarray(last - ZEROS.length, last))) last -= ZEROS.length
  while (last > end && bytes[last - 1] === 0) last--
  return last - end
}

/** The whole file, in `buffer` if it fits. */
async function readInto(buffer: Buffer, path: string): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const bytes = size <= buffer.length ? buffer.subarray(0, size) : Buffer.allocUnsafeSlow(size)
    let read = 0
    while (read < size) {
      const { bytesRead } = await file.read(bytes, read, size - read, read)
      if (bytesRead === 0) break
      read += bytesRead
    }
    return bytes.subarray(0, read)
  } finally {
    await file.close()
  }
}
