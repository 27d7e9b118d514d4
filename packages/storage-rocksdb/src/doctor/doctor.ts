import { join } from 'node:path'
import { Database } from '../database.js'
import { type Examination, examine } from './examination.js'
import { givenUp, repairStretches, repairTopics } from './repair.js'
import type { DoctorReport, RepairReport } from './report.js'
import { whileStopped } from './stopped-data-path.js'

/**
 * Reads the data path of a stopped broker, every message included, and says what is in it and what is wrong. Changes nothing.
 * @throws BrokerError `E_STORAGE_LOCKED` while a broker has it; `E_STORAGE_IO` when there is nothing to look at
 */
export async function examineDataPath(dataPath: string): Promise<DoctorReport> {
  return (await look(dataPath)).report
}

/**
 * The same, and then salvages what can be: whatever can be read is kept, and what cannot becomes a gap, behind which the broker goes on.
 * Nothing is changed when nothing is damaged.
 * @throws BrokerError as {@link examineDataPath} does; or when it cannot be written, after which it may be tried again
 */
export async function repairDataPath(dataPath: string): Promise<RepairReport> {
  const found = await look(dataPath)
  const before = found.report
  if (before.isHealthy || !found.isRocksdbReadable) return { before, done: [], gaveUp: [], after: before }
  const done = await repairStretches(dataPath, found)
  const left = await look(dataPath) // the journal may still have what RocksDB had to give up
  done.push(...(await repairTopics(dataPath, left)))
  const gaveUp = left.topics.flatMap(givenUp)
  return { before, done, gaveUp, after: (await look(dataPath)).report }
}

function look(dataPath: string): Promise<Examination> {
  return whileStopped(dataPath, () => examine(dataPath, new Database(join(dataPath, 'rocksdb'))))
}
