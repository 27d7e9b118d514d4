// What do recycled and pre-sized files change for the write and for fdatasync?
import { execFileSync } from 'node:child_process'
import { closeSync, fdatasync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { inFreshDirectory } from '../directory.mjs'
import { Journal } from '../journal.mjs'
import { Durations } from '../meter.mjs'
import { WORKLOADS } from '../workload.mjs'

const FILE_BYTES = 16 * 2 ** 20

/** Files as an earlier life left them: written, on disk, and either still in the page cache or not. */
function oldFiles(dir, { count, isCached }) {
  mkdirSync(join(dir, 'old'))
  const zeroes = Buffer.alloc(2 ** 20)
  return Array.from({ length: count }, (_, index) => {
    const path = join(dir, 'old', String(index))
    const fd = openSync(path, 'wx')
    for (let at = 0; at < FILE_BYTES; at += zeroes.length) writeSync(fd, zeroes, 0, zeroes.length, at)
    fsyncSync(fd)
    closeSync(fd)
    // Node has no posix_fadvise; dd asks the kernel to drop this one file's pages.
    if (!isCached) execFileSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' })
    return path
  })
}

async function measure(dir, { preparation, workload, writeCount, syncs }) {
  const { runs, recordCount } = WORKLOADS[workload]
  const bytes = writeCount * (runs[0].length + 44)
  const recycled = preparation.startsWith('recycle')
    ? oldFiles(dir, { count: Math.ceil(bytes / FILE_BYTES) + 1, isCached: preparation === 'recycle, cached' })
    : []
  const journal = new Journal(dir, { preparation: preparation.split(',')[0], fileBytes: FILE_BYTES, recycled })
  const writeTimes = new Durations()
  const syncTimes = new Durations()
  for (let index = 0; index < writeCount; index++) {
    writeTimes.add(journal.append(runs[index % runs.length], recordCount, index))
    if (!syncs) continue
    const startedAt = performance.now()
    await new Promise((resolve, reject) => fdatasync(journal.fd, (error) => (error ? reject(error) : resolve())))
    syncTimes.add(performance.now() - startedAt)
  }
  journal.close()
  return { write: writeTimes.summary(), sync: syncTimes.summary() }
}

export async function filePreparation({ rounds, print }) {
  print('(2, 3) what a journal file is before it is written; microseconds')
  const cases = [
    { workload: 'single', writeCount: 150_000, syncs: false },
    { workload: 'mpub', writeCount: 5_000, syncs: false },
    { workload: 'single', writeCount: 2_000, syncs: true },
    { workload: 'mpub', writeCount: 1_500, syncs: true },
  ]
  for (let round = 1; round <= rounds; round++)
    for (const options of cases)
      for (const preparation of ['grow', 'truncate', 'recycle, cached', 'recycle, cold']) {
        const { write, sync } = await inFreshDirectory((dir) => measure(dir, { ...options, preparation }))
        const synced = options.syncs ? `, fdatasync p50 ${sync.p50} p99 ${sync.p99} max ${sync.max}` : ''
        print(
          `${round} ${options.workload.padEnd(6)} ${preparation.padEnd(15)} ` +
            `write p50 ${write.p50} p99 ${write.p99} p99.9 ${write.p999} max ${write.max}${synced}`,
        )
      }
}
