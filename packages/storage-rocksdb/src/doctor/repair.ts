import { join } from 'node:path'
import { type Logger, type SequenceRange, topicWrite } from '@spillway/core'
import { SystemClock } from '@spillway/core/node'
import { Database } from '../database.js'
import { describeDamage } from '../journal/replay.js'
import { dataKey, indexKey } from '../keys.js'
import { addRange, countOf, difference } from '../ranges.js'
import { RocksdbStorage } from '../rocksdb-storage.js'
import type { Examination, ExaminedTopic } from './examination.js'
import type { GivenUp } from './report.js'

const MIB = 1024 * 1024
const OPTIONS = {
  durability: 'power',
  durabilityByTopic: {},
  freeDiskBytesMin: 0,
  ballastSizeBytes: 0,
  journalFileSizeBytes: 64 * MIB,
  syncIntervalMs: 0,
} as const

/** Takes the values that cannot be read out of RocksDB, and puts new index entries where they could be made. Returns what was done. */
export async function repairStretches(dataPath: string, { topics }: Examination): Promise<string[]> {
  const done: string[] = []
  const database = new Database(join(dataPath, 'rocksdb'))
  await database.open()
  try {
    const batch = database.batch()
    for (const { name, log } of topics) {
      for (const { first, end } of log.badStretches) {
        batch.tryDelete(indexKey(log.log, first))
        batch.tryDelete(dataKey(log.log, first))
        done.push(`topic ${name}: took out the value with records ${first} to ${end - 1}, which cannot be read`)
      }
      for (const first of log.badIndexes) {
        const rebuilt = log.rebuilt.get(first)
        if (rebuilt === undefined) {
          batch.tryDelete(indexKey(log.log, first))
          batch.tryDelete(dataKey(log.log, first))
          done.push(`topic ${name}: took out the value with the records from ${first} on, which cannot be read`)
        } else {
          batch.tryPut(indexKey(log.log, first), rebuilt.entry)
          done.push(`topic ${name}: made the index entry of records ${first} to ${rebuilt.end - 1} again`)
        }
      }
    }
    await database.write(batch)
    await database.flush()
  } finally {
    await database.close()
  }
  return done
}

/**
 * Opens the storage as a broker does, but for damage in the journal, which is passed over; makes durable gaps of what is missing, forgets cursors that
 * cannot be read, and stores everything in RocksDB, so that no journal is left. Returns what was done.
 */
export async function repairTopics(dataPath: string, { topics }: Examination): Promise<string[]> {
  const done: string[] = []
  const storage = new RocksdbStorage({
    options: OPTIONS,
    clock: new SystemClock(),
    logger: SILENT,
    dataPath,
    onJournalDamage: (damage) => done.push(`journal: passed over what cannot be read: ${describeDamage(damage)}`),
  })
  await storage.open()
  try {
    for (const { name, entry, gaps, badCursors } of topics) {
      if (gaps.length > 0) {
        const voids: SequenceRange[] = [...entry.voids]
        for (const gap of gaps) addRange(voids, gap)
        await storage.writeCatalogue([topicWrite(name, { ...entry, voids })])
        for (const { first, end } of gaps) done.push(`topic ${name}: records ${first} to ${end - 1} are a gap now`)
      }
      if (badCursors.length === 0) continue
      const log = await storage.openLog(entry.log, { durability: entry.durability, epoch: 0 })
      for (const { id } of badCursors) await log.deleteCursor(id)
      await log.close()
      done.push(`topic ${name}: forgot ${badCursors.length} cursors that cannot be read`)
    }
  } finally {
    await storage.close()
  }
  return done
}

/** What nobody will get any more, of what somebody was to get. */
export function givenUp({ name, gaps, missing }: ExaminedTopic): GivenUp[] {
  return gaps.map((records) => {
    const outside = difference(missing, [records])
    return { topic: name, records, wantedCount: countOf(missing) - countOf(outside) }
  })
}

/** What the storage has to say is in the report. */
const SILENT: Logger = {
  level: 'fatal',
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  fatal: () => undefined,
  child: () => SILENT,
}
