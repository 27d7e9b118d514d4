import assert from 'node:assert/strict'
import { Destinations } from '../../../src/tools/destinations/destinations.js'
import { RoundRobin } from '../../../src/tools/destinations/round-robin.js'
import { JsonFilter } from '../../../src/tools/nsq-to-nsq/json-filter.js'
import { Relay, type RelayProducer } from '../../../src/tools/nsq-to-nsq/relay.js'

function relayTo(producer: RelayProducer, requiredField = '', requiredValue = '') {
  const dropped: string[] = []
  const relay = new Relay({
    filter: new JsonFilter({ requiredField, requiredValue, fields: [] }),
    destinations: new Destinations(
      ['d:1'],
      new RoundRobin(1),
      () => 0,
      0,
      () => {},
    ),
    producers: [producer],
    dropped: (reason) => dropped.push(reason),
  })
  const pass = (body: string) => relay.pass({ id: '0123456789abcdef', body: Buffer.from(body) }, 't')
  return { relay, pass, dropped }
}

describe('nsq_to_nsq passes a message on', () => {
  it('and is done with it once the destination has acknowledged it, not before', async () => {
    let acknowledge = (): void => {}
    const published: string[] = []
    const { relay, pass } = relayTo({
      publish: (topic, body) => {
        published.push(`${topic} ${body}`)
        return new Promise((resolve) => {
          acknowledge = resolve
        })
      },
    })
    let isDone = false
    const passed = pass('x')?.then(() => {
      isDone = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual([published, isDone, relay.publishedCount], [['t x'], false, 0])
    acknowledge()
    await passed
    assert.deepEqual([isDone, relay.publishedCount], [true, 1])
  })

  it('or rejects, so that it comes again', async () => {
    const { relay, pass } = relayTo({ publish: () => Promise.reject(new Error('E_CONNECT gone')) })
    await assert.rejects(pass('x') as Promise<void>, { message: 'd:1: E_CONNECT gone' })
    assert.equal(relay.publishedCount, 0)
  })

  it('or drops it, and says so', () => {
    const { pass, dropped } = relayTo({ publish: () => assert.fail('published') }, 'a')
    assert.equal(pass('no JSON'), undefined)
    assert.deepEqual(dropped, ['message 0123456789abcdef is dropped: it is no JSON object'])
  })

  it('or refuses it, when the field is missing whose value is to be checked', () => {
    const { pass } = relayTo({ publish: () => assert.fail('published') }, 'a', '1')
    assert.throws(() => pass('{}'), { message: 'it has no field "a"' })
  })
})
