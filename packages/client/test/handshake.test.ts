import assert from 'node:assert/strict'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { type NsqError, Producer, type ProducerOptions, VERSION } from '../src/index.js'
import { FakeClock } from './support/fake-clock.js'
import { frame } from './support/frames.js'
import { type NodeScript, ScriptedNode } from './support/scripted-node.js'

describe('handshake', () => {
  let clock: FakeClock
  let node: ScriptedNode
  let producer: Producer

  beforeEach(() => {
    clock = new FakeClock()
  })
  afterEach(async () => {
    const closed = producer.close()
    await node.stop()
    clock.advance(60_000)
    await closed
  })

  async function start(script: NodeScript, options: Partial<ProducerOptions> = {}): Promise<void> {
    node = await ScriptedNode.start(script)
    producer = new Producer({ address: node.address, ...options }, { clock, random: () => 0 })
    producer.ping().catch(() => undefined)
  }

  async function failure(): Promise<NsqError> {
    const [{ error }] = await once(producer, 'connectFailed')
    return error
  }

  it('tells the node who it is and what it wants', async () => {
    await start(
      { identify: null },
      {
        clientId: 'me',
        heartbeatIntervalMs: 5_000,
        outputBufferSizeBytes: -1,
        outputBufferTimeoutMs: 25,
        topologyZone: 'z',
      },
    )
    const connection = await node.connection()
    const { name, body } = await connection.next()
    assert.equal(name, 'IDENTIFY')
    assert.deepEqual(JSON.parse(body.toString()), {
      client_id: 'me',
      hostname: hostname(),
      user_agent: `spillway-client/${VERSION}`,
      feature_negotiation: true,
      heartbeat_interval: 5_000,
      tls_v1: false,
      deflate: false,
      deflate_level: 6,
      snappy: false,
      output_buffer_size: -1,
      output_buffer_timeout: 25,
      msg_timeout: 0,
      sample_rate: 0,
      topology_region: '',
      topology_zone: 'z',
    })
    connection.reply('{}')
    await once(producer, 'connected')
  })

  it('talks to a node that does not negotiate', async () => {
    await start({ identify: null })
    const connection = await node.connection()
    await connection.next()
    connection.reply('OK')
    const [{ node: info }] = await once(producer, 'connected')
    assert.equal(info.maxRdyCount, 2_500)
  })

  it('does not mind a heartbeat in between, nor the reply byte by byte', async () => {
    await start({ identify: null })
    const connection = await node.connection()
    await connection.next()
    connection.heartbeat()
    for (const byte of frame(0, '{"version":"1.3.0"}')) connection.raw(Buffer.from([byte]))
    const [{ node: info }] = await once(producer, 'connected')
    assert.equal(info.version, '1.3.0')
  })

  it('sends AUTH when the node asks for it', async () => {
    await start({ identify: { auth_required: true } }, { authSecret: 'open sesame' })
    const connection = await node.connection()
    const { name, body } = await connection.next()
    assert.deepEqual([name, body.toString()], ['AUTH', 'open sesame'])
    connection.reply('{"identity":"ali","permission_count":1}')
    await once(producer, 'connected')
  })

  it('does not send AUTH to a node that does not ask for it', async () => {
    await start({}, { authSecret: 'open sesame' })
    const connection = await node.connection()
    await once(producer, 'connected')
    void producer.publish('t', 'x')
    assert.deepEqual(await connection.texts(1), ['PUB t x'])
    connection.ok()
  })

  it('fails, and says how to help it, when the node asks for AUTH and there is no secret', async () => {
    await start({ identify: { auth_required: true } })
    const { code, message } = await failure()
    assert.equal(code, 'E_AUTH_FIRST')
    assert.match(message, /set `authSecret`/)
  })

  it('fails with what the node answers', async () => {
    await start({ identify: { auth_required: true } }, { authSecret: 'wrong' })
    const connection = await node.connection()
    await connection.next()
    connection.error('E_UNAUTHORIZED AUTH no authorizations found')
    const { code, message } = await failure()
    assert.equal(code, 'E_UNAUTHORIZED')
    assert.ok(message.includes('no authorizations found') && message.includes(node.address))
  })

  it('fails rather than to go on unencrypted', async () => {
    await start({ identify: { tls_v1: false } }, { tls: true })
    const { code, message } = await failure()
    assert.equal(code, 'E_CONNECT')
    assert.match(message, /does not offer TLS/)
  })

  it('goes on uncompressed when the node does not compress', async () => {
    await start({ identify: { snappy: false } }, { compression: 'snappy' })
    await once(producer, 'connected')
  })

  const broken: [string, string, RegExp][] = [
    ['broken JSON', '{"max_rdy', /no JSON/],
    ['an end', '', /has closed the connection/],
  ]
  for (const [what, reply, expected] of broken) {
    it(`fails after ${what}`, async () => {
      await start({ identify: null })
      const connection = await node.connection()
      await connection.next()
      if (reply === '') connection.end()
      else connection.reply(reply)
      assert.match((await failure()).message, expected)
    })
  }

  it('fails when a codec is not confirmed', async () => {
    await start({ identify: { deflate: true } }, { compression: 'deflate' })
    const connection = await node.connection()
    connection.raw(Buffer.from('not deflated at all'))
    assert.match((await failure()).code, /E_PROTOCOL|E_CONNECT/)
  })

  it('fails when the node does not answer in time', async () => {
    await start({ identify: null }, { connectTimeoutMs: 700 })
    await (await node.connection()).next()
    clock.advance(700)
    const { code, message } = await failure()
    assert.equal(code, 'E_CONNECT')
    assert.match(message, /within 700 ms/)
  })

  it('says that it has found an HTTP port', async () => {
    await start({ identify: null })
    const connection = await node.connection()
    connection.raw(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const { code, message } = await failure()
    assert.equal(code, 'E_PROTOCOL')
    assert.match(message, /HTTP port/)
  })
})
