// Does an fdatasync in the pool every two seconds stall the synchronous writes beside it?
import { fdatasync } from 'node:fs'
import { inFreshDirectory } from '../directory.mjs'
import { closeAndUnlink, Journal } from '../journal.mjs'
import { Durations } from '../meter.mjs'
import { WORKLOADS } from '../workload.mjs'

const CASES = [
  { name: '234 B, one a turn', workload: 'single', bytesPerSecondMax: Infinity },
  { name: '46.8 kB, 100 MB/s', workload: 'mpub', bytesPerSecondMax: 100e6 },
  { name: '46.8 kB, one a turn', workload: 'mpub', bytesPerSecondMax: Infinity },
]

function measure(dir, { workload, bytesPerSecondMax, syncEveryMs, seconds, preparation }) {
  const { runs, recordCount } = WORKLOADS[workload]
  const journal = new Journal(dir, { onFull: closeAndUnlink, preparation })
  const writes = new Durations()
  const syncs = new Durations()
  const startedAt = performance.now()
  let syncDueAt = startedAt + syncEveryMs
  let isSyncing = false
  let bytes = 0
  const sync = (now) => {
    isSyncing = true
    syncDueAt = now + syncEveryMs
    fdatasync(journal.fd, (error) => {
      // The file may have been closed meanwhile, its descriptor then names the next one: no matter here.
      if (error && error.code !== 'EBADF') throw error
      isSyncing = false
      syncs.add(performance.now() - now)
    })
  }
  return new Promise((resolve) => {
    const turn = () => {
      const now = performance.now()
      if (now - startedAt > seconds * 1000 && !isSyncing) {
        journal.close()
        return resolve({ writes: writes.summary(), syncs: syncs.summary(), bytes })
      }
      if (!isSyncing && now >= syncDueAt) sync(now)
      const run = runs[writes.count % runs.length]
      if (bytes <= ((now - startedAt) / 1000) * bytesPerSecondMax) {
        writes.add(journal.append(run, recordCount, writes.count))
        bytes += run.length
      }
      setImmediate(turn)
    }
    turn()
  })
}

export async function syncBeside({ seconds, rounds, print }) {
  print('(1) fdatasync in the pool beside synchronous writes; microseconds; medians of the rounds stand in the page')
  for (let round = 1; round <= rounds; round++)
    for (const { name, ...options } of CASES)
      for (const preparation of ['grow', 'truncate'])
        for (const syncEveryMs of [Infinity, 2000]) {
          const result = await inFreshDirectory((dir) =>
            measure(dir, { ...options, preparation, syncEveryMs, seconds }),
          )
          const { writes, syncs, bytes } = result
          const mbPerSecond = Math.round(bytes / seconds / 1e6)
          print(
            `${round} ${name.padEnd(20)} ${preparation.padEnd(8)} sync ${syncEveryMs === Infinity ? 'none' : '2 s '} ` +
              `write p50 ${writes.p50} p99 ${writes.p99} p99.9 ${writes.p999} max ${writes.max} ` +
              `(${writes.count} writes, ${mbPerSecond} MB/s), fdatasync p50 ${syncs.p50} max ${syncs.max}`,
          )
        }
}
