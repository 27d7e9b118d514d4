// How long does replaying a journal take?
import { closeSync, openSync, readSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { inFreshDirectory } from '../directory.mjs'
import { HEADER_BYTES, Journal } from '../journal.mjs'
import { WORKLOADS } from '../workload.mjs'

const JOURNAL_BYTES = 128 * 2 ** 20
const BLOCK_BYTES = 4 * 2 ** 20

/** Reads block by block; an entry that a block cuts is moved to the front and completed by the next block. */
function replay(path) {
  const fd = openSync(path, 'r')
  const block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
  let entryCount = 0
  let length = 0
  for (;;) {
    const got = readSync(fd, block, length, BLOCK_BYTES - length, null)
    if (got === 0) break
    length += got
    let at = 0
    while (at + HEADER_BYTES <= length) {
      const size = block.readUInt32BE(at)
      if (at + HEADER_BYTES + size > length) break
      const frames = block.subarray(at + HEADER_BYTES, at + HEADER_BYTES + size)
      if (crc32(frames) !== block.readUInt32BE(at + 4)) throw new Error(`${path}: damaged entry ${entryCount}`)
      entryCount += 1
      at += HEADER_BYTES + size
    }
    block.copyWithin(0, at, length)
    length -= at
  }
  closeSync(fd)
  return entryCount
}

export async function replayTime({ rounds, print }) {
  print('(5) reading back 128 MiB of journal, each entry checked')
  for (const workload of ['single', 'mpub'])
    await inFreshDirectory((dir) => {
      const { runs, recordCount } = WORKLOADS[workload]
      const journal = new Journal(dir, { fileBytes: JOURNAL_BYTES })
      let written = 0
      for (; journal.position + HEADER_BYTES + runs[0].length <= JOURNAL_BYTES; written++)
        journal.append(runs[written % runs.length], recordCount, written)
      journal.close()
      for (let round = 1; round <= rounds; round++) {
        const startedAt = performance.now()
        const entryCount = replay(journal.path)
        if (entryCount !== written) throw new Error(`${entryCount} of ${written} entries found`)
        print(`${round} ${workload.padEnd(6)} ${entryCount} entries in ${Math.round(performance.now() - startedAt)} ms`)
      }
    })
}
