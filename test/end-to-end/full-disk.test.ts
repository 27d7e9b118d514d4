import assert from 'node:assert/strict'
import { existsSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../support/eventually.js'
import { SmallDisk } from '../support/small-disk.js'
import { SpillwayBroker } from '../support/spillway-broker.js'

const MIB = 1024 * 1024
const RECOVERY_LIMIT_MS = 60_000
/** So that RocksDB soon gets what is published. */
const LITTLE_MEMORY = { memorySizeBytesMax: 64 * MIB }

describe('a broker on a full disk', function () {
  this.timeout(2 * RECOVERY_LIMIT_MS)
  let disk: SmallDisk | null = null
  let broker: SpillwayBroker | null = null

  afterEach(() => {
    broker?.discard()
    broker = null
    disk?.unmount()
    disk = null
  })

  /** Publishes batches over HTTP until one is refused. What was acknowledged is added to `acknowledged`. */
  async function fill(http: SpillwayBroker['http'], acknowledged: Set<string>, batchesMax: number): Promise<void> {
    for (let batch = 0; batch < batchesMax; batch++) {
      const bodies = Array.from({ length: 20 }, (_, at) => `${acknowledged.size + at} `.padEnd(25_000, 'x'))
      const { status, text } = await http.post('/mpub?topic=full', bodies.join('\n'))
      if (status !== 200) {
        assert.equal(status, 503, text)
        return
      }
      for (const body of bodies) acknowledged.add(body)
    }
    assert.fail(`${acknowledged.size} messages were taken, and the disk is not full`)
  }

  /** Takes and finishes messages until `count` have come. */
  async function drain(running: SpillwayBroker, count: number): Promise<string[]> {
    const consumer = await running.connect()
    assert.equal(await consumer.ask('SUB full channel'), 'OK')
    consumer.send('RDY 50')
    const bodies: string[] = []
    while (bodies.length < count) {
      const { id, body } = await consumer.message(RECOVERY_LIMIT_MS)
      bodies.push(body.toString())
      consumer.send(`FIN ${id}`)
    }
    consumer.close()
    return bodies
  }

  const isOk = (http: SpillwayBroker['http']) => async (): Promise<true | undefined> =>
    (await http.get('/ping')).text === 'OK' ? true : undefined

  /** A publish is taken, and what it was is delivered. */
  async function recovers(running: SpillwayBroker): Promise<void> {
    await eventually(
      async () => ((await running.http.post('/pub?topic=full', 'after')).status === 200 ? true : undefined),
      RECOVERY_LIMIT_MS,
      'a publish that is taken',
    )
    assert.deepEqual(await drain(running, 1), ['after'])
    await eventually(isOk(running.http), RECOVERY_LIMIT_MS, 'OK')
  }

  /** Says that it is full. It may have found some room again since a publish was refused: then that is filled, too. */
  async function isNok(http: SpillwayBroker['http'], acknowledged: Set<string>, place: string): Promise<void> {
    const refusal = async (): Promise<string | undefined> => {
      const { status, text } = await http.get('/ping')
      if (status === 500) return text
      await fill(http, acknowledged, 20)
      return undefined
    }
    const text = await eventually(refusal, RECOVERY_LIMIT_MS, 'NOK')
    assert.match(text, /^NOK - .*no space left on the disk/)
    assert(text.includes(place), text)
  }

  it('loses nothing that was acknowledged, delivers nothing that was refused, and recovers when it is drained', async function () {
    disk = SmallDisk.mount(140 * MIB)
    if (disk === null) this.skip() // a file system that can be filled needs the right to mount one
    const dataPath = join(disk.path, 'data')
    const storage = { journalFileSizeBytes: 4 * MIB, ballastSizeBytes: 32 * MIB }
    broker = await SpillwayBroker.start({ dataPath, storage, node: LITTLE_MEMORY })
    await broker.http.post('/channel/create?topic=full&channel=channel')
    await eventually(() => existsSync(join(dataPath, 'ballast')) || undefined, RECOVERY_LIMIT_MS, 'the ballast')
    const acknowledged = new Set<string>()
    await fill(broker.http, acknowledged, 300)
    await isNok(broker.http, acknowledged, dataPath)
    assert.deepEqual(new Set(await drain(broker, acknowledged.size)), acknowledged)
    await recovers(broker)
    assert.deepEqual(await broker.stop(), { code: 0, signal: null }, broker.program.stderr)
  })

  it('goes on when somebody else has filled the disk, and recovers when they give room back', async function () {
    disk = SmallDisk.mount(60 * MIB)
    if (disk === null) this.skip()
    const dataPath = join(disk.path, 'data')
    broker = await SpillwayBroker.start({ dataPath, storage: { journalFileSizeBytes: MIB } })
    await broker.http.post('/channel/create?topic=full&channel=channel')
    const foreign = join(disk.path, 'foreign')
    writeFileSync(foreign, Buffer.alloc(disk.freeBytes - 4 * MIB))
    const acknowledged = new Set<string>()
    await fill(broker.http, acknowledged, 20)
    await isNok(broker.http, acknowledged, dataPath)
    unlinkSync(foreign)
    assert.deepEqual(new Set(await drain(broker, acknowledged.size)), acknowledged)
    await recovers(broker)
    assert.deepEqual(await broker.stop(), { code: 0, signal: null }, broker.program.stderr)
  })

  it('has everything that was acknowledged when it is killed on a full disk and started again on it', async function () {
    disk = SmallDisk.mount(140 * MIB)
    if (disk === null) this.skip()
    const dataPath = join(disk.path, 'data')
    const storage = { journalFileSizeBytes: 4 * MIB, ballastSizeBytes: 32 * MIB }
    const setup = { dataPath, storage, node: LITTLE_MEMORY }
    broker = await SpillwayBroker.start(setup)
    await broker.http.post('/channel/create?topic=full&channel=channel')
    await eventually(() => existsSync(join(dataPath, 'ballast')) || undefined, RECOVERY_LIMIT_MS, 'the ballast')
    const acknowledged = new Set<string>()
    await fill(broker.http, acknowledged, 300)
    await broker.kill()
    broker = await SpillwayBroker.start(setup)
    assert.deepEqual(new Set(await drain(broker, acknowledged.size)), acknowledged)
    await eventually(isOk(broker.http), RECOVERY_LIMIT_MS, 'OK')
    assert.deepEqual(await broker.stop(), { code: 0, signal: null }, broker.program.stderr)
  })

  it('stops in order on a full disk, and has everything when there is room', async function () {
    disk = SmallDisk.mount(24 * MIB)
    if (disk === null) this.skip()
    const setup = { dataPath: join(disk.path, 'data'), storage: { journalFileSizeBytes: MIB } }
    broker = await SpillwayBroker.start(setup)
    await broker.http.post('/channel/create?topic=full&channel=channel')
    const acknowledged = new Set<string>()
    await fill(broker.http, acknowledged, 60)
    assert.deepEqual(await broker.stop(), { code: 0, signal: null }, broker.program.stderr)
    disk.resize(60 * MIB)
    broker = await SpillwayBroker.start(setup)
    assert.deepEqual(new Set(await drain(broker, acknowledged.size)), acknowledged)
    assert.deepEqual(await broker.stop(), { code: 0, signal: null }, broker.program.stderr)
  })

  it('refuses publishes below the watermark and says why, lets consumers go on, and recovers by itself', async function () {
    disk = SmallDisk.mount(80 * MIB)
    if (disk === null) this.skip()
    const storage = { journalFileSizeBytes: 2 * MIB, freeDiskBytesMin: 30 * MIB }
    broker = await SpillwayBroker.start({ dataPath: join(disk.path, 'data'), storage })
    const { http } = broker
    await http.post('/channel/create?topic=full&channel=channel')
    assert.equal((await http.post('/pub?topic=full', 'before')).status, 200)
    disk.resize(29 * MIB)
    const ping = await eventually(
      () => http.get('/ping').then((answer) => (answer.status === 500 ? answer.text : undefined)),
      RECOVERY_LIMIT_MS,
      'NOK',
    )
    assert.match(ping, /^NOK - .*MiB of the disk are free, less than freeDiskBytesMin \(30 MiB\)$/)
    const { status, text } = await http.post('/pub?topic=full', 'refused')
    assert.equal(status, 503)
    assert(text.length > 0)
    const producer = await broker.connect()
    producer.send('PUB full', 'refused')
    const frame = await producer.frame()
    assert(frame.type === 'error' && frame.text.startsWith('E_PUB_FAILED '), JSON.stringify(frame))
    assert.deepEqual(await drain(broker, 1), ['before'])

    disk.resize(80 * MIB)
    await eventually(isOk(http), RECOVERY_LIMIT_MS, 'OK')
    assert.equal((await http.post('/pub?topic=full', 'after')).status, 200)
    assert.deepEqual(await drain(broker, 1), ['after'])
    assert.deepEqual(await broker.stop(), { code: 0, signal: null })
  })
})
