import assert from 'node:assert/strict'
import { SharedWork } from '../src/shared-work.js'
import { topicStats } from './support/sample-stats.js'
import { TestTransport } from './support/start-transport.js'

describe('work that is shared', () => {
  it('is done for one at a time; who comes meanwhile gets the next, which begins later', async () => {
    const ends: (() => void)[] = []
    const work = new SharedWork(() => {
      const count = ends.length + 1
      return new Promise<number>((resolve) => ends.push(() => resolve(count)))
    })
    const first = work.run()
    const meanwhile = [work.run(), work.run(), work.run()]
    assert.equal(ends.length, 1)
    ends[0]()
    assert.equal(await first, 1)
    await Promise.resolve()
    assert.equal(ends.length, 2)
    ends[1]()
    assert.deepEqual(await Promise.all(meanwhile), [2, 2, 2])
    assert.ok(work.isIdle)
  })

  it('is done again after it failed', async () => {
    let count = 0
    const work = new SharedWork(async () => {
      if (count++ === 0) throw new Error('not yet')
      return count
    })
    const outcomes = await Promise.allSettled([work.run(), work.run()])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    )
  })

  for (const path of ['/metrics', '/stats', '/stats?format=json']) {
    it(`is what ${path} costs: many who ask at once cost two`, async () => {
      const http = await TestTransport.start()
      const topics = Array.from({ length: 4_000 }, (_, index) => topicStats({ name: `a-topic-with-a-name-${index}` }))
      let count = 0
      http.broker.stats = () => {
        count++
        return { topics, producers: [] }
      }
      const request = `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`
      const client = http.connect().send(`${request.repeat(5)}GET /ping HTTP/1.1\r\nHost: x\r\n\r\n`)
      while (!client.received.endsWith('OK')) {
        http.broker.clock.runTurn()
        await new Promise((resolve) => setImmediate(resolve))
      }
      const answers = client.received.split('HTTP/1.1 200 OK\r\n').slice(1, -1)
      const sizes = answers.map((answer) => Number(/Content-Length: (\d+)/i.exec(answer)?.[1]))
      assert.deepEqual(
        answers.map((answer) => answer.length - answer.indexOf('\r\n\r\n') - 4),
        sizes,
      )
      assert.equal(answers.length, 5)
      assert.ok(sizes[0] > 128 * 1024)
      assert.equal(count, 2)
      await http.stop()
    })
  }
})
