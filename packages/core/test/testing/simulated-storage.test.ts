import assert from 'node:assert/strict'
import type { Chunk, Durability, LogStore, Sequence } from '../../src/index.js'
import {
  FakeClock,
  type SimulatedFault,
  type SimulatedOperation,
  SimulatedStorage,
  seededRandom,
} from '../../src/testing/index.js'

const chunkOf = (first: Sequence, count = 1): Chunk => ({
  first,
  count,
  frames: new Uint8Array(count * 4).fill(first),
  attributes: null,
})

interface Setup {
  readonly seed?: number
  readonly durability?: Durability
  readonly latencyMs?: number
  readonly faults?: SimulatedFault[]
}

/** A storage with one open log. `faults` are what the next appends fail with. */
async function setUp({ seed = 1, durability = 'process', latencyMs, faults = [] }: Setup = {}) {
  const clock = new FakeClock()
  const storage = new SimulatedStorage({
    clock,
    random: seededRandom(seed),
    durabilities: [durability],
    fault: (operation: SimulatedOperation) => (operation === 'append' ? (faults.shift() ?? null) : null),
    ...(latencyMs === undefined ? {} : { latencyMs: () => latencyMs }),
  })
  const soon = async <T>(promise: Promise<T> | T): Promise<T> => {
    const [result] = await Promise.all([promise, clock.advanceAsync(100)])
    return result
  }
  const openLog = async (from: SimulatedStorage): Promise<LogStore> => {
    await from.open()
    return soon(from.openLog(1, { durability, epoch: 0 }))
  }
  const recover = () => openLog(storage.recover())
  return { clock, storage, soon, log: await openLog(storage), recover, openLog }
}

const sequencesOf = (chunks: readonly Chunk[]) =>
  chunks.flatMap(({ first, count }) => Array.from({ length: count }, (_, at) => first + at))

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed)
const UP_TO = (end: number) => Array.from({ length: end }, (_, sequence) => sequence)

describe('SimulatedStorage', () => {
  it('resolves nothing before its time, and appends in call order whatever each takes', async () => {
    const { clock, log } = await setUp({ seed: 5 })
    const resolved: number[] = []
    for (const first of UP_TO(10)) void log.append(chunkOf(first))?.then(() => resolved.push(first))
    await clock.settle()
    assert.deepEqual(resolved, [])
    await clock.advanceAsync(10)
    assert.deepEqual(resolved, UP_TO(10))
  })

  it('answers at once where it takes no time', async () => {
    const { log } = await setUp({ latencyMs: 0 })
    assert.equal(log.append(chunkOf(0)), undefined)
    assert.deepEqual(sequencesOf(await log.read(0, 100)), [0])
  })

  it('does not show a read what has not resolved', async () => {
    const { log, clock, storage, soon } = await setUp({ latencyMs: 1 })
    await soon(log.append(chunkOf(0)))
    const read = log.read(0, 100)
    void log.append(chunkOf(1))
    await clock.advanceAsync(1)
    assert.deepEqual(sequencesOf(await read), [0])
    storage.hold()
    void log.append(chunkOf(2))
    await clock.advanceAsync(50)
    storage.release()
    assert.deepEqual(sequencesOf(await soon(log.read(0, 100))), [0, 1, 2])
  })

  it('keeps what resolved, and of the rest any first part, when it crashes', async () => {
    const keptCounts = new Set<number>()
    for (const seed of SEEDS) {
      const { log, soon, recover } = await setUp({ seed })
      await soon(log.append(chunkOf(0, 3)))
      for (let first = 3; first < 6; first++) void log.append(chunkOf(first))
      const recovered = await recover()
      const kept = sequencesOf(await soon(recovered.read(0, 100)))
      assert.deepEqual(kept, UP_TO(kept.length))
      assert.equal(recovered.next, kept.length)
      keptCounts.add(kept.length)
    }
    assert.deepEqual([...keptCounts].sort(), [3, 4, 5, 6])
  })

  it('loses the last of what resolved, too, with durability none, but not what an earlier life left', async () => {
    const keptCounts = new Set<number>()
    for (const seed of SEEDS) {
      const { log, soon, storage, openLog } = await setUp({ seed, durability: 'none' })
      await soon(log.append(chunkOf(0)))
      await soon(storage.close())
      const second = storage.recover()
      const secondLog = await openLog(second)
      await soon(secondLog.append(chunkOf(1)))
      await soon(secondLog.append(chunkOf(2)))
      const kept = sequencesOf(await soon((await openLog(second.recover())).read(0, 100)))
      assert.deepEqual(kept, UP_TO(kept.length))
      keptCounts.add(kept.length)
    }
    assert.deepEqual([...keptCounts].sort(), [1, 2, 3])
  })

  it('settles nothing after a crash', async () => {
    const { log, storage, clock } = await setUp()
    const settled: string[] = []
    const watch = (name: string, promise: ReturnType<LogStore['append']>) =>
      void Promise.resolve(promise).finally(() => settled.push(name))
    watch('append before', log.append(chunkOf(0)))
    storage.crash()
    watch('append after', log.append(chunkOf(1)))
    watch('trim', log.trim(0))
    watch('catalogue', storage.writeCatalogue([{ key: 'k', value: null }]))
    watch('close', storage.close())
    await clock.advanceAsync(1_000)
    assert.deepEqual(settled, [])
  })

  it('crashes between any two calls', async () => {
    for (let callCount = 2; callCount < 6; callCount++) {
      const { log, storage, soon, recover } = await setUp({ latencyMs: 0 }) // call 1 opened the log
      storage.crashAtCall = callCount
      for (let first = 0; first < 10; first++) void log.append(chunkOf(first))
      assert.equal(storage.isCrashed, true)
      assert.deepEqual(sequencesOf(await soon((await recover()).read(0, 100))), UP_TO(callCount - 2))
    }
  })

  it('surely does not write what it refuses for lack of room, nor anything behind it', async () => {
    for (const seed of SEEDS) {
      const { log, soon, recover } = await setUp({ seed, latencyMs: 1, faults: ['E_STORAGE_FULL'] })
      await assert.rejects(soon(log.append(chunkOf(0))), { code: 'E_STORAGE_FULL' })
      await assert.rejects(soon(log.append(chunkOf(1))), { code: 'E_STORAGE_FULL' })
      assert.deepEqual(await soon((await recover()).read(0, 100)), [])
    }
  })

  it('may or may not have written what failed for an unknown reason, and tells when the log is opened again', async () => {
    const keptCounts = new Set<number>()
    for (const seed of SEEDS) {
      const { log, storage, soon } = await setUp({ seed, latencyMs: 1, faults: ['E_STORAGE_IO'] })
      const appends = [log.append(chunkOf(0)), log.append(chunkOf(1))]
      for (const append of appends) await assert.rejects(soon(append as Promise<void>), { code: 'E_STORAGE_IO' })
      assert.deepEqual(await soon(log.read(0, 100)), [])
      await soon(log.close())
      const again = await soon(storage.openLog(1, { durability: 'process', epoch: 0 }))
      const kept = sequencesOf(await soon(again.read(0, 100)))
      assert.deepEqual(kept, UP_TO(kept.length))
      await soon(again.append(chunkOf(2)))
      keptCounts.add(kept.length)
    }
    assert.deepEqual([...keptCounts].sort(), [0, 1, 2])
  })

  it('may undo a trim at a crash, but leaves no hole above the first record that it names', async () => {
    const firsts = new Set<number>()
    for (const seed of SEEDS) {
      const { log, soon, recover } = await setUp({ seed })
      for (let first = 0; first < 6; first++) await soon(log.append(chunkOf(first)))
      await soon(log.trim(2))
      await soon(log.trim(4))
      assert.deepEqual(sequencesOf(await soon(log.read(0, 100))), [4, 5])
      const recovered = await recover()
      const kept = sequencesOf(await soon(recovered.read(recovered.first, 100)))
      assert.deepEqual(kept, UP_TO(6).slice(recovered.first))
      firsts.add(recovered.first)
    }
    assert.deepEqual([...firsts].sort(), [0, 2, 4])
  })

  it('notices when a buffer changes that was handed over', async () => {
    const { log, storage, soon } = await setUp()
    const chunk = chunkOf(7)
    await soon(log.append(chunk))
    storage.checkHandedOver()
    chunk.frames[0]++
    assert.throws(() => storage.checkHandedOver(), /records 7 to 7 were changed/)
    await assert.rejects(soon(log.read(0, 100)), /records 7 to 7 were changed/)
  })

  it('reads up to damage, then says where it is', async () => {
    const { log, storage, soon } = await setUp()
    for (let first = 0; first < 3; first++) await soon(log.append(chunkOf(first)))
    storage.corrupt(1, 1)
    assert.deepEqual(sequencesOf(await soon(log.read(0, 100))), [0])
    await assert.rejects(soon(log.read(1, 100)), { code: 'E_STORAGE_CORRUPT', message: /record 1/ })
  })

  it('does the same again with the same seed', async () => {
    const run = async () => {
      const { log, soon, recover } = await setUp({ seed: 11, durability: 'none' })
      for (let first = 0; first < 20; first++) void log.append(chunkOf(first))
      await soon(undefined)
      return soon((await recover()).read(0, 1_000))
    }
    assert.deepEqual(await run(), await run())
  })
})
