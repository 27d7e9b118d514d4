import assert from 'node:assert/strict'
import { toGoDuration } from '../src/stats/go-duration.js'
import { BUSY } from './support/sample-stats.js'
import { TestTransport } from './support/start-transport.js'

describe('GET /stats as text', () => {
  let http: TestTransport

  beforeEach(async () => {
    http = await TestTransport.start()
  })

  afterEach(() => http.stop())

  const get = async (query: string): Promise<string> => {
    const answer = await http.get(`/stats?${query}`)
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8')
    assert.equal(answer.headers['x-nsq-content-type'], 'nsq; version=1.0')
    return answer.text.replace(/\(built w\/node[0-9.]+\)/, '(built)').replace(/uptime .*/, 'uptime')
  }

  it('says so when there is nothing', async () => {
    assert.equal(
      await get('include_mem=0'),
      'nsqd v1.3.0 (built)\nstart_time 2026-01-02T03:04:05Z\nuptime\n\nHealth: OK\n\nTopics: None\n\nProducers: None\n',
    )
  })

  for (const format of ['text', 'JSON', '']) {
    it(`is what format=${format} gives`, async () => {
      assert.match(await get(`format=${format}`), /^nsqd v1.3.0/)
    })
  }

  it('lines everything up as nsqd does', async () => {
    http.broker.statsResult = BUSY
    http.broker.clock.advance(1_000)
    assert.equal(
      (await get('include_mem=false')).split('Health: OK\n')[1],
      [
        '',
        'Topics:',
        '*P [a              ] depth: 0     be-depth: 0     msgs: 0        e2e%: ',
        '',
        '   [t              ] depth: 7     be-depth: 1     msgs: 19       e2e%: ',
        '      [ch                       ] depth: 3     be-depth: 2     inflt: 1    def: 4    re-q: 5     timeout: 6     msgs: 12       e2e%: ',
        '        [V2 worker.test:36352 ua/1] state: 3 inflt: 1    rdy: 5    fin: 2        re-q: 1        msgs: 4        connected: 1m5s',
        '   *P [paused                   ] depth: 3     be-depth: 2     inflt: 1    def: 4    re-q: 5     timeout: 6     msgs: 12       e2e%: ',
        '        [V2 worker.test:36352 ua/1] msgs: 7        topics: t=7 connected: 1m5s',
        '',
        'Producers:',
        '   [V2 a-rather-long-host.test:36352 ua/1] msgs: 8        topics: t=7,b=1 connected: 1m5s',
        '',
      ].join('\n'),
    )
  })

  it('lists the memory of the process in nine lines', async () => {
    const memory = /\nMemory:\n((?: {3}[a-z0-9_ ]{25}\t\d+\n)+)\nTopics/.exec(await get(''))
    assert.equal(memory?.[1].trimEnd().split('\n').length, 9)
  })
})

describe('a duration as Go prints it', () => {
  const cases: readonly (readonly [ms: number, text: string])[] = [
    [0, '0s'],
    [0.0005, '500ns'],
    [0.0015, '1.5µs'],
    [969.09314, '969.09314ms'],
    [1000, '1s'],
    [37_041.733313, '37.041733313s'],
    [60_000, '1m0s'],
    [3_723_500, '1h2m3.5s'],
    [90_000_000, '25h0m0s'],
  ]
  for (const [ms, text] of cases) {
    it(`${ms} ms is ${text}`, () => {
      assert.equal(toGoDuration(ms), text)
    })
  }
})
