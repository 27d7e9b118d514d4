import { mkdir, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { BrokerError } from '@spillway/core'
import type RocksDB from 'rocksdb-native'
import type { WriteBatch } from 'rocksdb-native'
import { nameOf } from './pending-values.js'
import { storageError } from './storage-error.js'

/** Values from this size on lie in blob files, which are not rewritten when keys are. */
const BLOB_BYTES_MIN = 4096
const BLOB_FILE_BYTES = 64 * 1024 * 1024
/** Memory that RocksDB gathers writes in before it makes a file of them; there may be two at a time. */
const MEMTABLE_BYTES = 16 * 1024 * 1024
const SCAN_ROWS = 1024
/** RocksDB keeps a log of its own for every start. */
const OLD_LOGS_MAX = 3

/** What RocksDB keeps of data, as opposed to its own logs and options. */
const OWN_FILE = /^MANIFEST-|\.(sst|blob)$/
/** Another process has it open; or this one. */
const LOCKED = /while lock file|lock hold by|lock file: .*another process/i
const DAMAGED = /corrupt|mismatch|magic number|does not exist/i

/** RocksDB as this storage uses it. Everything happens in the thread pool; errors are the storage's, and name the path. */
export class Database {
  readonly path: string
  #db: RocksDB | null = null
  /** Batches that were begun and not written. */
  readonly #begun = new Set<WriteBatch>()
  #garbageCollection: { readonly FORCE: number; readonly DEFAULT: number } | null = null

  constructor(path: string) {
    this.path = path
  }

  /** @throws BrokerError `E_STORAGE_LOCKED` when another process has it open, `E_STORAGE_IO`, `E_STORAGE_CORRUPT` */
  async open(options: { readonly readOnly?: boolean } = {}): Promise<void> {
    const { default: Rocks } = await import('rocksdb-native').catch((cause: Error) => {
      const hint = /libatomic/.test(cause.message)
        ? 'libatomic is missing (apt-get install libatomic1, or your like)'
        : ''
      throw new BrokerError('E_STORAGE_IO', `RocksDB cannot be loaded: ${hint || cause.message}`, { cause })
    })
    this.#garbageCollection = Rocks.constants.garbageCollectionPolicy
    const isReadOnly = options.readOnly ?? false
    try {
      if (!isReadOnly) await mkdir(this.path, { recursive: true })
      const db = new Rocks(this.path, {
        enableBlobFiles: true,
        blobFileSize: BLOB_FILE_BYTES, // by default each value has a file of its own
        enableBlobGarbageCollection: false, // on demand only: twice the writing otherwise
        minBlobSize: BLOB_BYTES_MIN,
        writeBufferSize: MEMTABLE_BYTES,
        maxWriteBufferNumber: 2,
        maxBackgroundJobs: 2,
        // what RocksDB does not know of it deletes: where files are it must not begin anew
        createIfMissing: !isReadOnly && !(await readdir(this.path)).some((name) => OWN_FILE.test(name)),
        readOnly: isReadOnly,
      })
      await db.ready()
      this.#db = db
    } catch (error) {
      throw this.#openError(error)
    }
    if (!isReadOnly) await this.#removeOldLogs().catch(() => undefined)
  }

  #openError(error: unknown): BrokerError {
    const text = error instanceof Error ? error.message : String(error)
    if (LOCKED.test(text)) {
      const detail = `${this.path} is in use by another process; each broker needs a data path of its own`
      return new BrokerError('E_STORAGE_LOCKED', detail, { cause: error })
    }
    return databaseError(error, this.path)
  }

  async #removeOldLogs(): Promise<void> {
    const old = (await readdir(this.path)).filter((name) => name.startsWith('LOG.old.')).sort()
    for (const name of old.slice(0, Math.max(0, old.length - OLD_LOGS_MAX))) await unlink(join(this.path, name))
  }

  get #open(): RocksDB {
    if (this.#db === null) throw new BrokerError('E_STORAGE_CLOSED', `${this.path} is closed`)
    return this.#db
  }

  async #run<T>(call: (db: RocksDB) => Promise<T>): Promise<T> {
    try {
      return await call(this.#open)
    } catch (error) {
      throw databaseError(error, this.path)
    }
  }

  get(key: Uint8Array): Promise<Buffer | null> {
    return this.#run((db) => db.get(key))
  }

  /** All values of a range of keys; the keys as latin1 strings. */
  scan(range: { readonly gte: Uint8Array; readonly lt: Uint8Array }): Promise<Map<string, Buffer>> {
    return this.#run(async (db) => {
      const found = new Map<string, Buffer>()
      for await (const { key, value } of db.iterator(range, { capacity: SCAN_ROWS })) found.set(nameOf(key), value)
      return found
    })
  }

  /** A batch, for {@link write}. Its buffers must not change before that has resolved. */
  batch(): WriteBatch {
    const batch = this.#open.write({ autoDestroy: true })
    this.#begun.add(batch)
    return batch
  }

  /** Writes all of the batch or nothing, so that it survives kill -9. */
  write(batch: WriteBatch): Promise<void> {
    this.#begun.delete(batch)
    return this.#run(() => batch.flush())
  }

  /** Brings everything written so far to the disk itself. */
  flush(): Promise<void> {
    return this.#run((db) => db.flush())
  }

  /** Gives back the room of what was deleted; `thoroughly` also where it lies among what is still needed, which is moved. */
  compact(thoroughly: boolean): Promise<void> {
    const policy = this.#garbageCollection
    return this.#run((db) =>
      db.compact(
        thoroughly && policy !== null
          ? { blobGarbageCollectionPolicy: policy.FORCE, blobGarbageCollectionAgeCutoff: 1 }
          : {},
      ),
    )
  }

  /** Bytes of all files with values. */
  blobBytes(): Promise<number> {
    return this.#run(async (db) => Number((await db.getProperty('rocksdb.total-blob-file-size')) ?? 0))
  }

  async close(): Promise<void> {
    const db = this.#db
    this.#db = null
    for (const batch of this.#begun) batch.destroy() // RocksDB waits for every one of them
    this.#begun.clear()
    if (db !== null) await db.close()
  }
}

/** RocksDB calls damage an I/O error; and a file of its own that is not there is damage, too. */
function databaseError(error: unknown, path: string): BrokerError {
  const failure = storageError(error, path)
  const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
  if (failure.code !== 'E_STORAGE_IO' || !(isMissing || DAMAGED.test(failure.detail.slice(path.length)))) return failure
  return new BrokerError('E_STORAGE_CORRUPT', failure.detail, { cause: error })
}
