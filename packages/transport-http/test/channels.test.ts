import assert from 'node:assert/strict'
import { assertEmpty, assertError } from './support/assert-answer.js'
import { TestTransport } from './support/start-transport.js'

describe('POST /channel/*', () => {
  let http: TestTransport

  beforeEach(async () => {
    http = await TestTransport.start()
    http.broker.openTopic('t')
  })

  afterEach(() => http.stop())

  it('creates a channel of a topic that exists, as often as asked', async () => {
    assertEmpty(await http.post('/channel/create?topic=t&channel=c%23ephemeral'))
    assertEmpty(await http.post('/channel/create?topic=t&channel=c%23ephemeral'))
    assert.deepEqual([...(http.broker.topics.get('t')?.channels.keys() ?? [])], ['c#ephemeral'])
  })

  it('pauses, unpauses, empties and deletes it', async () => {
    const channel = await http.broker.openTopic('t').openChannel('c')
    assertEmpty(await http.post('/channel/pause?topic=t&channel=c'))
    assert.equal(channel.paused, true)
    assertEmpty(await http.post('/channel/unpause?topic=t&channel=c'))
    assert.equal(channel.paused, false)
    assertEmpty(await http.post('/channel/empty?topic=t&channel=c'))
    assertEmpty(await http.post('/channel/delete?topic=t&channel=c'))
    assert.deepEqual(channel.calls, ['pause', 'unpause', 'empty', 'delete'])
    assertError(await http.post('/channel/delete?topic=t&channel=c'), 404, 'CHANNEL_NOT_FOUND')
  })

  for (const action of ['create', 'delete', 'empty', 'pause', 'unpause']) {
    const path = `/channel/${action}`
    it(`${action}: checks query, topic, channel, then whether they exist`, async () => {
      assertError(await http.post(`${path}?topic=$&channel=%`), 400, 'INVALID_REQUEST')
      assertError(await http.post(`${path}?topic=t;channel=c`), 400, 'INVALID_REQUEST')
      assertError(await http.post(`${path}?channel=$`), 400, 'MISSING_ARG_TOPIC')
      assertError(await http.post(`${path}?topic=`), 400, 'INVALID_ARG_TOPIC')
      assertError(await http.post(`${path}?topic=$`), 400, 'INVALID_ARG_TOPIC')
      assertError(await http.post(`${path}?topic=nobody`), 400, 'MISSING_ARG_CHANNEL')
      assertError(await http.post(`${path}?topic=nobody&channel=`), 400, 'INVALID_ARG_CHANNEL')
      assertError(await http.post(`${path}?topic=nobody&channel=$`), 400, 'INVALID_ARG_CHANNEL')
      assertError(await http.post(`${path}?topic=nobody&channel=c`), 404, 'TOPIC_NOT_FOUND')
      assert.deepEqual([...http.broker.topics.keys()], ['t'])
    })
  }

  for (const action of ['delete', 'empty', 'pause', 'unpause']) {
    it(`${action}: does not find a channel that is not there`, async () => {
      assertError(await http.post(`/channel/${action}?topic=t&channel=c`), 404, 'CHANNEL_NOT_FOUND')
    })

    it(`${action}: answers 500 when it fails`, async () => {
      await http.broker.openTopic('t').openChannel('c')
      http.broker.fault = new Error('disk on fire')
      assertError(await http.post(`/channel/${action}?topic=t&channel=c`), 500, 'INTERNAL_ERROR')
    })
  }
})
