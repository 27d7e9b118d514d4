import { mkdtemp, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BrokerError } from '@spillway/core'
import { Database } from '../database.js'
import { storageError } from '../storage-error.js'

/**
 * Makes sure that no broker has the data path, and that none takes it while `look` looks. Nothing in it is changed: the lock that RocksDB takes is
 * that of an empty database elsewhere, whose lock file leads to the one here.
 * @throws BrokerError `E_STORAGE_LOCKED`; `E_STORAGE_IO` when there is nothing to look at
 */
export async function whileStopped<T>(dataPath: string, look: () => Promise<T>): Promise<T> {
  await requireDataPath(dataPath)
  const lockPath = join(dataPath, 'rocksdb', 'LOCK')
  if (!(await exists(lockPath))) return await look()
  const elsewhere = await mkdtemp(join(tmpdir(), 'spillway-doctor-'))
  const lock = new Database(elsewhere)
  try {
    await symlink(lockPath, join(elsewhere, 'LOCK'))
    await lock.open().catch((error: unknown) => {
      if (!isReadOnly(error)) throw describeLock(error, dataPath) // no broker runs where nothing can be written
    })
    return await look()
  } finally {
    await lock.close()
    await rm(elsewhere, { recursive: true, force: true })
  }
}

function isReadOnly(error: unknown): boolean {
  return error instanceof BrokerError && /read-only file system/i.test(error.detail)
}

function describeLock(error: unknown, dataPath: string): unknown {
  if (!(error instanceof BrokerError) || error.code !== 'E_STORAGE_LOCKED') return error
  const detail = `${dataPath} is in use by a broker; stop it first`
  return new BrokerError('E_STORAGE_LOCKED', detail, { cause: error })
}

async function requireDataPath(dataPath: string): Promise<void> {
  const found = await stat(dataPath).catch((error: unknown) => {
    throw storageError(error, dataPath)
  })
  const isOurs =
    found.isDirectory() && ((await exists(join(dataPath, 'rocksdb'))) || (await exists(join(dataPath, 'journal'))))
  if (isOurs) return
  throw new BrokerError(
    'E_STORAGE_IO',
    `${dataPath} has neither rocksdb/ nor journal/: it is no data path of RocksDB storage`,
  )
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null
}
