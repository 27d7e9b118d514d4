import assert from 'node:assert/strict'
import type { Chunk } from '../contracts/chunk.js'
import type { LogStore } from '../contracts/log-store.js'
import type { Lease, Sequence } from '../contracts/sequence.js'
import type { Durability, Storage } from '../contracts/storage.js'
import type { ErrorCode } from '../errors.js'
import type { StorageSuite } from './storage-suite.js'

const READ_SIZE_BYTES = 64 * 1024

let placeCount = 0

/** What a test of the storage suite stands on: an open storage at a place of its own, closed after the test. */
export class StorageFixture {
  place = ''
  #suite: StorageSuite
  #storage: Storage | null = null
  #made: Storage[] = []
  /** A hook that fails ends the run; so this is kept for a test of its own. */
  readonly #closeErrors: unknown[] = []

  constructor(suite: StorageSuite) {
    this.#suite = suite
    beforeEach(() => {
      this.place = `place-${++placeCount}`
    })
    afterEach(async () => {
      for (const storage of this.#made) await this.#closeAfterTest(storage)
      this.#made = []
      this.#storage = null
    })
  }

  /** What went wrong when storages were closed after tests. */
  get closeErrors(): readonly unknown[] {
    return this.#closeErrors
  }

  /** Makes a storage at the test's place, and does not open it. */
  async make(): Promise<Storage> {
    const storage = await this.#suite.create(this.place)
    this.#made.push(storage)
    return storage
  }

  /** The open storage. */
  async storage(): Promise<Storage> {
    if (this.#storage === null) {
      this.#storage = await this.make()
      await this.#storage.open()
    }
    return this.#storage
  }

  /** Closes the storage and opens another one at the same place. */
  async reopen(): Promise<Storage> {
    await this.close()
    return this.storage()
  }

  /** Closes the storage; the next one that is asked for is another one at the same place. */
  async close(): Promise<void> {
    await this.#storage?.close()
    this.#storage = null
  }

  async #closeAfterTest(storage: Storage): Promise<void> {
    try {
      await storage.close()
    } catch (error) {
      this.#closeErrors.push(error)
    }
  }

  /** Opens a log, a new one unless it is named. */
  async log(durability: Durability, lease?: Lease): Promise<LogStore> {
    const storage = await this.storage()
    return storage.openLog(lease ?? storage.takeLeases(1), { durability, epoch: 0 })
  }
}

/** Every chunk from `from` on, read as the engine reads: piece by piece. */
export async function readAll(
  log: LogStore,
  from: Sequence = 0,
  sizeBytesMax = READ_SIZE_BYTES,
): Promise<readonly Chunk[]> {
  const all: Chunk[] = []
  for (let next = from; ; ) {
    const chunks = await log.read(next, sizeBytesMax)
    if (chunks.length === 0) return all
    all.push(...chunks)
    const last = chunks[chunks.length - 1]
    assert.ok(last.first + last.count > next, `read(${next}) did not get any further`)
    next = last.first + last.count
  }
}

/** The call fails with this code, be it thrown or rejected. */
export async function assertFails(code: ErrorCode, call: () => unknown): Promise<void> {
  // The code and not the class: a plugin may have brought a copy of core of its own.
  await assert.rejects(
    async () => await call(),
    (error: Error & { code?: unknown }) => {
      assert.equal(error.code, code, `expected ${code}, but got ${error.stack}`)
      return true
    },
  )
}

/** Skips come from declared capabilities only, hence the condition here and not in the test; the title says which one. */
export function itIf(isOffered: boolean, capability: string): (title: string, test: Mocha.AsyncFunc) => void {
  return (title, test) => {
    if (isOffered) it(title, test)
    else it.skip(`${title} (not offered: ${capability})`, test)
  }
}

/** What every durability but `none` offers. */
export const DURABLE = 'outliving the process'
