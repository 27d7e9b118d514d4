import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Database } from '../src/database.js'
import { type DoctorReport, examineDataPath, repairDataPath } from '../src/doctor/index.js'
import { headKey, indexKey, kindRange } from '../src/keys.js'
import { SmallBroker } from './small-broker.js'
import { temporaryFolder } from './support.js'

/** Large enough for some ten stretches. */
const PADDING = 'x'.repeat(9_000)
const COUNT = 1000
const body = (topic: string, number: number): string => `${topic}/${number} ${PADDING}`
const bodies = (topic: string, from: number, end: number): string[] =>
  Array.from({ length: end - from }, (_, at) => body(topic, from + at))

describe('spillway doctor', () => {
  const root = temporaryFolder()
  const healthy = join(root, 'healthy')
  let path: string
  let copyCount = 0

  /** Topics `bills` and `orders` with 1,000 messages each; `mail` has finished the first 100 orders and every tenth after that up to 300. */
  before(async () => {
    mkdirSync(healthy)
    const broker = await SmallBroker.open(healthy)
    for (const topic of ['bills', 'orders']) {
      await broker.openChannels(topic, 'mail', 'audit')
      for (let from = 0; from < COUNT; from += 100) await broker.publish(topic, bodies(topic, from, from + 100))
    }
    await broker.consume('orders', 'mail', 300, (each) => {
      const number = Number(/\d+/.exec(each)?.[0])
      return number < 100 || number % 10 === 0
    })
    await broker.publish('paused', ['a', 'b', 'c'])
    await broker.close()
  })

  beforeEach(() => {
    path = join(root, `copy-${++copyCount}`)
    cpSync(healthy, path, { recursive: true })
  })

  afterEach(() => rmSync(path, { recursive: true, force: true }))

  /** Damages the value that has the text. */
  function spoilValue(text: string): void {
    const folder = join(path, 'rocksdb')
    for (const name of readdirSync(folder).filter((each) => /\.blob$/.test(each))) {
      const at = readFileSync(join(folder, name)).indexOf(text)
      if (at === -1) continue
      flip(join(folder, name), at + 50)
      return
    }
    assert.fail(`no file has ${text}`)
  }

  function flip(file: string, at: number): void {
    const bytes = readFileSync(file)
    bytes[at] ^= 0xff
    writeFileSync(file, bytes)
  }

  async function onDatabase(change: (database: Database) => Promise<void>): Promise<void> {
    const database = new Database(join(path, 'rocksdb'))
    await database.open()
    await change(database)
    await database.flush()
    await database.close()
  }

  async function logOf(topic: string): Promise<number> {
    const { topics } = await examineDataPath(path)
    return topics.find(({ name }) => name === topic)?.log ?? assert.fail(`no topic ${topic}`)
  }

  const depthsOf = (report: DoctorReport): Record<string, number> =>
    Object.fromEntries(
      report.topics.flatMap(({ name, depth, channels }) => [
        [name, depth] as const,
        ...channels.map((channel) => [`${name}/${channel.name}`, channel.depth] as const),
      ]),
    )

  /** Everything that a channel still gets, as numbers, in order. */
  async function delivered(topic: string, channel: string, count: number): Promise<number[]> {
    const broker = await SmallBroker.open(path)
    const got = await broker.consume(topic, channel, count)
    await broker.close()
    return got.map((each) => Number(each.slice(topic.length + 1).split(' ')[0]))
  }

  function contents(folder: string): string[] {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => `${file} ${statSync(file).isFile() ? readFileSync(file).toString('latin1') : ''}`)
      .sort()
  }

  it('says what is there, and changes nothing', async () => {
    const before = contents(path)
    const report = await examineDataPath(path)
    assert.deepEqual(report.damage, [])
    assert(report.isHealthy)
    assert.deepEqual(depthsOf(report), {
      bills: 0,
      'bills/audit': 1000,
      'bills/mail': 1000,
      orders: 0,
      'orders/audit': 1000,
      'orders/mail': 880,
      paused: 3,
    })
    const orders = report.topics[1]
    assert.equal(orders.storedCount, 1000)
    assert(orders.storedBytes > 9_000_000)
    assert.equal(orders.durability, 'process')
    assert.deepEqual(report.orphanedLogs, [])
    assert(contents(path).join() === before.join(), 'something was changed')
  })

  it('finds a path healthy that a kill has left, and counts what only the journal has', async () => {
    const running = await SmallBroker.open(path)
    await running.publish('orders', ['late'])
    const killed = join(root, `killed-${copyCount}`)
    cpSync(path, killed, { recursive: true })
    await running.close()
    const report = await examineDataPath(killed)
    assert.deepEqual(report.damage, [])
    assert.equal(depthsOf(report)['orders/mail'], 881)
    assert.equal(report.journal.fileCount, 1)
    const { done } = await repairDataPath(killed)
    assert.deepEqual(done, [], 'there was nothing to repair')
  })

  it('refuses to look while a broker runs', async () => {
    const broker = fork(new URL('killed-writer.js', import.meta.url), [path, 'process'])
    await once(broker, 'message')
    for (const doctor of [examineDataPath, repairDataPath]) {
      await assert.rejects(doctor(path), {
        code: 'E_STORAGE_LOCKED',
        detail: `${path} is in use by a broker; stop it first`,
      })
    }
    broker.kill('SIGKILL')
    await once(broker, 'exit')
    await examineDataPath(path)
  })

  for (const [what, empty] of [
    ['there is nothing', (place: string) => rmSync(place, { recursive: true })],
    [
      'there is something else',
      (place: string) => {
        for (const name of readdirSync(place)) rmSync(join(place, name), { recursive: true })
      },
    ],
  ] as const) {
    it(`cannot look where ${what}`, async () => {
      empty(path)
      await assert.rejects(examineDataPath(path), { code: 'E_STORAGE_IO' })
    })
  }

  it('gives up messages that cannot be read, says which, and the broker delivers all others', async () => {
    spoilValue('orders/500 ')
    const found = await examineDataPath(path)
    assert.equal(found.damage.length, 1)
    const [damage] = found.damage
    assert.equal(damage.kind, 'records')
    assert.equal(damage.topic, 'orders')
    assert(damage.detail.startsWith(join(path, 'rocksdb')), damage.detail)
    const { first, end } = damage.records ?? assert.fail('which records?')
    assert(first <= 500 && end > 500 && end - first < 200)

    const { before, gaveUp, after } = await repairDataPath(path)
    assert.deepEqual(before, found)
    assert.deepEqual(gaveUp, [{ topic: 'orders', records: { first, end }, wantedCount: end - first }])
    assert.deepEqual(after.damage, [])
    const left = 1000 - (end - first)
    assert.deepEqual(depthsOf(after)['orders/audit'], left)
    const got = await delivered('orders', 'audit', left)
    const expected = Array.from({ length: 1000 }, (_, at) => at).filter((at) => at < first || at >= end)
    assert.deepEqual(got, expected)
    assert.equal((await delivered('bills', 'audit', 1000)).length, 1000)
  })

  it('gives up nothing of what every channel had finished', async () => {
    const broker = await SmallBroker.open(path)
    await broker.consume('orders', 'audit', 1000)
    await broker.consume('orders', 'mail', 880)
    await broker.publish('orders', bodies('orders', 1000, 1001))
    await broker.close()
    const files = readdirSync(join(path, 'rocksdb')).filter((name) => /\.blob$/.test(name))
    const report = await examineDataPath(path)
    assert.deepEqual(report.damage, [], `${files.length} files`)
    assert.equal(depthsOf(report)['orders/mail'], 1)
  })

  it('makes an index entry again from the messages', async () => {
    const log = await logOf('orders')
    let spoilt = 0
    await onDatabase(async (database) => {
      const entries = await database.scan(kindRange('index'))
      const keys = [...entries.keys()].filter((name) =>
        name.startsWith(indexKey(log, 0).toString('latin1').slice(0, 5)),
      )
      const batch = database.batch()
      for (const name of keys.slice(1, 3)) {
        const value = Buffer.from(entries.get(name) as Buffer)
        value[10] ^= 1
        batch.tryPut(Buffer.from(name, 'latin1'), value)
        spoilt++
      }
      await database.write(batch)
    })
    await assert.rejects(SmallBroker.open(path), { code: 'E_STORAGE_CORRUPT' })
    const { before, gaveUp, after } = await repairDataPath(path)
    assert.deepEqual(
      before.damage.map(({ kind, topic }) => `${kind} ${topic}`),
      Array(spoilt).fill('index orders'),
    )
    assert.deepEqual(gaveUp, [])
    assert.deepEqual(after.damage, [])
    assert.equal((await delivered('orders', 'audit', 1000)).length, 1000)
  })

  it('makes a gap of what is nowhere', async () => {
    const log = await logOf('bills')
    await onDatabase(async (database) => {
      const prefix = indexKey(log, 0).toString('latin1').slice(0, 5)
      const names = [...(await database.scan(kindRange('index'))).keys()].filter((name) => name.startsWith(prefix))
      const batch = database.batch()
      for (const name of names.slice(2, 4)) batch.tryDelete(Buffer.from(name, 'latin1'))
      await database.write(batch)
    })
    const { before, gaveUp, after } = await repairDataPath(path)
    assert.deepEqual(
      before.damage.map(({ kind, topic }) => `${kind} ${topic}`),
      ['missing bills'],
    )
    assert.equal(gaveUp.length, 1)
    assert.deepEqual(gaveUp[0].records, before.damage[0].records)
    assert(after.isHealthy)
    const left = 1000 - gaveUp[0].wantedCount
    assert.equal((await delivered('bills', 'mail', left)).length, left)
    assert((await examineDataPath(path)).isHealthy)
  })

  it('forgets a cursor that cannot be read: the channel gets everything again', async () => {
    const log = await logOf('orders')
    await onDatabase(async (database) => {
      const heads = await database.scan(kindRange('head'))
      const batch = database.batch()
      for (const [name, value] of heads) {
        if (!name.startsWith(headKey(log, 0).toString('latin1').slice(0, 5))) continue
        const spoilt = Buffer.from(value)
        spoilt[12] ^= 1
        batch.tryPut(Buffer.from(name, 'latin1'), spoilt)
      }
      await database.write(batch)
    })
    const { before, gaveUp, after } = await repairDataPath(path)
    assert(before.damage.every(({ kind, topic }) => kind === 'cursor' && topic === 'orders'))
    assert(before.damage.some(({ channel }) => channel === 'mail'))
    assert.deepEqual(gaveUp, [])
    assert(after.isHealthy)
    assert.equal(depthsOf(after)['orders/mail'], 1000)
    assert.equal((await delivered('orders', 'mail', 1000)).length, 1000)
  })

  describe('with a damaged journal', () => {
    /** As a kill leaves it: 50 more orders and 50 more bills are in the journal only, on the disk one by one. */
    beforeEach(async () => {
      const running = `${path}-running`
      cpSync(path, running, { recursive: true })
      const broker = await SmallBroker.open(running, 'power')
      for (let number = 1000; number < 1050; number++) {
        await broker.publish('orders', bodies('orders', number, number + 1))
        await broker.publish('bills', bodies('bills', number, number + 1))
      }
      rmSync(path, { recursive: true })
      cpSync(running, path, { recursive: true })
      await broker.close()
      rmSync(running, { recursive: true })
    })

    const journalFiles = (): string[] => {
      const folder = join(path, 'journal')
      return readdirSync(folder)
        .sort()
        .map((name) => join(folder, name))
    }

    it('passes over bytes that are not what was written, and keeps what is before and behind them', async () => {
      const journal = journalFiles().find((file) => readFileSync(file).includes('orders/1020 ')) as string
      flip(journal, readFileSync(journal).indexOf('orders/1020 ') + 100)
      await assert.rejects(SmallBroker.open(path), (error: Error) => {
        assert(error.message.includes(`${journal} is damaged: bytes `), error.message)
        return true
      })
      const { before, gaveUp, after } = await repairDataPath(path)
      assert.deepEqual(
        before.damage.map(({ kind }) => kind),
        ['journal', 'missing'],
      )
      assert.deepEqual(gaveUp, [{ topic: 'orders', records: { first: 1020, end: 1021 }, wantedCount: 1 }])
      assert(after.isHealthy)
      const got = await delivered('orders', 'audit', 1049)
      assert.deepEqual(
        got.slice(-30),
        Array.from({ length: 30 }, (_, at) => (at < 1 ? 1019 : 1020 + at)),
      )
      assert.equal((await delivered('bills', 'audit', 1050)).length, 1050)
    })

    it('goes on without a file that is missing', async () => {
      const files = journalFiles()
      assert(files.length > 3)
      unlinkSync(files[2])
      await assert.rejects(SmallBroker.open(path), {
        detail: `${files[2]} is missing; \`spillway doctor DATA_PATH\` says what can be saved`,
      })
      const { before, gaveUp, after } = await repairDataPath(path)
      assert.equal(before.damage[0].detail, `${files[2]} is missing`)
      assert.deepEqual(
        gaveUp.map(({ topic }) => topic),
        ['bills', 'orders'],
      )
      assert(after.isHealthy)
      for (const { topic, records, wantedCount } of gaveUp) {
        const left = 1050 - wantedCount
        const got = await delivered(topic, 'audit', left)
        assert(got.every((number) => number < records.first || number >= records.end))
        assert.equal(got.at(-1), 1049)
      }
    })
  })

  it('says that RocksDB itself cannot be read, and leaves it alone', async () => {
    const folder = join(path, 'rocksdb')
    const manifest = readdirSync(folder).find((name) => name.startsWith('MANIFEST')) as string
    flip(join(folder, manifest), 40)
    const before = contents(folder)
    const { before: found, done, after } = await repairDataPath(path)
    assert.deepEqual(
      found.damage.map(({ kind, remedy }) => ({ kind, remedy })),
      [{ kind: 'rocksdb', remedy: null }],
    )
    assert(found.damage[0].detail.includes(folder))
    assert.deepEqual(done, [])
    assert(!after.isHealthy)
    assert(contents(folder).join() === before.join(), 'something was changed')
  })
})
