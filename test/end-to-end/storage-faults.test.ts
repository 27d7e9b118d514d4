import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../support/eventually.js'
import { Program } from '../support/program.js'
import { SmallDisk } from '../support/small-disk.js'
import { SPILLWAY, SpillwayBroker, type SpillwaySetup } from '../support/spillway-broker.js'

const MIB = 1024 * 1024

describe('a broker whose storage fails', function () {
  this.timeout(60_000)
  let folder: string
  let dataPath: string
  const brokers: SpillwayBroker[] = []

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'spillway-faults-'))
    dataPath = join(folder, 'data')
  })

  afterEach(() => {
    for (const broker of brokers.splice(0)) broker.discard()
    rmSync(folder, { recursive: true, force: true })
  })

  async function start(setup: Partial<SpillwaySetup> = {}): Promise<SpillwayBroker> {
    const broker = await SpillwayBroker.start({ dataPath, ...setup })
    brokers.push(broker)
    return broker
  }

  /** Starts one that must end by itself: with code 1, and one line about it that names the path. */
  async function refuses(setup: Partial<SpillwaySetup>, pattern: RegExp, place: string): Promise<void> {
    const broker = await SpillwayBroker.launch({ dataPath, ...setup })
    brokers.push(broker)
    assert.deepEqual(await broker.program.exited, { code: 1, signal: null }, broker.program.stderr)
    const lines = broker.program.stderr.trimEnd().split('\n')
    assert.equal(lines.length, 1, broker.program.stderr)
    assert.match(lines[0], pattern)
    assert(lines[0].includes(place), lines[0])
  }

  async function publish(broker: SpillwayBroker, topic: string, body: string): Promise<void> {
    const { status, text } = await broker.http.post(`/pub?topic=${topic}`, body)
    assert.equal(status, 200, text)
  }

  async function consume(broker: SpillwayBroker, topic: string, count: number): Promise<string[]> {
    const consumer = await broker.connect()
    assert.equal(await consumer.ask(`SUB ${topic} channel`), 'OK')
    consumer.send('RDY 100')
    const bodies: string[] = []
    while (bodies.length < count) {
      const { id, body } = await consumer.message()
      bodies.push(body.toString())
      consumer.send(`FIN ${id}`)
    }
    consumer.close()
    return bodies
  }

  it('refuses a data path that another one has, in one line; the other one goes on', async () => {
    const first = await start()
    await publish(first, 'locked', 'before')
    await refuses({}, /is in use by another process; each broker needs a data path of its own/, dataPath)
    await publish(first, 'locked', 'after')
    assert.deepEqual(await consume(first, 'locked', 2), ['before', 'after'])
    assert.deepEqual(await first.stop(), { code: 0, signal: null })
  })

  it('says in one line that it may not write', async function () {
    const disk = SmallDisk.mount(40 * MIB)
    if (disk === null) this.skip() // root may write everywhere else
    try {
      disk.makeReadOnly()
      await refuses({ dataPath: join(disk.path, 'data') }, /read-only file system/i, disk.path)
    } finally {
      disk.unmount()
    }
  })

  it('says in one line that a data path which it had may not be written any more; the doctor can look at it', async function () {
    const disk = SmallDisk.mount(60 * MIB)
    if (disk === null) this.skip()
    try {
      const setup = { dataPath: join(disk.path, 'data') }
      const broker = await start(setup)
      await publish(broker, 'kept', 'message')
      assert.deepEqual(await broker.stop(), { code: 0, signal: null })
      disk.makeReadOnly()
      await refuses(setup, /read-only file system/i, disk.path)
      const doctor = new Program({ command: process.execPath, args: [SPILLWAY, 'doctor', setup.dataPath] })
      assert.deepEqual(await doctor.exited, { code: 0, signal: null }, doctor.stderr)
      assert.match(doctor.stdout, /^kept +1 +1 /m)
    } finally {
      disk.unmount()
    }
  })

  for (const name of ['', 'journal', 'rocksdb']) {
    it(`says in one line that a file is where its folder ${name || 'data'} should be`, async () => {
      const place = join(dataPath, name)
      if (name !== '') mkdirSync(dataPath)
      writeFileSync(place, 'a file')
      await refuses({}, /file|directory/i, dataPath)
      assert.equal(readFileSync(place, 'utf8'), 'a file')
    })
  }

  it('refuses what it cannot write, keeps what it could, and goes on when it can again', async function () {
    // no file of the process may be larger: a write then ends in the middle
    const limitBytes = 600_000
    if (spawnSync('prlimit', ['--version']).error !== undefined) this.skip() // part of util-linux
    const launcher = ['prlimit', `--fsize=${limitBytes}:unlimited`]
    const storage = { journalFileSizeBytes: MIB }
    const broker = await start({ storage })
    await broker.http.post('/channel/create?topic=cut&channel=channel')
    spawnSync('prlimit', [`--pid=${broker.program.pid}`, ...launcher.slice(1)])
    const acknowledged: string[] = []
    let refusal = ''
    for (let batch = 0; batch < 50 && refusal === ''; batch++) {
      const bodies = Array.from({ length: 10 }, (_, at) => `${batch * 10 + at} `.padEnd(5000, 'x'))
      const { status, text } = await broker.http.post('/mpub?topic=cut', bodies.join('\n'))
      if (status === 200) acknowledged.push(...bodies)
      else refusal = text
    }
    assert.notEqual(refusal, '', 'everything was taken')
    assert.match((await broker.http.get('/ping')).text, /^NOK - /)
    spawnSync('prlimit', [`--pid=${broker.program.pid}`, '--fsize=unlimited'])
    await eventually(
      async () => ((await broker.http.post('/pub?topic=cut', 'after')).status === 200 ? true : undefined),
      30_000,
      'a publish that is taken',
    )
    await broker.kill()
    const again = await start({ storage })
    assert.deepEqual(await consume(again, 'cut', acknowledged.length + 1), [...acknowledged, 'after'])
    assert.deepEqual(await again.stop(), { code: 0, signal: null })
  })

  it('stops a topic before messages that are damaged, says so, and goes on with the others', async () => {
    const broker = await start()
    for (const topic of ['broken', 'whole']) {
      await broker.http.post(`/channel/create?topic=${topic}&channel=channel`)
      await publish(broker, topic, `${topic} `.padEnd(10_000, '.'))
    }
    assert.deepEqual(await broker.stop(), { code: 0, signal: null })
    const rocksdb = join(dataPath, 'rocksdb')
    for (const name of readdirSync(rocksdb).filter((each) => each.endsWith('.blob'))) {
      const bytes = readFileSync(join(rocksdb, name))
      const at = bytes.indexOf('broken ....')
      if (at === -1) continue
      bytes[at + 100] ^= 1
      writeFileSync(join(rocksdb, name), bytes)
    }
    const again = await start()
    const stuck = await again.connect()
    assert.equal(await stuck.ask('SUB broken channel'), 'OK')
    stuck.send('RDY 10')
    const ping = await eventually(
      async () => {
        const { status, text } = await again.http.get('/ping')
        return status === 500 ? text : undefined
      },
      30_000,
      'NOK',
    )
    assert.match(ping, /^NOK - topic broken: E_STORAGE_CORRUPT /)
    assert(ping.includes(rocksdb), ping)
    assert.equal((await consume(again, 'whole', 1)).length, 1)
    await publish(again, 'whole', 'after')
    assert.deepEqual(await consume(again, 'whole', 1), ['after'])
    assert.equal(again.program.stderr.split('\n').filter((line) => line.includes('cannot be read')).length, 1)
    stuck.close()
    assert.deepEqual(await again.stop(), { code: 0, signal: null }, again.program.stderr)
  })

  it('does not start on a damaged RocksDB, whichever file it is, and leaves it as it is', async () => {
    const broker = await start()
    await publish(broker, 'kept', 'message'.padEnd(10_000, '.'))
    assert.deepEqual(await broker.stop(), { code: 0, signal: null })
    const rocksdb = join(dataPath, 'rocksdb')
    for (const pattern of [/\.sst$/, /^MANIFEST-/]) {
      const name = readdirSync(rocksdb).find((each) => pattern.test(each)) as string
      const whole = readFileSync(join(rocksdb, name))
      const spoilt = Buffer.from(whole)
      spoilt[20] ^= 0xff
      writeFileSync(join(rocksdb, name), spoilt)
      await refuses({}, /mismatch|corrupt/i, rocksdb)
      writeFileSync(join(rocksdb, name), whole)
    }
    const again = await start()
    assert.equal((await consume(again, 'kept', 1)).length, 1)
    assert.deepEqual(await again.stop(), { code: 0, signal: null })
  })
})
