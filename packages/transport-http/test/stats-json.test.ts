import assert from 'node:assert/strict'
import { assertError } from './support/assert-answer.js'
import { BUSY, channelStats, clientStats, topicStats } from './support/sample-stats.js'
import { TestTransport } from './support/start-transport.js'

const START = '{"version":"1.3.0","health":"OK","start_time":1767323045'
const NO_LATENCY = '"e2e_processing_latency":{"count":0,"percentiles":null}'
const NO_TLS =
  '"tls":false,"tls_cipher_suite":"","tls_version":"","tls_negotiated_protocol":"","tls_negotiated_protocol_is_mutual":false'

/** The sample client, up to where clients differ. */
function clientJson(clientId: string, hostname: string, state: number, rest = ''): string {
  return (
    `{"client_id":"${clientId}","hostname":"${hostname}","version":"V2","remote_address":"10.0.0.9:36352"` +
    `,"state":${state},"ready_count":5,"in_flight_count":1,"message_count":4,"finish_count":2,"requeue_count":1` +
    ',"connect_ts":1767322980,"sample_rate":0,"deflate":false,"snappy":false,"user_agent":"ua/1"' +
    `,"topology_zone":"","topology_region":""${rest},${NO_TLS}}`
  )
}

describe('GET /stats?format=json', () => {
  let http: TestTransport

  beforeEach(async () => {
    http = await TestTransport.start()
  })

  afterEach(() => http.stop())

  const get = async (query = ''): Promise<string> => {
    const answer = await http.get(`/stats?format=json&include_mem=false${query}`)
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
    assert.equal(answer.headers['x-nsq-content-type'], 'nsq; version=1.0')
    assert.equal(Number(answer.headers['content-length']), Buffer.byteLength(answer.text))
    return answer.text
  }

  it('has an empty list of topics and no producers on an idle node', async () => {
    assert.equal(await get(), `${START},"topics":[],"producers":null}`)
    assert.deepEqual(http.broker.statsFilter, { includeClients: true })
  })

  it('has everything in the order of fields that nsqd has', async () => {
    http.broker.statsResult = BUSY
    const channel =
      '"depth":3,"backend_depth":2,"in_flight_count":1,"deferred_count":4,"message_count":12,"requeue_count":5' +
      ',"timeout_count":6,"client_count":1,"clients":'
    assert.equal(
      await get(),
      `${START},"topics":[` +
        `{"topic_name":"a","channels":[],"depth":0,"backend_depth":0,"message_count":0,"message_bytes":0,"paused":true,${NO_LATENCY}},` +
        '{"topic_name":"t","channels":[' +
        `{"channel_name":"ch",${channel}[${clientJson('worker', 'worker.test', 3)}],"paused":false,${NO_LATENCY}},` +
        `{"channel_name":"paused",${channel}[${clientJson('worker', 'worker.test', 3, ',"pub_counts":[{"topic":"t","count":7}]')}],"paused":true,${NO_LATENCY}}` +
        `],"depth":7,"backend_depth":1,"message_count":19,"message_bytes":190,"paused":false,${NO_LATENCY}}` +
        `],"producers":[${clientJson(
          'maker',
          'a-rather-long-host.test',
          0,
          ',"pub_counts":[{"topic":"t","count":7},{"topic":"b","count":1}]',
        )}]}`,
    )
  })

  it('says what a client has negotiated, and who it is', async () => {
    const consumer = clientStats({
      sampleRate: 10,
      deflate: true,
      snappy: true,
      tls: { version: 'TLS1.3', cipherSuite: 'Unknown 4865', negotiatedProtocol: '' },
      authed: true,
      authIdentity: 'ada',
      authIdentityUrl: 'http://ada.test',
      topologyZone: 'zone',
      topologyRegion: 'region',
    })
    http.broker.statsResult = {
      topics: [topicStats({ channels: [channelStats({ clientCount: 1, clients: [consumer] })] })],
      producers: [],
    }
    const text = await get()
    assert.ok(
      text.includes(
        '"sample_rate":10,"deflate":true,"snappy":true,"user_agent":"ua/1","authed":true,"auth_identity":"ada"' +
          ',"auth_identity_url":"http://ada.test","topology_zone":"zone","topology_region":"region","tls":true' +
          ',"tls_cipher_suite":"Unknown 4865","tls_version":"TLS1.3","tls_negotiated_protocol":"","tls_negotiated_protocol_is_mutual":true',
      ),
      text,
    )
  })

  it('tells a topic that does not exist from one that lacks the channel', async () => {
    http.broker.openTopic('t')
    assert.equal(await get('&topic=nobody'), `${START},"topics":null,"producers":null}`)
    assert.deepEqual(http.broker.statsFilter, { includeClients: true, topic: 'nobody' })
    assert.equal(await get('&topic=t&channel=nobody'), `${START},"topics":[],"producers":null}`)
    assert.deepEqual(http.broker.statsFilter, { includeClients: true, topic: 't', channel: 'nobody' })
  })

  it('counts deliveries as global ones, and leaves out a zero', async () => {
    http.broker.statsResult = {
      topics: [topicStats({ channels: [channelStats({ deliveryCount: 7 })] })],
      producers: [],
    }
    assert.match(await get(), /"message_count":12,"global_msg_count":7,"requeue_count":5/)
  })

  it('counts what was dropped for want of memory, and leaves out a zero', async () => {
    http.broker.statsResult = { topics: [topicStats({ name: 'a' }), topicStats({ droppedCount: 7 })], producers: [] }
    const { topics } = JSON.parse(await get())
    assert.deepEqual(
      topics.map((topic: object) => ('dropped_count' in topic ? topic.dropped_count : 'left out')),
      ['left out', 7],
    )
  })

  it('takes an empty topic and channel for none', async () => {
    assert.equal(await get('&topic=&channel='), `${START},"topics":[],"producers":null}`)
    assert.deepEqual(http.broker.statsFilter, { includeClients: true })
  })

  it('with a topic, shows of each producer only what it published there', async () => {
    http.broker.openTopic('b')
    http.broker.openTopic('other')
    http.broker.statsResult = { ...BUSY, topics: [] }
    assert.match(await get('&topic=b'), /"pub_counts":\[\{"topic":"b","count":1\}\]/)
    const text = await get('&topic=other')
    assert.match(text, /"producers":\[\{"client_id":"maker"/)
    assert.doesNotMatch(text, /pub_counts/)
  })

  for (const [value, includes] of [
    ['true', true],
    ['1', true],
    ['false', false],
    ['0', false],
    ['', true],
    ['FALSE', true],
  ] as const) {
    it(`include_clients=${value} and include_mem=${value} mean ${includes}`, async () => {
      http.broker.statsResult = {
        topics: [topicStats({ channels: [channelStats({ clientCount: 2 })] })],
        producers: [],
      }
      const { text } = await http.get(`/stats?format=json&include_clients=${value}&include_mem=${value}`)
      assert.equal(http.broker.statsFilter?.includeClients, includes)
      assert.match(text, includes ? /"client_count":2,"clients":\[\]/ : /"client_count":2,"clients":null/)
      assert.equal(text.includes('"memory":'), includes)
    })
  }

  it('describes the memory of the process in the terms of Go', async () => {
    const { memory } = JSON.parse((await http.get('/stats?format=json')).text) as { memory: Record<string, number> }
    assert.deepEqual(Object.keys(memory), [
      'heap_objects',
      'heap_idle_bytes',
      'heap_in_use_bytes',
      'heap_released_bytes',
      'gc_pause_usec_100',
      'gc_pause_usec_99',
      'gc_pause_usec_95',
      'next_gc_bytes',
      'gc_total_runs',
    ])
    assert.ok(
      Object.values(memory).every((value) => Number.isInteger(value) && value >= 0),
      JSON.stringify(memory),
    )
    assert.ok(memory.heap_in_use_bytes > 1024 * 1024)
  })

  it('escapes what Go escapes', async () => {
    http.broker.health = 'a <b> & "c" \u2028\n'
    assert.match(await get(), /"health":"a \\u003cb\\u003e \\u0026 \\"c\\" \\u2028\\n"/)
  })

  it('refuses a bad query', async () => {
    assertError(await http.get('/stats?format=json;topic=t'), 400, 'INVALID_REQUEST')
    assertError(await http.get('/stats?format=json&topic=%f'), 400, 'INVALID_REQUEST')
  })

  it('writes a long answer over several turns', async () => {
    const clients = Array.from({ length: 1000 }, (_, index) => clientStats({ clientId: `worker-${index}` }))
    http.broker.statsResult = { topics: [topicStats({ channels: [channelStats({ clients })] })], producers: [] }
    const answer = get()
    let turns = 0
    const stepping = setInterval(() => {
      http.broker.clock.advance(0)
      turns++
    }, 1)
    try {
      const { topics } = JSON.parse(await answer)
      assert.equal(topics[0].channels[0].clients.length, 1000)
      assert.ok(turns >= 3, `${turns} turns`)
    } finally {
      clearInterval(stepping)
    }
  })
})
