// A turn in which 1,000 topics got one record each: a write for each, or one for all?
import { closeSync, openSync, writeSync, writevSync } from 'node:fs'
import { join } from 'node:path'
import { inFreshDirectory } from '../directory.mjs'
import { HEADER_BYTES } from '../journal.mjs'
import { Durations } from '../meter.mjs'
import { WORKLOADS } from '../workload.mjs'

const TURN_COUNT = 150
const staging = Buffer.alloc(2 ** 20)
const header = Buffer.alloc(HEADER_BYTES)

function writeEach(fd, records, position) {
  let at = position
  for (const record of records) {
    header.copy(staging)
    record.copy(staging, HEADER_BYTES)
    at += writeSync(fd, staging, 0, HEADER_BYTES + record.length, at)
  }
  return at
}

function writeCopied(fd, records, position) {
  let length = 0
  for (const record of records) {
    header.copy(staging, length)
    record.copy(staging, length + HEADER_BYTES)
    length += HEADER_BYTES + record.length
  }
  return position + writeSync(fd, staging, 0, length, position)
}

function writeGathered(fd, records, position) {
  const buffers = []
  for (const record of records) buffers.push(Buffer.from(header), record)
  return position + writevSync(fd, buffers, position)
}

const WAYS = {
  'one writeSync for each topic': writeEach,
  'copied, one writeSync': writeCopied,
  'one writevSync': writeGathered,
}

function measure(dir, { name, topicCount }) {
  const records = WORKLOADS.single.runs.slice(0, topicCount)
  const fd = openSync(join(dir, 'turns'), 'wx')
  const turns = new Durations()
  const cpu = process.cpuUsage()
  for (let turn = 0, position = 0; turn < TURN_COUNT; turn++) {
    const startedAt = performance.now()
    const end = WAYS[name](fd, records, position)
    turns.add(performance.now() - startedAt)
    if (end - position !== topicCount * (HEADER_BYTES + 234)) throw new Error(`${name}: a write was cut short`)
    position = end
  }
  const spent = process.cpuUsage(cpu)
  closeSync(fd)
  return { turns: turns.summary(), cpuPerRecord: (spent.user + spent.system) / TURN_COUNT / topicCount }
}

export async function manyTopics({ rounds, print }) {
  print(`(4) one turn, one record of 234 B for each topic; microseconds a turn (${TURN_COUNT} turns)`)
  for (let round = 1; round <= rounds; round++)
    for (const topicCount of [2, 10, 100, 1000])
      for (const name of Object.keys(WAYS)) {
        const { turns, cpuPerRecord } = await inFreshDirectory((dir) => measure(dir, { name, topicCount }))
        print(
          `${round} ${String(topicCount).padStart(4)} topics, ${name.padEnd(28)} p50 ${turns.p50} p99 ${turns.p99} ` +
            `max ${turns.max}, CPU a record ${cpuPerRecord.toFixed(2)}`,
        )
      }
}
