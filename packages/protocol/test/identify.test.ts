import assert from 'node:assert/strict'
import { connect, connectConsumer, FakeBroker, type TestClient, withBody } from './support.js'

const DECODE_ERROR = 'E_BAD_BODY IDENTIFY failed to decode JSON body'

async function identify(json: string, client?: TestClient): Promise<{ client: TestClient; reply: string }> {
  const connected = client ?? (await connect())
  await connected.send(withBody('IDENTIFY', Buffer.from(json)))
  const [reply] = connected.take()
  return { client: connected, reply }
}

async function negotiate(fields: object): Promise<Record<string, unknown>> {
  const { reply } = await identify(JSON.stringify({ feature_negotiation: true, ...fields }))
  return JSON.parse(reply)
}

describe('IDENTIFY', () => {
  it('answers OK to who does not negotiate, and applies what it says all the same', async () => {
    const { client, reply } = await identify('{"msg_timeout":5000,"sample_rate":10,"tls_v1":true}')
    assert.equal(reply, 'OK')
    await client.send('SUB t c\n')
    assert.equal(client.subscription.options.msgTimeoutMs, 5000)
    assert.equal(client.subscription.options.sampleRate, 10)
  })

  it('answers with everything that was agreed on, in the order that nsqd has', async () => {
    const { reply } = await identify('{"feature_negotiation":true}')
    assert.equal(
      reply,
      '{"max_rdy_count":2500,"version":"1.3.0","max_msg_timeout":900000,"msg_timeout":60000,"tls_v1":false,' +
        '"deflate":false,"deflate_level":6,"max_deflate_level":6,"snappy":false,"sample_rate":0,"auth_required":false,' +
        '"output_buffer_size":16384,"output_buffer_timeout":250,"topology_region":"","topology_zone":""}',
    )
  })

  it('repeats what the client may have and it got', async () => {
    const reply = await negotiate({
      msg_timeout: 1000,
      sample_rate: 99,
      output_buffer_size: 64,
      output_buffer_timeout: 25,
      snappy: true,
      deflate: true,
      deflate_level: 3,
      heartbeat_interval: 60_000,
    })
    assert.equal(reply.msg_timeout, 1000)
    assert.equal(reply.sample_rate, 99)
    assert.equal(reply.output_buffer_size, 64)
    assert.equal(reply.output_buffer_timeout, 25)
    assert.equal(reply.snappy, false)
    assert.equal(reply.deflate, false)
    assert.equal(reply.deflate_level, 6)
  })

  it('takes -1 for no buffer and for no timeout', async () => {
    const unbuffered = await negotiate({ output_buffer_size: -1, output_buffer_timeout: 1000 })
    assert.deepEqual([unbuffered.output_buffer_size, unbuffered.output_buffer_timeout], [1, 0])
    const untimed = await negotiate({ output_buffer_timeout: -1 })
    assert.deepEqual([untimed.output_buffer_size, untimed.output_buffer_timeout], [16_384, 0])
  })

  for (const [fields, text] of [
    [{ heartbeat_interval: -2 }, 'heartbeat interval (-2)'],
    [{ heartbeat_interval: 999 }, 'heartbeat interval (999)'],
    [{ heartbeat_interval: 60_001 }, 'heartbeat interval (60001)'],
    [{ output_buffer_timeout: 24 }, 'output buffer timeout (24)'],
    [{ output_buffer_timeout: 30_001 }, 'output buffer timeout (30001)'],
    [{ output_buffer_timeout: -2 }, 'output buffer timeout (-2)'],
    [{ output_buffer_size: 63 }, 'output buffer size (63)'],
    [{ output_buffer_size: 65_537 }, 'output buffer size (65537)'],
    [{ output_buffer_size: -2 }, 'output buffer size (-2)'],
    [{ output_buffer_size: 1, output_buffer_timeout: 1 }, 'output buffer timeout (1)'],
    [{ sample_rate: 100 }, 'sample rate (100)'],
    [{ sample_rate: -1 }, 'sample rate (-1)'],
    [{ msg_timeout: 999 }, 'msg timeout (999)'],
    [{ msg_timeout: 900_001 }, 'msg timeout (900001)'],
    [{ msg_timeout: -1, sample_rate: 100 }, 'sample rate (100)'],
  ] as const) {
    it(`refuses ${text}`, async () => {
      const { client, reply } = await identify(JSON.stringify(fields))
      assert.equal(reply, `E_BAD_BODY IDENTIFY ${text} is invalid`)
      assert.ok(client.output.hasEnded)
    })
  }

  for (const json of [
    '',
    ' ',
    '{',
    '{}x',
    '{} {}',
    '[]',
    '[{}]',
    '"x"',
    '1',
    'true',
    'nul',
    '\ufeff{}',
    '{"msg_timeout":2000.0}',
    '{"msg_timeout":2e3}',
    '{"msg_timeout":"2000"}',
    '{"msg_timeout":true}',
    '{"msg_timeout":9223372036854775808}',
    '{"sample_rate":2147483648}',
    '{"client_id":1}',
    '{"client_id":{}}',
    '{"hostname":["x"]}',
    '{"feature_negotiation":1}',
    '{"feature_negotiation":"true"}',
    '{"a":1,}',
    '{a:1}',
    "{'a':1}",
    '{"a":01}',
    '{"a":1.}',
    '{"a":+1}',
    '{"a":.5}',
    '{"a":-}',
    '{"a":[1,2}',
    '{"a":[1,]}',
    '{"a":{"b":}}',
    '{"a":"\n"}',
    '{"a":"\\x"}',
    '{"a":"\\u12g4"}',
    '{"a":tru}',
    '{"a" 1}',
    '{"a":1 "b":2}',
    '{"client_id":1,"client_id":"good"}',
    `{"a":${'['.repeat(10_001)}${']'.repeat(10_001)}}`,
  ]) {
    it(`cannot decode ${JSON.stringify(json.slice(0, 50))}`, async () => {
      const client = await connect()
      await client.send(withBody('IDENTIFY', Buffer.from(json === '' ? '\0' : json)))
      assert.deepEqual(client.take(), [DECODE_ERROR])
    })
  }

  for (const json of [
    'null',
    ' \t\r\n{ } \n',
    '{"short_id":1,"long_id":[{"a":[]},"\\u00e9\\"",-1.5e+10,true,false,null],"x":{}}',
    '{"client_id":null,"msg_timeout":null,"feature_negotiation":null}',
    '{"msg_timeout":-0}',
    `{"a":${'['.repeat(9_000)}1${']'.repeat(9_000)}}`,
  ]) {
    it(`takes ${JSON.stringify(json.slice(0, 50))}`, async () => {
      const { reply } = await identify(json)
      assert.equal(reply, 'OK')
    })
  }

  it('knows its fields in any case; the last one wins, and null leaves it', async () => {
    const { client } = await identify('{"CLIENT_ID":"a","Client_Id":"b","client_id":null,"HoſtName":"\\u0068ost"}')
    assert.equal(client.session.stats().clientId, 'b')
    assert.equal(client.session.stats().hostname, 'host')
  })

  it('may come again, and then counts as a whole', async () => {
    const { client } = await identify('{"heartbeat_interval":1000,"sample_rate":5,"client_id":"first"}')
    await identify('{"heartbeat_interval":2000,"msg_timeout":7000}', client)
    assert.equal(client.session.stats().clientId, '')
    await client.clock.advanceAsync(1_999)
    assert.deepEqual(client.take(), [])
    await client.clock.advanceAsync(1)
    assert.deepEqual(client.take(), ['_heartbeat_'])
    await client.send('SUB t c\n')
    assert.equal(client.subscription.options.sampleRate, 0)
    assert.equal(client.subscription.options.msgTimeoutMs, 7000)
  })

  it('asks for AUTH where that is needed', async () => {
    const broker = new FakeBroker()
    broker.authenticator = { authenticate: () => Promise.resolve(null), close: () => Promise.resolve() }
    const { reply } = await identify('{"feature_negotiation":true}', await connect(broker))
    assert.equal(JSON.parse(reply).auth_required, true)
  })
})

describe('upgrades of the stream', () => {
  const UPGRADES = { tls: true, snappy: true, deflate: true }

  it('come after the reply, in order, with an OK each', async () => {
    const client = await connect(new FakeBroker({ deflateLevelMax: 4 }))
    client.output.upgrades = UPGRADES
    await client.send(
      withBody('IDENTIFY', '{"feature_negotiation":true,"tls_v1":true,"deflate":true,"deflate_level":9}'),
    )
    const [reply, ...rest] = client.take()
    assert.deepEqual(JSON.parse(reply).deflate_level, 4)
    assert.deepEqual(rest, ['<tls>', 'OK', '<deflate>', 'OK'])
    assert.deepEqual(client.output.upgraded, [
      { kind: 'tls', level: 0 },
      { kind: 'deflate', level: 4 },
    ])
    await client.send('SUB t c\n')
    assert.deepEqual(client.take(), ['OK'])
  })

  it('throw away what was sent before them: nobody may slip commands in front of the protection', async () => {
    const client = await connect()
    client.output.upgrades = UPGRADES
    await client.send(withBody('IDENTIFY', '{"feature_negotiation":true,"tls_v1":true}'), withBody('PUB t', 'injected'))
    assert.deepEqual(client.take().slice(1), ['<tls>', 'OK'])
    assert.equal(client.broker.publishes.length, 0)
  })

  it('are not begun for a client that does not negotiate', async () => {
    const client = await connect()
    client.output.upgrades = UPGRADES
    await client.send(withBody('IDENTIFY', '{"tls_v1":true,"snappy":true,"deflate":true}'))
    assert.deepEqual(client.take(), ['OK'])
    assert.deepEqual(client.output.upgraded, [])
  })

  it('wait for the replies to what was asked before', async () => {
    const broker = new FakeBroker()
    broker.succeedsAtOnce = false
    const client = await connect(broker)
    client.output.upgrades = UPGRADES
    await client.send(withBody('PUB t', 'x'), withBody('IDENTIFY', '{"feature_negotiation":true,"snappy":true}'))
    assert.deepEqual(client.take(), [])
    broker.publishes[0].succeed()
    await client.clock.settle()
    const frames = client.take()
    assert.equal(frames[0], 'OK')
    assert.deepEqual(frames.slice(2), ['<snappy>', 'OK'])
  })

  it('cannot be snappy and deflate', async () => {
    const client = await connect()
    client.output.upgrades = UPGRADES
    await client.send(withBody('IDENTIFY', '{"feature_negotiation":true,"snappy":true,"deflate":true}'))
    assert.deepEqual(client.take(), ['E_IDENTIFY_FAILED cannot enable both deflate and snappy compression'])
  })

  it('that fail end the connection with the reason', async () => {
    const client = await connect()
    client.output.upgrades = UPGRADES
    client.output.upgradeError = new Error('i/o timeout')
    await client.send(withBody('IDENTIFY', '{"feature_negotiation":true,"tls_v1":true}'))
    assert.deepEqual(client.take().slice(1), ['E_IDENTIFY_FAILED IDENTIFY failed i/o timeout'])
    assert.ok(client.output.hasEnded)
  })

  it('are not begun for a consumer: IDENTIFY comes before SUB', async () => {
    const client = await connectConsumer()
    client.output.upgrades = UPGRADES
    await client.send(withBody('IDENTIFY', '{"feature_negotiation":true,"tls_v1":true}'))
    assert.deepEqual(client.take(), ['E_INVALID cannot IDENTIFY in current state'])
  })
})
