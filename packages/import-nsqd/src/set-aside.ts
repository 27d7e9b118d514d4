import { lstat, mkdir, open, readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BrokerError } from '@spillway/core'
import { METADATA_FILE } from './data-path.js'
import { onDisk } from './io-error.js'
import type { LockedDataPath } from './locked-data-path.js'

const QUEUE_FILE = /\.diskqueue\.(?:meta|\d{6,})\.dat(?:\.bad)?$/

/**
 * Moves nsqd's files out of the way, once they are imported, into a folder beside them that is named after when nsqd wrote its
 * `nsqd.dat`: each takeover has its own, and one that was cut off goes on in the same. Nothing is ever overwritten.
 * @throws BrokerError `E_STORAGE_IO`, with the path
 */
export async function setAside({ path: folder }: LockedDataPath): Promise<string> {
  const metadata = join(folder, METADATA_FILE)
  const { mtime } = await onDisk(metadata, () => stat(metadata))
  const aside = join(folder, `nsqd-imported-${mtime.toISOString().replaceAll(':', '-')}`)
  await onDisk(aside, () => mkdir(aside, { recursive: true }))
  const files = (await onDisk(folder, () => readdir(folder))).filter((file) => QUEUE_FILE.test(file))
  for (const file of files) await moveTo(aside, folder, file)
  await syncFolder(aside)
  // The one that says that this is an nsqd's goes last: as long as it is there, this is not done.
  await moveTo(aside, folder, METADATA_FILE)
  await syncFolder(aside)
  await syncFolder(folder)
  return aside
}

async function moveTo(aside: string, folder: string, file: string): Promise<void> {
  const from = join(folder, file)
  const to = join(aside, file)
  if (await exists(to)) {
    throw new BrokerError('E_STORAGE_IO', `${to} is there already, and so is ${from}: move one of them elsewhere`)
  }
  await onDisk(from, () => rename(from, to))
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** After a loss of power, too, what was moved first is where it was moved to. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return // knows no such thing
  await onDisk(path, async () => {
    const handle = await open(path)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  })
}
