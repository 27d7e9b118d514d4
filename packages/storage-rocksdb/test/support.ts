import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock, Logger } from '@spillway/core'
import { SystemClock } from '@spillway/core/node'
import { TestLogger } from '@spillway/core/testing'
import { RocksdbStorage } from '../src/index.js'
import type { RocksdbOptions } from '../src/options.js'

/** Small files and no ballast, so that tests go through many of them quickly. */
export const TEST_OPTIONS: RocksdbOptions = {
  durability: 'process',
  durabilityByTopic: {},
  freeDiskBytesMin: 0,
  ballastSizeBytes: 0,
  journalFileSizeBytes: 1024 * 1024,
  syncIntervalMs: 0,
}

export function makeStorage(
  dataPath: string,
  options: Partial<RocksdbOptions> = {},
  clock: Clock = new SystemClock(),
  logger: Logger = new TestLogger(),
): RocksdbStorage {
  return new RocksdbStorage({
    options: { ...TEST_OPTIONS, ...options },
    clock,
    logger,
    dataPath,
  })
}

/** A folder that is removed after the tests of the group. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'storage-rocksdb-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
