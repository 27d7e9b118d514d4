import assert from 'node:assert/strict'
import type { SimulatedFault } from '@spillway/core/testing'
import { assertEmpty, assertError, assertOk } from './support/assert-answer.js'
import { RealBroker, type TopicJson } from './support/real-broker.js'

describe('HTTP in front of the engine', () => {
  let broker: RealBroker
  let fault: SimulatedFault | null = null

  beforeEach(async () => {
    fault = null
    broker = await RealBroker.start({ fault: (operation) => (operation === 'append' ? fault : null) })
  })

  afterEach(() => broker.stop())

  it('a published message reaches a consumer', async () => {
    assertOk(await broker.post('/pub?topic=t', 'hello'))
    const { bodies, stop } = await broker.consume('t', 'ch', 1)
    assert.deepEqual(bodies, ['hello'])
    const [{ message_count, message_bytes, channels }] = await broker.topics()
    assert.deepEqual([message_count, message_bytes], [1, 5])
    assert.equal(channels[0].in_flight_count, 1)
    assert.equal(channels[0].clients[0].client_id, 'consumer')
    stop()
  })

  it('batches of both kinds arrive in order and whole', async () => {
    const big = 'x'.repeat(1_048_576)
    assertOk(await broker.post('/mpub?topic=t', `a\n\n${big}\nb`))
    const binary = Buffer.from('\0\0\0\x02\0\0\0\x01c\0\0\0\x03d\ne', 'latin1')
    assertOk(await broker.post('/mpub?topic=t&binary=true', binary))
    const { bodies, stop } = await broker.consume('t', 'ch', 5)
    assert.deepEqual(
      bodies.map((body) => (body === big ? 'big' : body)),
      ['a', 'big', 'b', 'c', 'd\ne'],
    )
    stop()
  })

  it('many publishes at once are each answered and each stored', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => broker.post('/pub?topic=t', `${index}`)),
    )
    for (const answer of answers) assertOk(answer)
    const [{ depth, message_count }] = await broker.topics()
    assert.deepEqual([depth, message_count], [200, 200])
  })

  it('a deferred message is counted as deferred by the channel', async () => {
    assertEmpty(await broker.post('/topic/create?topic=t'))
    assertEmpty(await broker.post('/channel/create?topic=t&channel=ch'))
    assertOk(await broker.post('/pub?topic=t&defer=60000', 'later'))
    const [{ channels }] = await broker.topics()
    assert.deepEqual([channels[0].deferred_count, channels[0].depth], [1, 0])
  })

  it('topics and channels are made, paused, emptied and deleted', async () => {
    assertError(await broker.post('/channel/create?topic=t&channel=ch'), 404, 'TOPIC_NOT_FOUND')
    assertEmpty(await broker.post('/topic/create?topic=t'))
    assertEmpty(await broker.post('/channel/create?topic=t&channel=ch'))
    assertEmpty(await broker.post('/channel/pause?topic=t&channel=ch'))
    assertEmpty(await broker.post('/topic/pause?topic=t'))
    assertOk(await broker.post('/pub?topic=t', 'waits at the topic'))
    assert.deepEqual(summaryOf(await broker.topics()), ['t paused 1', 'ch paused 0'])
    assertEmpty(await broker.post('/topic/empty?topic=t'))
    assertEmpty(await broker.post('/topic/unpause?topic=t'))
    assertOk(await broker.post('/pub?topic=t', 'goes to the channel'))
    assert.deepEqual(summaryOf(await broker.topics()), ['t 0', 'ch paused 1'])
    assertEmpty(await broker.post('/channel/empty?topic=t&channel=ch'))
    assertEmpty(await broker.post('/channel/unpause?topic=t&channel=ch'))
    assert.deepEqual(summaryOf(await broker.topics()), ['t 0', 'ch 0'])
    assertEmpty(await broker.post('/channel/delete?topic=t&channel=ch'))
    assertError(await broker.post('/channel/delete?topic=t&channel=ch'), 404, 'CHANNEL_NOT_FOUND')
    assertEmpty(await broker.post('/topic/delete?topic=t'))
    assertError(await broker.post('/topic/delete?topic=t'), 404, 'TOPIC_NOT_FOUND')
    assert.deepEqual(await broker.topics(), [])
  })

  it('statistics can be asked for by topic and by channel', async () => {
    for (const topic of ['b', 'a']) await broker.post(`/topic/create?topic=${topic}`)
    for (const channel of ['y', 'x']) await broker.post(`/channel/create?topic=a&channel=${channel}`)
    assert.deepEqual(summaryOf(await broker.topics()), ['a 0', 'x 0', 'y 0', 'b 0'])
    assert.deepEqual(summaryOf(await broker.topics('&topic=b')), ['b 0'])
    assert.deepEqual(summaryOf(await broker.topics('&channel=y')), ['a 0', 'y 0'])
    assert.deepEqual(await broker.topics('&topic=b&channel=y'), [])
    assert.equal(await broker.topicsOrNull('&topic=nobody'), null)
  })

  it('the text names them, too', async () => {
    await broker.post('/pub?topic=t', 'x')
    assert.match((await broker.get('/stats')).text, /\n {3}\[t {14}\] depth: 1 {5}be-depth: \d {5}msgs: 1 {8}e2e%: \n/)
  })

  it('a full disk is 503 FULL and breaks nothing', async () => {
    assertOk(await broker.post('/pub?topic=t', 'kept'))
    fault = 'E_STORAGE_FULL'
    assertError(await broker.post('/pub?topic=t', 'refused'), 503, 'FULL')
    assert.equal((await broker.topics())[0].message_count, 1)
    assert.equal((await broker.get('/ping')).status, 500)
  })

  it('a stopped engine is 503 EXITING', async () => {
    await broker.engine.close()
    assertError(await broker.post('/pub?topic=t', 'x'), 503, 'EXITING')
    assertError(await broker.post('/mpub?topic=t', 'x'), 503, 'EXITING')
  })
})

describe('HTTP in front of an engine with little memory', () => {
  it('refuses what has no room with 503 MEMORY_FULL, and takes it when there is room', async () => {
    const broker = await RealBroker.start({ options: { memorySizeBytesMax: 256 * 1024 } })
    try {
      assertError(await broker.post('/mpub?topic=t', `${'x'.repeat(1000)}\n`.repeat(1000)), 503, 'MEMORY_FULL')
      assertOk(await broker.post('/pub?topic=t', 'x'))
    } finally {
      await broker.stop()
    }
  })
})

/** One line for each topic and channel: name, whether it is paused, depth. */
function summaryOf(topics: readonly TopicJson[]): string[] {
  const line = (name: string, { paused, depth }: { paused: boolean; depth: number }): string =>
    `${name}${paused ? ' paused' : ''} ${depth}`
  return topics.flatMap((topic) => [
    line(topic.topic_name, topic),
    ...topic.channels.map((channel) => line(channel.channel_name, channel)),
  ])
}
