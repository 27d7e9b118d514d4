import assert from 'node:assert/strict'
import { eventually } from '../support/eventually.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import { allReady, settled } from './channel-waits.js'
import { NsqPrograms } from './nsq-programs.js'
import { publishAll } from './nsqjs-client.js'
import { assertEachOnce, linesOf } from './published-lines.js'

const LIMIT_MS = 10_000

describe('nsq_tail', () => {
  const programs = new NsqPrograms('nsq_tail')
  let broker: RunningBroker | undefined

  before(async function () {
    await programs.prepare(this)
    broker = await startBroker()
  })
  afterEach(() => programs.killForgotten())
  after(() => broker?.stop())

  function flagsFor({ tcpAddress }: RunningBroker, ...topics: readonly string[]): string[] {
    return [`--nsqd-tcp-address=${tcpAddress}`, ...topics.map((topic) => `--topic=${topic}`)]
  }

  it('prints as many messages as it was asked for, each once, and ends', async () => {
    assert.ok(broker)
    const messageCount = 2_000
    await publishAll(broker, 'backlog', messageCount)
    const flags = [...flagsFor(broker, 'backlog'), '--channel=tail', `-n=${messageCount}`]
    const tail = await programs.run('nsq_tail', flags)
    assertEachOnce(linesOf(tail.stdout), messageCount)
  })

  it('prints what comes while it runs, from an ephemeral channel that goes when it ends', async () => {
    assert.ok(broker)
    const { http } = broker
    const tail = programs.start('nsq_tail', flagsFor(broker, 'live'))
    const channel = await eventually(
      async () => (await http.topicStats('live'))?.channels[0]?.channel_name,
      LIMIT_MS,
      'the channel of nsq_tail',
    )
    assert.match(channel, /^tail\d{6}#ephemeral$/)
    await allReady(broker, 'live', channel, 1)

    const messageCount = 1_000
    await publishAll(broker, 'live', messageCount)
    await settled(broker, 'live', channel)
    assert.deepEqual(await tail.stop(), { code: 0, signal: null })
    assertEachOnce(linesOf(tail.stdout), messageCount)
    await eventually(
      async () => ((await http.topicStats('live'))?.channels.length === 0 ? true : undefined),
      LIMIT_MS,
      'the end of the channel',
    )
  })

  it('prints the topic that a message is from', async () => {
    assert.ok(broker)
    const { http } = broker
    const flags = [...flagsFor(broker, 'left', 'right'), '--channel=tail', '--print-topic']
    const tail = programs.start('nsq_tail', flags)
    await allReady(broker, 'left', 'tail', 1)
    await allReady(broker, 'right', 'tail', 1)
    await http.post('/pub?topic=left', 'from the left')
    await tail.line('left | from the left', LIMIT_MS)
    await http.post('/pub?topic=right', 'from the right')
    await tail.line('right | from the right', LIMIT_MS)
    assert.deepEqual(await tail.stop(), { code: 0, signal: null })
  })

  it('leaves what it had no time to finish to whoever comes next', async () => {
    assert.ok(broker)
    await publishAll(broker, 'cut', 150)
    const flags = [...flagsFor(broker, 'cut'), '--channel=tail', '--consumer-opt=msg_timeout,1s']
    const first = await programs.run('nsq_tail', [...flags, '-n=100'])
    assert.equal(linesOf(first.stdout).length, 100)
    // It ends without finishing the hundredth, at least; only the timeout brings that back.
    const second = programs.start('nsq_tail', flags)
    const stats = await settled(broker, 'cut', 'tail')
    assert.deepEqual(await second.stop(), { code: 0, signal: null })
    assert.ok(stats.timeout_count > 0)
    assertEachOnce([...new Set(linesOf(first.stdout + second.stdout))], 150)
  })
})
