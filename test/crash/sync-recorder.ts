import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/**
 * Loaded into a broker before anything else (`node --import`): notes, for every file that is synced, how long the file was
 * when the sync began, and does so before whoever asked for the sync learns that it is done. A test that kills the broker
 * can then take away everything else, as a loss of power may.
 *
 * One line of JSON for each sync that has succeeded: `{ "path": …, "inode": …, "sizeBytes": … }`.
 * With SPILLWAY_TEST_SYNC_DELAY_MS, syncs that do not block take that much longer.
 * Only syncs that are made through Node's `fs` are seen; a native library's own are not.
 */
const recordPath = process.env.SPILLWAY_TEST_SYNC_RECORD ?? ''
const delayMs = Number(process.env.SPILLWAY_TEST_SYNC_DELAY_MS ?? 0)
const { fdatasync, fdatasyncSync, fstatSync, fsync, fsyncSync, openSync, readlinkSync, writeSync } = fs

if (recordPath !== '' && process.platform === 'linux') await install(openSync(recordPath, 'a'))

async function install(record: number): Promise<void> {
  /** Called before a sync begins: what must be written once it has succeeded. */
  const begin = (fd: number): string => {
    const { ino, size } = fstatSync(fd)
    return `${JSON.stringify({ path: readlinkSync(`/proc/self/fd/${fd}`), inode: ino, sizeBytes: size })}\n`
  }
  const done = (line: string): void => {
    writeSync(record, line)
  }

  /** As a disk that is slow: called when the sync would begin. */
  const wait = (then: () => void): void => {
    if (delayMs > 0) setTimeout(then, delayMs)
    else then()
  }

  type Sync = (fd: number, callback: fs.NoParamCallback) => void
  const withCallback =
    (sync: Sync): Sync =>
    (fd, callback) => {
      const line = begin(fd)
      const syncNow = () =>
        sync(fd, (error) => {
          if (error === null) done(line)
          callback(error)
        })
      wait(syncNow)
    }
  const synchronous =
    (sync: (fd: number) => void) =>
    (fd: number): void => {
      const line = begin(fd)
      sync(fd)
      done(line)
    }
  Object.assign(fs, {
    fdatasync: withCallback(fdatasync),
    fsync: withCallback(fsync),
    fdatasyncSync: synchronous(fdatasyncSync),
    fsyncSync: synchronous(fsyncSync),
  })

  const handle = await fs.promises.open(recordPath, 'a')
  const handles = Object.getPrototypeOf(handle) as Record<
    'sync' | 'datasync',
    (this: fs.promises.FileHandle) => Promise<void>
  >
  for (const name of ['sync', 'datasync'] as const) {
    const sync = handles[name]
    handles[name] = async function (this: fs.promises.FileHandle): Promise<void> {
      const line = begin(this.fd)
      await new Promise<void>(wait)
      await sync.call(this)
      done(line)
    }
  }
  await handle.close()
  syncBuiltinESMExports()
}
