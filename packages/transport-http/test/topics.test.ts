import assert from 'node:assert/strict'
import { BrokerError } from '@spillway/core'
import { assertEmpty, assertError } from './support/assert-answer.js'
import { TestTransport } from './support/start-transport.js'

describe('POST /topic/*', () => {
  let http: TestTransport

  beforeEach(async () => {
    http = await TestTransport.start()
  })

  afterEach(() => http.stop())

  it('creates a topic and answers once it is durable, as often as asked', async () => {
    assertEmpty(await http.post('/topic/create?topic=t'))
    assertEmpty(await http.post('/topic/create?topic=t'))
    assert.deepEqual(http.broker.topics.get('t')?.calls, ['whenDurable', 'whenDurable'])
  })

  it('pauses, unpauses, empties and deletes it', async () => {
    const topic = http.broker.openTopic('t')
    assertEmpty(await http.post('/topic/pause?topic=t'))
    assert.equal(topic.paused, true)
    assertEmpty(await http.post('/topic/unpause?topic=t'))
    assert.equal(topic.paused, false)
    assertEmpty(await http.post('/topic/empty?topic=t'))
    assertEmpty(await http.post('/topic/delete?topic=t'))
    assert.deepEqual(topic.calls, ['pause', 'unpause', 'empty', 'delete'])
    assertError(await http.post('/topic/delete?topic=t'), 404, 'TOPIC_NOT_FOUND')
  })

  for (const action of ['create', 'delete', 'empty', 'pause', 'unpause']) {
    it(`${action}: refuses a request without topic, and a bad query`, async () => {
      assertError(await http.post(`/topic/${action}`), 400, 'MISSING_ARG_TOPIC')
      assertError(await http.post(`/topic/${action}?channel=c`), 400, 'MISSING_ARG_TOPIC')
      assertError(await http.post(`/topic/${action}?topic=%`), 400, 'INVALID_REQUEST')
      assertError(await http.post(`/topic/${action}?topic=t;x=y`), 400, 'INVALID_REQUEST')
    })
  }

  for (const action of ['create', 'empty']) {
    it(`${action}: looks at the name`, async () => {
      assertError(await http.post(`/topic/${action}?topic=no%20name`), 400, 'INVALID_TOPIC')
      assertError(await http.post(`/topic/${action}?topic=`), 400, 'INVALID_TOPIC')
    })
  }

  for (const action of ['delete', 'pause', 'unpause']) {
    it(`${action}: does not look at the name`, async () => {
      assertError(await http.post(`/topic/${action}?topic=no%20name`), 404, 'TOPIC_NOT_FOUND')
      assertError(await http.post(`/topic/${action}?topic=`), 404, 'TOPIC_NOT_FOUND')
    })
  }

  for (const action of ['delete', 'empty', 'pause', 'unpause']) {
    it(`${action}: does not find a topic that is not there, and does not make it`, async () => {
      assertError(await http.post(`/topic/${action}?topic=nobody`), 404, 'TOPIC_NOT_FOUND')
      assert.equal(http.broker.topics.size, 0)
    })

    it(`${action}: answers 500 when it fails, and logs why`, async () => {
      http.broker.openTopic('t')
      http.broker.fault = new BrokerError('E_STORAGE_IO', 'disk on fire')
      assertError(await http.post(`/topic/${action}?topic=t`), 500, 'INTERNAL_ERROR')
      const [line] = http.broker.logger.lines
      assert.equal(line.message, `HTTP POST /topic/${action} failed`)
      assert.match(String(line.fields.error), /disk on fire/)
    })
  }

  it('does not wait for a body that comes with the request', async () => {
    const client = http.connect()
    client.send('POST /topic/create?topic=t HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf')
    await client.until(/200 OK/)
    client.send('_body!GET /ping HTTP/1.1\r\nHost: test\r\n\r\n')
    await client.until(/OK$/)
  })
})
