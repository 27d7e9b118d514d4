import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../support/random.js'
import type { SyncLine } from './sync-recorder.js'

const PAGE_SIZE_BYTES = 4096

/** What stays of that which was not synced: a loss of power may leave any part of it. */
const TAILS = ['nothing', 'the beginning', 'some pages'] as const
type Tail = (typeof TAILS)[number]

/**
 * Does to the files of a folder what a loss of power may: of each file, all that was written after the last successful sync
 * began goes, or a part of it; what the broker does not know to be in the folder goes as a whole, or not. `record` is what
 * the sync recorder has written in the broker; it then says that all that is left is on the disk. Returns how many bytes
 * other than zero are gone.
 */
export function losePower(directory: string, record: string, random: Random): number {
  if (!existsSync(directory)) return 0
  const synced = readRecord(record)
  const tail = random.pick(TAILS)
  const names = readdirSync(directory)
  let lostBytes = 0
  for (const name of names) {
    const path = join(directory, name)
    const { ino, size } = statSync(path)
    const kept = synced.writtenBytes.get(keyOf(path, ino)) ?? 0
    const content = readFileSync(path)
    const isInFolder = synced.names.get(directory)?.has(name) ?? false
    if (!isInFolder && random.chance(0.5)) {
      unlinkSync(path)
      lostBytes += usedBytes(content, 0)
      continue
    }
    if (kept < size) lostBytes += cutTail(path, content, kept, kept === 0 ? 'nothing' : tail, random)
  }
  noteAllAsSynced(directory, record)
  return lostBytes
}

/** RocksDB's own write-ahead log is never synced by anyone. */
export function emptyWriteAheadLogs(directory: string): void {
  if (!existsSync(directory)) return
  for (const name of readdirSync(directory)) if (/^\d+\.log$/.test(name)) truncateSync(join(directory, name), 0)
}

/** The file keeps its size, unless nothing of it was ever synced. */
function cutTail(path: string, content: Buffer, kept: number, tail: Tail, random: Random): number {
  const end = kept + usedBytes(content, kept)
  let lostBytes = end - kept
  truncateSync(path, kept)
  if (kept > 0) truncateSync(path, content.length)
  const leave = (from: number, to: number): void => {
    const file = openSync(path, 'r+')
    writeSync(file, content, from, to - from, from)
    closeSync(file)
    lostBytes -= to - from
  }
  if (tail === 'the beginning' && end > kept) {
    leave(kept, random.between(kept, end))
  } else if (tail === 'some pages') {
    for (let from = kept; from < end; ) {
      const to = Math.min(end, (Math.floor(from / PAGE_SIZE_BYTES) + 1) * PAGE_SIZE_BYTES)
      if (random.chance(0.5)) leave(from, to)
      from = to
    }
  }
  return lostBytes
}

/** From `start` to the last byte that is not zero. */
function usedBytes(content: Buffer, start: number): number {
  let end = content.length
  while (end > start && content[end - 1] === 0) end--
  return end - start
}

interface Synced {
  /** By {@link keyOf}. */
  readonly writtenBytes: Map<string, number>
  /** By folder. */
  readonly names: Map<string, Set<string>>
}

/** The path alone could be another file's by now, and so could the inode. */
const keyOf = (path: string, inode: number) => `${inode} ${path}`

function readRecord(record: string): Synced {
  const synced: Synced = { writtenBytes: new Map(), names: new Map() }
  if (!existsSync(record)) return synced
  // The last line may have been cut off by the kill; nobody was told of that sync.
  for (const text of readFileSync(record, 'utf8').split('\n').slice(0, -1)) {
    const line = JSON.parse(text) as SyncLine
    if ('names' in line) {
      synced.names.set(line.path, new Set(line.names))
      continue
    }
    const key = keyOf(line.path, line.inode)
    // Two syncs of a file may end in the other order than they began.
    synced.writtenBytes.set(key, Math.max(synced.writtenBytes.get(key) ?? 0, line.writtenBytes))
  }
  return synced
}

/** What a loss of power has left is what is on the disk. */
function noteAllAsSynced(directory: string, record: string): void {
  const names = readdirSync(directory)
  const lines: SyncLine[] = names.map((name) => {
    const path = join(directory, name)
    const { ino, size } = statSync(path)
    return { path, inode: ino, writtenBytes: size }
  })
  lines.push({ path: directory, names })
  endLine(record)
  appendFileSync(record, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
}

/** A line that the kill has cut off is taken away. */
function endLine(record: string): void {
  if (!existsSync(record)) return
  const text = readFileSync(record, 'utf8')
  truncateSync(record, Buffer.byteLength(text.slice(0, text.lastIndexOf('\n') + 1)))
}
