import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/**
 * Loaded into a broker before anything else (`node --import`): notes, for every file that is synced, how far it had been
 * written when the sync began, and does so before whoever asked for the sync learns that it is done. A test that kills the
 * broker can then take away everything else, as a loss of power may.
 *
 * One line of JSON, a {@link SyncLine}, for each sync that has succeeded. How far a file was written is known from the
 * writes that are made through `fs.write` and its like, since a file may be given its size in advance; for a file that is
 * written in other ways it is its size. A native library's own syncs are not seen.
 *
 * With SPILLWAY_TEST_SYNC_DELAY_MS, syncs that do not block take that much longer.
 */
export type SyncLine =
  | { readonly path: string; readonly inode: number; readonly writtenBytes: number }
  /** A folder: these are the files in it that a loss of power leaves there. */
  | { readonly path: string; readonly names: readonly string[] }

type Call = (...args: unknown[]) => unknown
type Callback = (error: Error | null, ...results: unknown[]) => void
type Handles = Record<'sync' | 'datasync', (this: fs.promises.FileHandle) => Promise<void>>

const recordPath = process.env.SPILLWAY_TEST_SYNC_RECORD ?? ''
const delayMs = Number(process.env.SPILLWAY_TEST_SYNC_DELAY_MS ?? 0)
const { fstatSync, openSync, readdirSync, readlinkSync, writeSync } = fs
const PATCHED = [
  'write',
  'writeSync',
  'writev',
  'writevSync',
  'fsync',
  'fsyncSync',
  'fdatasync',
  'fdatasyncSync',
] as const
const original = Object.fromEntries(PATCHED.map((name) => [name, fs[name] as Call]))
/** By file: the end of what was written. */
const writtenEnds = new Map<string, number>()

if (recordPath !== '' && process.platform === 'linux') await install(openSync(recordPath, 'a'))

async function install(record: number): Promise<void> {
  const done = (line: string): void => {
    writeSync(record, line)
  }
  const patches: Record<string, Call> = {}
  for (const name of ['writeSync', 'writevSync']) patches[name] = trackedSync(original[name])
  for (const name of ['write', 'writev']) patches[name] = tracked(original[name])
  for (const name of ['fsyncSync', 'fdatasyncSync']) {
    patches[name] = (fd) => {
      const line = beginSync(fd as number)
      original[name](fd)
      done(line)
    }
  }
  for (const name of ['fsync', 'fdatasync']) {
    patches[name] = (fd, callback) => {
      const line = beginSync(fd as number)
      const synced: Callback = (error, ...results) => {
        if (error === null) done(line)
        ;(callback as Callback)(error, ...results)
      }
      afterDelay(() => original[name](fd, synced))
    }
  }
  Object.assign(fs, patches)

  const handle = await fs.promises.open(recordPath, 'a')
  const handles = Object.getPrototypeOf(handle) as Handles
  for (const name of ['sync', 'datasync'] as const) {
    const sync = handles[name]
    handles[name] = async function (this: fs.promises.FileHandle): Promise<void> {
      const line = beginSync(this.fd)
      await new Promise<void>(afterDelay)
      await sync.call(this)
      done(line)
    }
  }
  await handle.close()
  syncBuiltinESMExports()
}

/** As a disk that is slow. */
function afterDelay(then: () => void): void {
  if (delayMs > 0) setTimeout(then, delayMs)
  else then()
}

/** What must be noted once the sync that now begins has succeeded. */
function beginSync(fd: number): string {
  const stats = fstatSync(fd)
  const path = readlinkSync(`/proc/self/fd/${fd}`)
  const line: SyncLine = stats.isDirectory()
    ? { path, names: readdirSync(path) }
    : { path, inode: stats.ino, writtenBytes: writtenEnds.get(keyOf(stats)) ?? stats.size }
  return `${JSON.stringify(line)}\n`
}

function keyOf({ ino, birthtimeMs }: fs.Stats): string {
  return `${ino} ${birthtimeMs}`
}

function trackedSync(write: Call): Call {
  return (fd, data, ...rest) => {
    const count = write(fd, data, ...rest) as number
    noteWritten(fd as number, positionOf(data, rest), count)
    return count
  }
}

function tracked(write: Call): Call {
  return (fd, data, ...rest) => {
    const callback = rest.pop() as Callback
    const written: Callback = (error, count, ...results) => {
      if (error === null) noteWritten(fd as number, positionOf(data, rest), count as number)
      callback(error, count, ...results)
    }
    write(fd, data, ...rest, written)
  }
}

/** Where a write was made: null is at the file's own position. */
function positionOf(data: unknown, rest: readonly unknown[]): unknown {
  if (typeof data === 'string' || Array.isArray(data)) return rest[0]
  const [options] = rest
  return typeof options === 'object' && options !== null ? (options as { position?: unknown }).position : rest[2]
}

function noteWritten(fd: number, position: unknown, count: number): void {
  const stats = fstatSync(fd)
  if (!stats.isFile()) return
  const end = typeof position === 'number' ? position + count : stats.size
  const key = keyOf(stats)
  writtenEnds.set(key, Math.max(writtenEnds.get(key) ?? 0, end))
}
