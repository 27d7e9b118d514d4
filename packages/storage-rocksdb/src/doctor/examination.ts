import {
  BrokerError,
  type CatalogueTopic,
  type ChannelEntry,
  readCatalogue,
  type SequenceRange,
  type TopicEntry,
} from '@spillway/core'
import type { Database } from '../database.js'
import { addRange, countOf, difference } from '../ranges.js'
import { FoundLog } from './found-log.js'
import { rebuildIndexEntry } from './rebuilt-index.js'
import type { ChannelReport, Damage, DoctorReport, TopicReport } from './report.js'
import { StoredView } from './stored-view.js'
import { wantedRecords } from './wanted-records.js'

/** A topic as it was found, with all that a repair needs. */
export interface ExaminedTopic {
  readonly name: string
  readonly entry: TopicEntry
  readonly log: FoundLog
  /** What somebody has still to get and what is nowhere. */
  readonly missing: readonly SequenceRange[]
  /** Where no record is, although one should be: each of {@link missing} with all that is missing around it. */
  readonly gaps: readonly SequenceRange[]
  /** Channels whose cursor cannot be read. */
  readonly badCursors: readonly ChannelEntry[]
}

export interface Examination {
  readonly report: DoctorReport
  readonly topics: readonly ExaminedTopic[]
  /** Without it nothing can be repaired. */
  readonly isRocksdbReadable: boolean
}

/** Looks at all that is stored. */
export async function examine(dataPath: string, database: Database): Promise<Examination> {
  const view = new StoredView(dataPath, database)
  const damage: Damage[] = []
  const topics: ExaminedTopic[] = []
  const reports: TopicReport[] = []
  let isRocksdbReadable = false
  try {
    await database.open({ readOnly: true })
    await view.read()
    const catalogue = await readCatalogue(view)
    isRocksdbReadable = true
    for (const [name, saved] of [...catalogue].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const { report, topic } = await examineTopic(name, saved, { view, database, damage })
      reports.push(report)
      topics.push(topic)
    }
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    damage.push(unreadable(error))
    if (!isRocksdbReadable && view.journal.fileCount === 0) await view.readJournal()
  } finally {
    await database.close()
  }
  for (const detail of view.journalDamage) {
    damage.unshift({ ...NOTHING, kind: 'journal', detail, remedy: 'what can be read before and behind it is kept' })
  }
  const known = new Set(topics.map(({ entry }) => entry.log))
  const orphans = isRocksdbReadable ? [...view.logs.values()].filter(({ log }) => !known.has(log)) : []
  const report: DoctorReport = {
    dataPath,
    isHealthy: damage.length === 0,
    topics: reports,
    damage,
    journal: view.journal,
    rocksdbSizeBytes: view.rocksdbSizeBytes,
    orphanedLogs: orphans.map(({ log, storedCount, storedBytes }) => ({ log, storedCount, storedBytes })),
  }
  return { report, topics, isRocksdbReadable }
}

const NOTHING = { topic: null, channel: null, records: null, remedy: null }

function unreadable(error: BrokerError): Damage {
  const kind = error.detail.startsWith('catalogue entry') ? 'catalogue' : 'rocksdb'
  return { ...NOTHING, kind, detail: error.detail }
}

interface Findings {
  readonly view: StoredView
  readonly database: Database
  readonly damage: Damage[]
}

async function examineTopic(
  name: string,
  { entry, channels }: CatalogueTopic,
  { view, database, damage }: Findings,
): Promise<{ report: TopicReport; topic: ExaminedTopic }> {
  const log = view.logs.get(entry.log) ?? new FoundLog(entry.log)
  await examineMessages(name, entry, log, { view, database, damage })
  const records = log.records()
  const release = entry.release ?? log.next
  const waiting = difference([{ first: release, end: Math.max(release, log.next) }], entry.voids)
  const wanted = [...waiting]
  const badCursors: ChannelEntry[] = []
  const channelReports: ChannelReport[] = []
  for (const [channel, channelEntry] of channels) {
    const { paused, id } = channelEntry
    const cursor = await view.loadCursor(entry.log, id)
    const facts = { entry: channelEntry, logFirst: log.first, end: Math.min(release, log.next), voids: entry.voids }
    let own: SequenceRange[]
    try {
      own = wantedRecords({ ...facts, cursor })
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      own = wantedRecords({ ...facts, cursor: null })
      badCursors.push(channelEntry)
      const remedy = 'it is forgotten: the channel gets everything again that the topic has'
      damage.push({ ...NOTHING, kind: 'cursor', detail: error.detail, topic: name, channel, remedy })
    }
    for (const range of own) addRange(wanted, range)
    channelReports.push({ name: channel, paused, depth: countOf(own) })
  }
  const missing = difference(
    wanted.sort((a, b) => a.first - b.first),
    records,
  )
  const gaps = gapsAround(missing, records, log)
  noteMissing(name, log, missing, damage)
  return {
    topic: { name, entry, log, missing, gaps, badCursors },
    report: {
      name,
      log: entry.log,
      durability: entry.durability,
      paused: entry.paused,
      depth: countOf(waiting),
      storedCount: countOf(records),
      storedBytes: log.storedBytes,
      channels: channelReports.sort((a, b) => (a.name < b.name ? -1 : 1)),
    },
  }
}

/** Reads every message of the topic that RocksDB has. */
async function examineMessages(name: string, entry: TopicEntry, log: FoundLog, findings: Findings): Promise<void> {
  const { view, database, damage } = findings
  const failures = await view.readMessages(log)
  for (const { first, end } of log.badStretches) {
    const { detail } = failures.get(first) as BrokerError
    const remedy = 'they are given up, so that what lies behind them is delivered'
    damage.push({ ...NOTHING, kind: 'records', detail, topic: name, records: { first, end }, remedy })
  }
  for (const first of log.badIndexes) {
    const rebuilt = await rebuildIndexEntry(database, log.log, entry.leases, first).catch(() => null)
    const end = rebuilt?.end ?? first + 1
    const remedy =
      rebuilt === null
        ? 'they are given up, so that what lies behind them is delivered'
        : 'it is made again from the messages; due times of deferred ones are lost, they are delivered at once'
    const detail = `${database.path}: log ${log.log}, records from ${first} on: the index entry cannot be read`
    damage.push({ ...NOTHING, kind: 'index', detail, topic: name, records: { first, end }, remedy })
    if (rebuilt !== null) log.rebuilt.set(first, rebuilt)
  }
}

/** Grows each missing range to all that is missing there, so that one gap is one range. */
function gapsAround(
  missing: readonly SequenceRange[],
  records: readonly SequenceRange[],
  log: FoundLog,
): SequenceRange[] {
  const absent = difference([{ first: log.first, end: log.next }], records)
  const gaps: SequenceRange[] = []
  let at = 0
  for (const { first, end } of missing) {
    while (at < absent.length && absent[at].end <= first) at++
    for (let i = at; i < absent.length && absent[i].first < end; i++) addRange(gaps, absent[i])
  }
  return gaps
}

/** What is missing where nothing else is known to be damaged. */
function noteMissing(topic: string, log: FoundLog, missing: readonly SequenceRange[], damage: Damage[]): void {
  const explained = damage.flatMap((each) => (each.topic === topic && each.records !== null ? [each.records] : []))
  const unexplained = difference(
    missing,
    explained.sort((a, b) => a.first - b.first),
  )
  for (const records of unexplained) {
    const detail = `topic ${topic} (log ${log.log}): records ${records.first} to ${records.end - 1} are nowhere`
    const remedy = 'they are given up, so that what lies behind them is delivered'
    damage.push({ ...NOTHING, kind: 'missing', detail, topic, records, remedy })
  }
}
