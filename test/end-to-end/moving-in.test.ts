import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { OldDataPath } from '@spillway/import-nsqd/testing'
import { eventually } from '../support/eventually.js'
import { HttpClient } from '../support/http-client.js'
import { lastingPorts } from '../support/lasting-ports.js'
import { nsqdCommand } from '../support/nsqd-command.js'
import { Program } from '../support/program.js'
import { RawClient } from '../support/raw-client.js'

const HOST = '127.0.0.1'

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
    eventually(async () => ((await stats().get('/ping')).text === 'OK' ? true : undefined), 20_000, 'a start')

  it('takes over topics, channels and messages, and moves the old files aside', async () => {
    await old.metadata([{ name: 'orders', paused: false, channels: [{ name: 'mail', paused: true }] }])
    await old.queue('orders:mail', [[{ body: 'a', attempts: 1 }, { body: 'b' }]])
    launch()
    await started()
    assert.deepEqual(
      [existsSync(join(old.path, 'nsqd.dat')), existsSync(join(old.path, 'nsqd-imported', 'nsqd.dat'))],
      [false, true],
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
    this.timeout(60_000)
    const messageCount = 150_000
    await old.metadata([{ name: 't', paused: false, channels: [{ name: 'c', paused: false }] }])
    const records = Array.from({ length: messageCount }, (_, index) => ({ body: `message ${index}` }))
    await old.queue('t:c', [records.slice(0, 100_000), records.slice(100_000)])
    let kills = 0
    for (const delayMs of [20, 150, 350, 600]) {
      const killed = launch()
      await eventually(
        () => (/taking over/.test(killed.stderr) || killed.exit !== undefined ? true : undefined),
        20_000,
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
