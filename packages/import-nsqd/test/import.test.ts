import assert from 'node:assert/strict'
import { mkdir, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine, MessageSink } from '@spillway/core'
import { FakeClock, SimulatedStorage, seededRandom, testEngine } from '@spillway/core/testing'
import { describeDamage, describeDifference, importDataPath, isImported, LockedDataPath } from '../src/index.js'
import { encode, OldDataPath } from '../src/testing/index.js'

interface Delivery {
  readonly body: string
  readonly attempts: number
  readonly timestampNs: bigint
}

describe('the data path of a stopped nsqd', () => {
  let old: OldDataPath
  let clock: FakeClock
  let storage: SimulatedStorage

  beforeEach(async () => {
    old = await OldDataPath.create()
    clock = new FakeClock()
    storage = new SimulatedStorage({ clock, random: seededRandom(1), latencyMs: () => 0 })
  })

  afterEach(() => old.remove())

  async function run(): Promise<Awaited<ReturnType<typeof importDataPath>>> {
    const from = await LockedDataPath.lock(old.path)
    return until(importDataPath({ from, storage, msgSizeBytesMax: 1000, durabilityOf: () => 'process' })).finally(() =>
      from.release(),
    )
  }

  /** Lets the clock's turns and the disk's come by turns until it is over. */
  async function until<T>(over: Promise<T>): Promise<T> {
    let isOver = false
    over.then(
      () => (isOver = true),
      () => (isOver = true),
    )
    while (!isOver) {
      await clock.settle()
      await new Promise((resolve) => setImmediate(resolve))
    }
    return over
  }

  /** Imports, and starts a broker on what came of it. */
  async function importAndStart() {
    const opening = storage.open()
    await clock.settle()
    await opening
    const report = await run()
    const closing = storage.close()
    await clock.settle()
    await closing
    return { report, engine: await start() }
  }

  async function start(): Promise<Engine> {
    const engine = testEngine({ storage: storage.recover(), clock, options: { durability: 'process' } })
    const opening = engine.open()
    await clock.settle()
    await opening
    return engine
  }

  /** Everything that a channel gives out, in order, each finished at once. */
  async function drain(engine: Engine, topic: string, channel: string): Promise<Delivery[]> {
    const deliveries: Delivery[] = []
    const ids: Buffer[] = []
    const sink: MessageSink = {
      writableBytes: 1e9,
      write(frames, start, end) {
        const bytes = Buffer.from(frames.buffer, frames.byteOffset, frames.byteLength)
        for (let at = start; at < end; at += 4 + bytes.readInt32BE(at)) {
          const body = bytes.toString('utf8', at + 34, at + 4 + bytes.readInt32BE(at))
          deliveries.push({ body, attempts: bytes.readUInt16BE(at + 16), timestampNs: bytes.readBigInt64BE(at + 8) })
          ids.push(Buffer.from(bytes.subarray(at + 18, at + 34)))
        }
      },
      disconnect() {},
    }
    const client = { stats: () => ({}) as never }
    const subscribing = engine.subscribe(topic, channel, { msgTimeoutMs: 60_000, sampleRate: 0, sink, client })
    await clock.settle()
    const subscription = await subscribing
    subscription.setReady(100)
    for (;;) {
      await clock.advanceAsync(10)
      if (ids.length === 0) break
      for (const id of ids.splice(0)) subscription.finish(id, 0)
    }
    subscription.close()
    return deliveries
  }

  const bodies = (deliveries: readonly Delivery[]): string[] => deliveries.map(({ body }) => body)
  const records = (...texts: string[]) => texts.map((body) => ({ body }))

  it('becomes topics whose channels have exactly what their queues held, and what waits at the topic behind it', async () => {
    await old.metadata([
      {
        name: 'orders',
        paused: false,
        channels: [
          { name: 'mail', paused: false },
          { name: 'audit', paused: false },
          { name: 'new', paused: false },
        ],
      },
      { name: 'backlog', paused: false, channels: null },
    ])
    await old.queue('orders:mail', [records('m1', 'm2'), records('m3')])
    await old.queue('orders:audit', [records('m2', 'm3')])
    await old.queue('orders', [records('m4')])
    await old.queue('backlog', [records('b1', 'b2')])
    const { report, engine } = await importAndStart()
    assert.equal(report.messageCount, 8)
    assert.deepEqual(report.damages, [])
    assert.deepEqual(bodies(await drain(engine, 'orders', 'mail')), ['m1', 'm2', 'm3', 'm4'])
    assert.deepEqual(bodies(await drain(engine, 'orders', 'audit')), ['m2', 'm3', 'm4'])
    assert.deepEqual(bodies(await drain(engine, 'orders', 'new')), ['m4'])
    assert.deepEqual(bodies(await drain(engine, 'backlog', 'first')), ['b1', 'b2'])
    assert.deepEqual(bodies(await drain(engine, 'backlog', 'second')), [])
  })

  it('keeps times and attempts', async () => {
    await old.metadata([{ name: 't', paused: false, channels: [{ name: 'c', paused: false }] }])
    await old.queue('t:c', [[{ body: 'a', attempts: 3, timestampNs: 1_764_000_000_123_456_789n }, { body: 'b' }]])
    const { engine } = await importAndStart()
    const deliveries = await drain(engine, 't', 'c')
    assert.deepEqual(
      deliveries.map(({ attempts }) => attempts),
      [4, 1],
    )
    assert.equal(deliveries[0].timestampNs, 1_764_000_000_123_456_789n)
  })

  it('keeps what is paused paused', async () => {
    await old.metadata([
      { name: 'p', paused: true, channels: [{ name: 'c', paused: false }] },
      { name: 'q', paused: false, channels: [{ name: 'c', paused: true }] },
    ])
    await old.queue('p:c', [records('p1')])
    await old.queue('p', [records('p2')])
    await old.queue('q:c', [records('q1')])
    const { engine } = await importAndStart()
    assert.deepEqual(bodies(await drain(engine, 'p', 'c')), ['p1'])
    const unpausing = engine.getTopic('p')?.unpause()
    await clock.settle()
    await unpausing
    assert.deepEqual(bodies(await drain(engine, 'p', 'c')), ['p2'])
    assert.equal(engine.getTopic('q')?.getChannel('c')?.paused, true)
    assert.deepEqual(bodies(await drain(engine, 'q', 'c')), [])
  })

  it('is read from where nsqd had come, over many files, to the end of what was written', async () => {
    await old.metadata([{ name: 't', paused: false, channels: [] }])
    await old.queue('t', [records('read', 'a'), records('b'), records('c', 'd')], 1)
    await old.meta('t', `2\n0,${encode({ body: 'read' }).length}\n2,${encode({ body: 'c' }).length}\n`) // lags behind
    const { engine } = await importAndStart()
    assert.deepEqual(bodies(await drain(engine, 't', 'c')), ['a', 'b', 'c', 'd'])
  })

  it('is read whole where nothing says what was read', async () => {
    await old.metadata([{ name: 't', paused: false, channels: [] }])
    await old.file('t', 7, Buffer.concat([encode({ body: 'a' }), encode({ body: 'b' })]))
    const { engine } = await importAndStart()
    assert.deepEqual(bodies(await drain(engine, 't', 'c')), ['a', 'b'])
  })

  it('gives up the rest of a file that cannot be read, says so, and goes on with the next', async () => {
    await old.metadata([{ name: 't', paused: false, channels: [] }])
    const good = encode({ body: 'a' })
    const torn = Buffer.concat([good, encode({ body: 'torn' }).subarray(0, 32)])
    const path = await old.file('t', 0, torn)
    await old.file('t', 1, encode({ body: 'b' }))
    const negative = Buffer.concat([good, Buffer.from([0xff, 0xff, 0xff, 0xff]), good])
    const second = await old.file('t', 2, negative)
    const { report, engine } = await importAndStart()
    assert.deepEqual(report.damages, [
      { kind: 'unreadable', path, offset: good.length, sizeBytes: 32 },
      { kind: 'unreadable', path: second, offset: good.length, sizeBytes: 4 + good.length },
    ])
    assert.equal(report.isComplete, false)
    assert.equal(describeDamage(report.damages[0]), `${path}: 32 bytes from 31 on cannot be read, and are missing now`)
    assert.deepEqual(bodies(await drain(engine, 't', 'c')), ['a', 'b', 'a'])
  })

  it('is taken over however its bytes are: random damage is told, never guessed', async function () {
    this.timeout(60_000)
    const random = seededRandom(20_261_127)
    for (let round = 0; round < 60; round++) {
      await old.remove()
      old = await OldDataPath.create()
      storage = new SimulatedStorage({ clock, random: seededRandom(round), latencyMs: () => 0 })
      await old.metadata([{ name: 't', paused: false, channels: [] }])
      const texts = Array.from({ length: 20 }, (_, index) => `message ${index}`)
      const bytes = Buffer.concat(texts.map((body) => encode({ body })))
      const at = Math.floor(random() * bytes.length)
      if (random() < 0.5) bytes[at] ^= 1 << Math.floor(random() * 8)
      await old.file('t', 0, random() < 0.5 ? bytes : bytes.subarray(0, at))
      const opening = storage.open()
      await clock.settle()
      await opening
      const { messageCount, damages } = await run()
      assert.ok(messageCount === 20 || damages.length === 1 || messageCount * 39 <= at, `round ${round}`)
    }
  })

  it('keeps many messages of many channels apart', async function () {
    this.timeout(60_000)
    const random = seededRandom(7)
    const channels = ['a', 'b', 'c', 'd']
    await old.metadata([{ name: 't', paused: false, channels: channels.map((name) => ({ name, paused: false })) }])
    const queues = new Map<string, { body: string; attempts: number }[]>()
    for (const name of channels) {
      const count = Math.floor(random() * 9_000)
      queues.set(
        name,
        Array.from({ length: count }, (_, index) => ({ body: `${name}${index}`, attempts: random() < 0.01 ? 2 : 0 })),
      )
      await old.queue(`t:${name}`, [queues.get(name) ?? []])
    }
    await old.queue('t', [records('last')])
    const { engine } = await importAndStart()
    for (const name of channels) {
      const expected = [...(queues.get(name) ?? []), { body: 'last', attempts: 0 }]
      const deliveries = await drain(engine, 't', name)
      assert.deepEqual(
        bodies(deliveries),
        expected.map(({ body }) => body),
        name,
      )
      assert.deepEqual(
        deliveries.map(({ attempts }) => attempts),
        expected.map(({ attempts }) => attempts + 1),
        name,
      )
    }
  })

  it('is there whole or not at all: a try that was cut off leaves nothing, and the next one begins anew', async () => {
    await old.metadata([{ name: 't', paused: false, channels: [{ name: 'c', paused: false }] }])
    await old.queue('t:c', [records('a', 'b')])
    const opening = storage.open()
    await clock.settle()
    await opening
    const writes = storage.writeCatalogue.bind(storage)
    storage.writeCatalogue = () => {
      throw new Error('killed')
    }
    await assert.rejects(run(), { message: 'killed' })
    assert.equal(await isImportedNow(), false)
    storage.writeCatalogue = writes
    await run()
    assert.equal(await isImportedNow(), true)
    const closing = storage.close()
    await clock.settle()
    await closing
    assert.deepEqual(bodies(await drain(await start(), 't', 'c')), ['a', 'b'])
  })

  async function isImportedNow(): Promise<boolean> {
    const from = await LockedDataPath.lock(old.path)
    return until(isImported(from, storage)).finally(() => from.release())
  }

  it('is another one as soon as an nsqd has run there again, and is not taken for imported', async () => {
    const topics = [{ name: 't', paused: false, channels: null }]
    await old.metadata(topics)
    const opening = storage.open()
    await clock.settle()
    await opening
    await run()
    assert.equal(await isImportedNow(), true)
    await old.metadata(topics) // the same bytes, written anew
    assert.equal(await isImportedNow(), false)
    await assert.rejects(run(), {
      code: 'E_INVALID_OPTION',
      message: /there are topics already \(t\): take .* over into an empty data path/,
    })
  })

  it('is refused where there are topics already, where it is none, and where it makes no sense', async () => {
    const opening = storage.open()
    await clock.settle()
    await opening
    await assert.rejects(run(), {
      code: 'E_STORAGE_IO',
      message: /nsqd\.dat: no such file: this is not the data path of an nsqd$/,
    })
    await old.metadata('all')
    await assert.rejects(run(), { code: 'E_STORAGE_CORRUPT', message: /nsqd\.dat: topics is no list$/ })
    await old.metadata([{ name: 't', paused: false, channels: null }])
    await run()
    await assert.rejects(run(), { code: 'E_INVALID_OPTION', message: /there are topics already \(t\)/ })
  })

  it('leaves out names that cannot be, and says so', async () => {
    await old.metadata([{ name: 'a b' }, { name: 't', channels: [{ name: 'x#ephemeral' }, { name: 'c' }] }, null])
    const { report } = await importAndStart()
    assert.deepEqual(report.skipped, ['a b', 'undefined', 'x#ephemeral'])
    assert.deepEqual(
      report.topics.map(({ name }) => name),
      ['t'],
    )
  })

  describe('with something missing is told to be incomplete:', () => {
    beforeEach(async () => {
      await old.metadata([{ name: 't', paused: false, channels: null }])
      const opening = storage.open()
      await clock.settle()
      await opening
    })

    const files = [records('a', 'b'), records('c'), records('d'), records('e'), records('f', 'g')]
    const recordBytes = encode({ body: 'a' }).length
    const pathOf = (number: number): string => join(old.path, `t.diskqueue.00000${number}.dat`)

    it('files between the one that is read and the one that is written', async () => {
      await old.queue('t', files)
      await rm(pathOf(1))
      await rm(pathOf(2))
      const { damages, differences, isComplete } = await run()
      assert.deepEqual(damages, [{ kind: 'missing', path: pathOf(1), lastPath: pathOf(2), offset: 0, sizeBytes: 0 }])
      assert.equal(describeDamage(damages[0]), `${pathOf(1)}: the file is missing, and so are all up to ${pathOf(2)}`)
      assert.deepEqual(differences, [{ queue: 't', expectedCount: 7, messageCount: 5 }])
      assert.equal(
        describeDifference(differences[0]),
        't: nsqd had counted 7 messages, 5 were found: 2 are missing now',
      )
      assert.equal(isComplete, false)
    })

    it('the first file, the last one, or all of them', async () => {
      await old.queue('t', files)
      await rm(pathOf(0))
      await rm(pathOf(4))
      const { damages } = await run()
      assert.deepEqual(
        damages.map(({ kind, path }) => [kind, path]),
        [
          ['missing', pathOf(0)],
          ['missing', pathOf(4)],
        ],
      )
      for (const number of [1, 2, 3]) await rm(pathOf(number))
      storage = new SimulatedStorage({ clock, random: seededRandom(1), latencyMs: () => 0 })
      const opening = storage.open()
      await clock.settle()
      await opening
      assert.deepEqual((await run()).damages, [
        { kind: 'missing', path: pathOf(0), lastPath: pathOf(4), offset: 0, sizeBytes: 0 },
      ])
    })

    it('a file in the middle that is empty', async () => {
      await old.queue('t', files)
      await truncate(pathOf(2), 0)
      assert.deepEqual((await run()).damages, [{ kind: 'cut-off', path: pathOf(2), offset: 0, sizeBytes: 0 }])
    })

    it('the end of the file that was written last', async () => {
      await old.queue('t', files)
      await truncate(pathOf(4), recordBytes)
      const { damages, differences } = await run()
      assert.deepEqual(damages, [{ kind: 'cut-off', path: pathOf(4), offset: recordBytes, sizeBytes: recordBytes }])
      assert.deepEqual(differences, [{ queue: 't', expectedCount: 7, messageCount: 6 }])
    })

    it('a file that ends before where reading stands', async () => {
      await old.queue('t', files)
      await old.meta('t', `6\n0,1000\n4,${2 * recordBytes}\n`)
      const { damages } = await run()
      const sizeBytes = 1000 - 2 * recordBytes
      assert.deepEqual(damages, [{ kind: 'position', path: pathOf(0), offset: 1000, sizeBytes }])
    })

    it('whole records that nobody could miss, but for the number of them', async () => {
      await old.queue('t', files)
      await truncate(pathOf(0), recordBytes)
      const { damages, differences, isComplete } = await run()
      assert.deepEqual(damages, [])
      assert.deepEqual(differences, [{ queue: 't', expectedCount: 7, messageCount: 6 }])
      assert.equal(isComplete, false)
    })

    it('and a note of where reading stands that makes no sense: then everything is taken', async () => {
      for (const text of ['garbage', '7\n3,-25\n4,100\n', '7\n5,0\n4,62\n', '7\n0,99999999999999999\n4,62\n']) {
        await old.queue('t', files)
        await old.meta('t', text)
        storage = new SimulatedStorage({ clock, random: seededRandom(1), latencyMs: () => 0 })
        const opening = storage.open()
        await clock.settle()
        await opening
        const { damages, messageCount } = await run()
        assert.deepEqual(
          damages.map(({ kind, path }) => [kind, path]),
          [['nonsense', join(old.path, 't.diskqueue.meta.dat')]],
        )
        assert.equal(messageCount, 7)
      }
    })

    it('not so when nsqd stopped before it had noted everything: then there may be more than it says', async () => {
      await old.queue('t', files)
      await old.meta('t', `3\n0,0\n1,${recordBytes}\n`)
      const { differences, isComplete } = await run()
      assert.deepEqual(differences, [{ queue: 't', expectedCount: 3, messageCount: 7 }])
      assert.match(describeDifference(differences[0]), /lags behind after an unclean stop/)
      assert.equal(isComplete, true)
    })

    it('a file that is still to be written is not missed', async () => {
      await old.queue('t', files.slice(0, 1))
      await old.meta('t', '2\n0,0\n1,0\n')
      assert.equal((await run()).isComplete, true)
    })
  })

  it('has no message larger than nsqd took: a damaged length makes none of what follows', async () => {
    await old.metadata([{ name: 't', paused: false, channels: null }])
    const largest = encode({ body: 'x'.repeat(1000) })
    const oversized = encode({ body: 'x'.repeat(1001) })
    const path = await old.file('t', 0, Buffer.concat([largest, oversized, largest]))
    const { report, engine } = await importAndStart()
    assert.deepEqual(report.damages, [
      { kind: 'oversized', path, offset: largest.length, sizeBytes: oversized.length + largest.length },
    ])
    assert.match(describeDamage(report.damages[0]), /larger than --max-msg-size$/)
    assert.deepEqual(bodies(await drain(engine, 't', 'c')), ['x'.repeat(1000)])
  })

  it('is read whatever parts its files come in', async function () {
    this.timeout(60_000)
    const random = seededRandom(11)
    await old.metadata([{ name: 't', paused: false, channels: null }])
    const texts = Array.from({ length: 9_000 }, (_, index) => `${index} `.padEnd(Math.floor(random() * 990), 'x'))
    await old.queue('t', [
      texts.slice(0, 8_000).map((body) => ({ body })),
      texts.slice(8_000).map((body) => ({ body })),
    ])
    const { engine } = await importAndStart()
    assert.deepEqual(bodies(await drain(engine, 't', 'c')), texts)
  })

  it('names the path where the system refuses', async () => {
    await old.metadata([{ name: 't', paused: false, channels: null }])
    const opening = storage.open()
    await clock.settle()
    await opening
    const path = join(old.path, 't.diskqueue.000000.dat')
    await mkdir(path)
    await assert.rejects(run(), { code: 'E_STORAGE_IO', message: new RegExp(`${path}: EISDIR`) })
    await rm(path, { recursive: true })
    await mkdir(join(old.path, 't.diskqueue.meta.dat'))
    await assert.rejects(run(), { code: 'E_STORAGE_IO', message: /t\.diskqueue\.meta\.dat: EISDIR/ })
  })
})
