import assert from 'node:assert/strict'
import { FakeClock, SAMPLE_NODE_ADDRESS, TestLogger } from '@spillway/core/testing'
import { NsqlookupdDiscovery } from '../src/index.js'
import { SAMPLE_OPTIONS } from './support/sample-options.js'
import { ScriptedLookupd } from './support/scripted-lookupd.js'
import { turns, until } from './support/until.js'

describe('channels that nsqlookupd knows', () => {
  let clock: FakeClock
  let logger: TestLogger
  let first: ScriptedLookupd
  let second: ScriptedLookupd
  let discovery: NsqlookupdDiscovery

  beforeEach(async () => {
    clock = new FakeClock()
    logger = new TestLogger()
    first = new ScriptedLookupd()
    second = new ScriptedLookupd()
    await Promise.all([first.start(), second.start()])
    const tcpAddresses = [first.address, second.address]
    discovery = new NsqlookupdDiscovery({ ...SAMPLE_OPTIONS, tcpAddresses }, { clock, logger, random: () => 0 })
  })
  afterEach(async () => {
    await discovery.stop()
    await Promise.all([first.stop(), second.stop()])
  })

  async function started(): Promise<void> {
    discovery.start(SAMPLE_NODE_ADDRESS)
    await until(() => logger.messages('info').length === 2)
  }

  const channelsOf = async (topic: string) => [...(await discovery.channelsOf(topic))].sort()

  it('are asked of all, as nsqd asks, and are what any of them knows', async () => {
    first.channels = { 't#ephemeral': ['a', 'b'] }
    second.channels = { 't#ephemeral': ['b', 'c'] }
    await started()
    assert.deepEqual(await channelsOf('t#ephemeral'), ['a', 'b', 'c'])
    const question = { path: '/channels?topic=t%23ephemeral', accept: 'application/vnd.nsq; version=1.0' }
    assert.deepEqual([first.questions, second.questions], [[question], [question]])
  })

  it('are waited for by a node that has just started, until it is connected', async () => {
    first.channels = { t: ['a'] }
    discovery.start(SAMPLE_NODE_ADDRESS)
    assert.deepEqual(await channelsOf('t'), ['a'])
  })

  const wrong: Readonly<Record<string, (lookupd: ScriptedLookupd) => void>> = {
    'answers no JSON': (lookupd) => (lookupd.onQuestion = (_, response) => void response.end('<html>')),
    'answers other JSON': (lookupd) => (lookupd.onQuestion = (_, response) => void response.end('null')),
    'answers with an error': (lookupd) =>
      (lookupd.onQuestion = (_, response) => void response.writeHead(500).end('{"channels":["x"]}')),
    'answers without end': (lookupd) =>
      (lookupd.onQuestion = (_, response) => void response.write(Buffer.alloc(2 * 1024 * 1024, ' '))),
    'ends in the middle': (lookupd) =>
      (lookupd.onQuestion = (_, response) => {
        response.writeHead(200, { 'Content-Length': 100 })
        response.write('{"chan', () => response.destroy())
      }),
    'closes the connection': (lookupd) => (lookupd.onQuestion = (request) => void request.socket.destroy()),
  }
  for (const [title, breakIt] of Object.entries(wrong)) {
    it(`are those of the others where one ${title}; the log says it once`, async () => {
      first.channels = { t: ['a'] }
      await started()
      breakIt(second)
      assert.deepEqual(await channelsOf('t'), ['a'])
      assert.deepEqual(await channelsOf('t'), ['a'])
      assert.equal(logger.messages('warn').length, 1)
      second.onQuestion = (request, response) => second.answerQuestion(request, response)
      assert.deepEqual(await channelsOf('t'), ['a'])
      breakIt(second)
      await channelsOf('t')
      assert.equal(logger.messages('warn').length, 2)
      assert.equal(clock.timerCount, 2) // the pings
    })
  }

  it('are waited for 7 seconds of one that is silent', async () => {
    first.channels = { t: ['a'] }
    await started()
    second.onQuestion = () => {}
    const asked = channelsOf('t')
    await until(() => second.questions.length === 1 && first.questions.length === 1)
    await turns(clock) // what the other one has answered is read
    clock.advance(6_999)
    assert.equal(logger.messages('warn').length, 0)
    clock.advance(1)
    assert.deepEqual(await asked, ['a'])
  })

  it('are asked of one that was lost a moment ago where it was', async () => {
    first.channels = { t: ['a'] }
    await started()
    first.last.socket.destroy()
    await until(() => logger.messages('warn').length === 1)
    assert.deepEqual(await channelsOf('t'), ['a'])
  })

  it('are not asked of one that does not say where', async () => {
    first.channels = { t: ['a'] }
    second.channels = { t: ['b'] }
    for (const odd of [{ broadcast_address: '' }, { http_port: 0 }, { http_port: '4161' }]) {
      second.onCommand = (command) => (command === 'IDENTIFY' ? second.identity(odd) : 'OK')
      const tcpAddresses = [first.address, second.address]
      const one = new NsqlookupdDiscovery({ ...SAMPLE_OPTIONS, tcpAddresses }, { clock, logger, random: () => 0 })
      one.start(SAMPLE_NODE_ADDRESS)
      assert.deepEqual(await one.channelsOf('t'), ['a'], JSON.stringify(odd))
      await one.stop()
    }
    assert.equal(second.questions.length, 0)
    const line = `LOOKUPD(${second.address}): cannot be asked for channels, for it does not say where`
    assert.deepEqual(logger.messages('warn'), [line, line, line])
  })

  it('are asked sixteen at a time of each, and no answer is lost', async () => {
    await started()
    let runningCount = 0
    let runningMax = 0
    first.onQuestion = (request, response) => {
      runningMax = Math.max(runningMax, ++runningCount)
      setImmediate(() => {
        runningCount--
        response.end(JSON.stringify({ channels: [new URL(request.url ?? '', 'http://x').searchParams.get('topic')] }))
      })
    }
    const topics = Array.from({ length: 100 }, (_, at) => `t${at}`)
    const answers = await Promise.all(topics.map(channelsOf))
    assert.deepEqual(
      answers,
      topics.map((topic) => [topic]),
    )
    assert.ok(runningMax <= 16, String(runningMax))
  })
})
