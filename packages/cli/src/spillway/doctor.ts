import { resolve } from 'node:path'
import { BrokerError } from '@spillway/core'
import type { Damage, DoctorReport, RepairReport } from '@spillway/storage-rocksdb/doctor'
import type { Output } from '../output.js'

/** `spillway doctor`. @returns the exit code: 0 all is well, 1 something is damaged, 2 cannot look */
export async function doctor(dataPath: string, isRepairing: boolean, json: boolean, output: Output): Promise<number> {
  const { examineDataPath, repairDataPath } = await import('@spillway/storage-rocksdb/doctor') // only here: it loads RocksDB
  const path = resolve(dataPath)
  try {
    const repaired = isRepairing ? await repairDataPath(path) : null
    const report = repaired?.after ?? (await examineDataPath(path))
    if (json) output.out(`${JSON.stringify(repaired ?? report)}\n`)
    else output.out(repaired === null ? describeReport(report) : describeRepair(repaired))
    return report.isHealthy ? 0 : 1
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    if (json) output.out(`${JSON.stringify({ dataPath: path, error: { code: error.code, detail: error.detail } })}\n`)
    output.err(`spillway: ${error.code} ${error.detail}\n`)
    return 2
  }
}

function describeReport(report: DoctorReport): string {
  return [...describeContents(report), '', ...describeDamage(report)].map((line) => `${line}\n`).join('')
}

function describeRepair({ before, done, gaveUp, after }: RepairReport): string {
  const lines = [...describeContents(after), '']
  if (before.isHealthy) return [...lines, 'nothing to repair: no damage', ''].join('\n')
  lines.push(...describeDamage(before).map((line) => line.replace(/^damage:/, 'found:')))
  if (done.length > 0) lines.push('', 'done:', ...done.map((line) => `  ${line}`))
  if (gaveUp.length > 0) lines.push('', 'given up:')
  for (const { topic, records, wantedCount } of gaveUp) {
    const messages = wantedCount === 1 ? '1 message' : `${count(wantedCount)} messages`
    lines.push(
      `  topic ${topic}: records ${records.first} to ${records.end - 1}, ${messages} that some channel had not finished`,
    )
  }
  lines.push('', ...describeDamage(after).map((line) => line.replace(/^damage: none/, 'now: no damage')))
  return lines.map((line) => `${line}\n`).join('')
}

function describeContents({ dataPath, journal, rocksdbSizeBytes, topics, orphanedLogs }: DoctorReport): string[] {
  const torn =
    journal.tornBytes === 0 ? '' : `; its last ${count(journal.tornBytes)} bytes are not whole, as a kill leaves them`
  const files = journal.fileCount === 1 ? '1 file' : `${count(journal.fileCount)} files`
  const lines = [
    `data path  ${dataPath}`,
    `journal    ${files}, ${size(journal.sizeBytes)}${torn}`,
    `RocksDB    ${size(rocksdbSizeBytes)}`,
  ]
  for (const { log, storedCount, storedBytes } of orphanedLogs) {
    lines.push(
      `log ${log} belongs to no topic: ${count(storedCount)} records, ${size(storedBytes)}; the broker deletes it`,
    )
  }
  return [...lines, '', ...describeTopics(topics)]
}

function describeTopics(topics: DoctorReport['topics']): string[] {
  if (topics.length === 0) return ['no topics']
  const rows = [['TOPIC', 'CHANNEL', 'DEPTH', 'STORED', 'SIZE', '']]
  for (const topic of topics) {
    const marks = [topic.durability, ...(topic.paused ? ['paused'] : [])].join(', ')
    rows.push([topic.name, '', count(topic.depth), count(topic.storedCount), size(topic.storedBytes), marks])
    for (const { name, depth, paused } of topic.channels)
      rows.push(['', name, count(depth), '', '', paused ? 'paused' : ''])
  }
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const isNumber = (column: number): boolean => column >= 2 && column <= 4
  return rows.map((row) =>
    row
      .map((cell, column) => (isNumber(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join('  ')
      .trimEnd(),
  )
}

function describeDamage({ damage }: DoctorReport): string[] {
  if (damage.length === 0) return ['damage: none']
  const lines = [damage.length === 1 ? 'damage: 1 place' : `damage: ${count(damage.length)} places`]
  for (const each of damage) {
    lines.push(`  ${whereOf(each)}${each.detail}`)
    lines.push(`    --repair: ${each.remedy ?? 'cannot do anything about it; see docs/operations.md'}`)
  }
  return lines
}

function whereOf({ topic, channel, records }: Damage): string {
  if (topic === null) return ''
  const place = channel === null ? `topic ${topic}` : `topic ${topic}, channel ${channel}`
  return records === null ? `${place}: ` : `${place}, records ${records.first} to ${records.end - 1}: `
}

const count = (number: number): string => number.toLocaleString('en-US')

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes / 1024
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value.toFixed(1)} ${units[unit]}`
}
