import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { OldDataPath } from '@spillway/import-nsqd/testing'
import { eventually } from '../support/eventually.js'
import { HttpClient } from '../support/http-client.js'
import { lastingPorts } from '../support/lasting-ports.js'
import { nsqdCommand } from '../support/nsqd-command.js'
import { Program } from '../support/program.js'
import { RawClient } from '../support/raw-client.js'

const HOST = '127.0.0.1'
const START_LIMIT_MS = 60_000

describe('nsqd on the data path of another nsqd', () => {
  let old: OldDataPath
  let ports: number[]
  let program: Program | undefined

  beforeEach(async () => {
    old = await OldDataPath.create()
    ports = await lastingPorts(2)
  })

  afterEach(async () => {
    program?.signal('SIGKILL')
    await program?.exited
    await old.remove()
  })

  function launch(...flags: string[]): Program {
    const [tcp, http] = ports
    const addresses = [`--tcp-address=${HOST}:${tcp}`, `--http-address=${HOST}:${http}`]
    program = new Program(nsqdCommand([`--data-path=${old.path}`, ...addresses, ...flags]))
    return program
  }

  const stats = () => new HttpClient({ host: HOST, port: ports[1] })
  const started = () =>
    eventually(async () => ((await stats().get('/ping')).text === 'OK' ? true : undefined), START_LIMIT_MS, 'a start')

  /** Where the files of the nsqds went that were taken over. */
  const asides = () =>
    readdirSync(old.path)
      .filter((name) => name.startsWith('nsqd-imported'))
      .map((name) => join(old.path, name))

  it('takes over topics, channels and messages, and moves the old files aside', async () => {
    await old.metadata([{ name: 'orders', paused: false, channels: [{ name: 'mail', paused: true }] }])
    await old.queue('orders:mail', [[{ body: 'a', attempts: 1 }, { body: 'b' }]])
    launch()
    await started()
    assert.equal(existsSync(join(old.path, 'nsqd.dat')), false)
    assert.deepEqual(
      asides().map((folder) => existsSync(join(folder, 'nsqd.dat'))),
      [true],
    )
    const channel = await stats().channelStats('orders', 'mail')
    assert.deepEqual([channel?.depth, channel?.paused], [2, true])
    await stats().post('/channel/unpause?topic=orders&channel=mail')
    const client = await RawClient.connect({ host: HOST, port: ports[0] })
    client.send('SUB orders mail')
    client.send('RDY 2')
    await client.frame()
    const messages = [await client.message(), await client.message()]
    assert.deepEqual(
      messages.map(({ body, attempts }) => [body.toString(), attempts]),
      [
        ['a', 2],
        ['b', 1],
      ],
    )
    client.close()
    // and a second start has nothing more to take over
    assert.deepEqual(await program?.stop(), { code: 0, signal: null })
    launch()
    await started()
    assert.equal((await stats().channelStats('orders', 'mail'))?.depth, 2)
  })

  it('loses nothing and doubles nothing when it is killed while it takes over', async function () {
    this.timeout(3 * START_LIMIT_MS)
    const messageCount = 150_000
    await old.metadata([{ name: 't', paused: false, channels: [{ name: 'c', paused: false }] }])
    const records = Array.from({ length: messageCount }, (_, index) => ({ body: `message ${index}` }))
    await old.queue('t:c', [records.slice(0, 100_000), records.slice(100_000)])
    let kills = 0
    for (const delayMs of [20, 150, 350, 600]) {
      const killed = launch()
      await eventually(
        // The last one was killed when all was there, and only the files had not been moved.
        () => (/taking over|files are in/.test(killed.stderr) || killed.exit !== undefined ? true : undefined),
        START_LIMIT_MS,
        'the move',
      )
      await new Promise((resolve) => setTimeout(resolve, delayMs))
      if (existsSync(join(old.path, 'nsqd.dat'))) kills++
      killed.signal('SIGKILL')
      await killed.exited
      if (!existsSync(join(old.path, 'nsqd.dat'))) break
    }
    assert.ok(kills > 0, 'it was killed in the middle')
    launch()
    await started()
    assert.equal((await stats().channelStats('t', 'c'))?.depth, messageCount)
  })

  it('refuses what another nsqd has left beside its own messages, and touches none of it', async () => {
    const topics = [{ name: 't', paused: false, channels: [{ name: 'c', paused: false }] }]
    await old.metadata(topics)
    await old.queue('t:c', [[{ body: 'first' }]])
    launch()
    await started()
    assert.deepEqual(await program?.stop(), { code: 0, signal: null })
    const [aside] = asides()
    // somebody goes back to nsqd, in the same folder, and it gets more
    for (const file of readdirSync(aside)) renameSync(join(aside, file), join(old.path, file))
    await old.metadata([...topics, { name: 'fresh', paused: false, channels: null }])
    await old.queue('fresh', [[{ body: 'second' }]])
    const { code } = await launch().exited
    assert.equal(code, 1)
    assert.match(program?.stderr ?? '', /FATAL: .*there are topics already \(t\): take .* over into an empty data path/)
    assert.match(readFileSync(join(old.path, 'fresh.diskqueue.000000.dat'), 'latin1'), /second$/)
    assert.ok(existsSync(join(old.path, 'nsqd.dat')))
    // without what is in the way it takes over all of it, and into a folder of its own
    const ours = join(old.path, 'spillway-before')
    mkdirSync(ours)
    for (const part of ['rocksdb', 'journal', 'ballast']) {
      if (existsSync(join(old.path, part))) renameSync(join(old.path, part), join(ours, part))
    }
    launch()
    await started()
    assert.equal((await stats().channelStats('t', 'c'))?.depth, 1)
    assert.match(await (await stats().get('/stats')).text, /fresh/)
    assert.equal(asides().length, 2)
  })

  it('says which files of the queues are missing, and how many messages', async () => {
    await old.metadata([{ name: 't', paused: false, channels: [{ name: 'c', paused: false }] }])
    await old.queue('t:c', [[{ body: 'a' }], [{ body: 'b' }], [{ body: 'c' }]])
    const missing = join(old.path, 't:c.diskqueue.000001.dat')
    rmSync(missing)
    launch()
    await started()
    const errors = (program?.stderr ?? '').split('\n').filter((line) => line.includes('ERROR'))
    assert.deepEqual(
      errors.map((line) => line.replace(/^.*ERROR: /, '')),
      [`${missing}: the file is missing`, 't:c: nsqd had counted 3 messages, 2 were found: 1 are missing now'],
    )
  })

  it('leaves the old files alone where messages are kept in memory, and says so', async () => {
    await old.metadata([{ name: 't', paused: false, channels: null }])
    launch('--storage=memory')
    await started()
    assert.match(program?.stderr ?? '', /has the messages of an nsqd: they stay there/)
    assert.ok(existsSync(join(old.path, 'nsqd.dat')))
  })

  it('does not start on what makes no sense, and names the file', async () => {
    await old.metadata('all')
    const { code } = await launch().exited
    assert.equal(code, 1)
    assert.match(program?.stderr ?? '', /FATAL: failed to instantiate nsqd - .*nsqd\.dat: topics is no list/)
  })
})
