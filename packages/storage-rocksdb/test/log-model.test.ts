import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { LogStore } from '@spillway/core'
import { seededRandom } from '@spillway/core/testing'
import { Ledger } from './ledger.js'
import { QuickClock } from './quick-clock.js'
import { chunkAt, readWhole } from './sample-log.js'
import { makeStorage, temporaryFolder } from './support.js'
import { Workload } from './workload.js'

const SEEDS = Number(process.env.SEEDS ?? 6)
const LIVES = 4
const STEPS = 450

describe('storage-rocksdb, at random', () => {
  const folder = temporaryFolder()
  const firstSeed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))

  for (let seed = firstSeed; seed < firstSeed + SEEDS; seed++) {
    it(`has what was stored and not forgotten, in every life (SEED=${seed})`, async () => {
      const random = seededRandom(seed)
      const ledger = new Ledger()
      const open = async () => {
        const options = { journalFileSizeBytes: 128 * 1024 }
        const storage = makeStorage(join(folder, `seed-${seed}`), options, new QuickClock())
        await storage.open()
        return storage
      }
      let storage = await open()
      const workload = new Workload(storage, random, (event) => ledger.note(event))
      for (let life = 0; life < LIVES; life++) {
        await workload.run(STEPS)
        await workload.settle()
        await storage.close()
        storage = await open()
        workload.reopened(storage, await ledger.check(storage, true))
      }
      await storage.close()
    })
  }

  it('gives the room of erased records back, and keeps the others', async () => {
    const place = join(folder, 'erased')
    const random = seededRandom(firstSeed)
    let storage = makeStorage(place)
    await storage.open()
    let log = await storage.openLog(1, { durability: 'process', epoch: 0 })
    const kept = new Set<number>()
    for (let first = 0; first < 12_000; first += 100) await log.append(chunkAt(1, first, 100))
    const fullBytes = log.sizeBytes
    await storage.close()
    storage = makeStorage(place)
    await storage.open()
    log = await storage.openLog(1, { durability: 'process', epoch: 0 })
    for (let first = 0; first < 12_000; first++) {
      if (random() < 0.02) kept.add(first)
      else log.erase([{ first, end: first + 1 }])
    }
    await storage.close()
    storage = makeStorage(place)
    await storage.open()
    log = await storage.openLog(1, { durability: 'process', epoch: 0 })
    assert.deepEqual(await readWhole(1, log, 0), [...kept])
    assert(log.sizeBytes < fullBytes / 10, `${log.sizeBytes} of ${fullBytes} bytes are left`)
    await storage.close()
  })

  it('reads on behind records that have gone, however large the next ones are', async () => {
    const place = join(folder, 'behind')
    const live = async (use: (log: LogStore) => unknown): Promise<void> => {
      const storage = makeStorage(place)
      await storage.open()
      await use(await storage.openLog(1, { durability: 'process', epoch: 0 }))
      await storage.close()
    }
    await live((log) => log.append(chunkAt(1, 0, 100)))
    await live((log) => log.append(chunkAt(1, 100, 100)))
    await live((log) => log.erase([{ first: 30, end: 100 }]))
    await live(async (log) => assert.deepEqual((await log.read(50, 1000))[0]?.first, 100))
  })
})
