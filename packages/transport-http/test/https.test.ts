import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, type AgentOptions, request } from 'node:https'
import { connect } from 'node:net'
import { type KeyPair, makeAuthority, makeCertificate, TestFiles } from '@spillway/tls/testing'
import plugin, { type HttpTransport } from '../src/index.js'
import { FakeBroker } from './support/fake-broker.js'
import { TestTransport, transportOptions } from './support/start-transport.js'

const files = new TestFiles()
const transports: { stop(): Promise<void> }[] = []
let reloads: (() => void | Promise<void>)[] = []
let authority: KeyPair
let broker: FakeBroker

before(async () => {
  authority = await makeAuthority('authority')
  const { cert, key } = await makeCertificate('first')
  await files.write('cert.pem', cert)
  await files.write('key.pem', key)
})

after(() => files.remove())

beforeEach(() => {
  broker = new FakeBroker()
  reloads = []
})

afterEach(async () => {
  for (const transport of transports.splice(0)) await transport.stop()
})

/** Made as the loader makes it. */
async function startHttps(clientAuthPolicy: 'none' | 'require' | 'require-verify' = 'none'): Promise<HttpTransport> {
  const certPath = await files.write('cert.pem', (await makeCertificate('first')).cert)
  const folder = certPath.slice(0, -'/cert.pem'.length)
  const { cert, key } = await makeCertificate('first')
  await files.write('cert.pem', cert)
  await files.write('key.pem', key)
  await files.write('ca.pem', authority.cert)
  const tls = {
    certPath: 'cert.pem',
    keyPath: 'key.pem',
    rootCaPath: 'ca.pem',
    clientAuthPolicy,
    versionMin: 'TLS1.2',
  } as const
  const context = {
    clock: broker.clock,
    random: broker.random,
    logger: broker.logger,
    dataPath: folder,
    configPath: folder,
    memorySizeBytesMax: null,
    onReload: (reload: () => void | Promise<void>) => void reloads.push(reload),
  }
  const transport = plugin.create({ ...transportOptions(), tls }, context) as HttpTransport
  await transport.start(broker)
  broker.addresses = [...broker.addresses, ...transport.addresses]
  transports.push(transport)
  return transport
}

interface Answer {
  readonly status: number
  readonly text: string
  /** Common name of the server's certificate. */
  readonly server: string
}

function ask(transport: HttpTransport, path: string, body = '', options: AgentOptions = {}): Promise<Answer> {
  const { port } = transport.addresses[0]
  const agent = options instanceof Agent ? options : new Agent({ rejectUnauthorized: false, ...options })
  return new Promise((resolve, reject) => {
    const method = body === '' ? 'GET' : 'POST'
    const sent = request({ host: '127.0.0.1', port, path, method, agent }, (response) => {
      const socket = response.socket as import('node:tls').TLSSocket
      const server = String(socket.getPeerCertificate().subject?.CN)
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text, server }))
    })
    sent.once('error', reject)
    sent.end(body)
  })
}

describe('an HTTPS listener', () => {
  it('answers as the plain one does, and says that it is one', async () => {
    const transport = await startHttps()
    assert.equal(transport.addresses[0].protocol, 'https')
    assert.deepEqual(await ask(transport, '/ping'), { status: 200, text: 'OK', server: 'first' })
    assert.deepEqual(await ask(transport, '/pub?topic=t', 'hello'), { status: 200, text: 'OK', server: 'first' })
    assert.equal((await ask(transport, '/nothing')).status, 404)
  })

  it('keeps connections for the next request, and drains them', async () => {
    const transport = await startHttps()
    const agent = new Agent({ rejectUnauthorized: false, keepAlive: true, maxSockets: 1 })
    for (let count = 0; count < 3; count++)
      assert.equal((await ask(transport, '/ping', '', agent as AgentOptions)).status, 200)
    await transport.drain(2_000)
    await assert.rejects(ask(transport, '/ping', '', agent as AgentOptions))
    agent.destroy()
  })

  it('takes any client certificate when one is required, and nobody without', async () => {
    const transport = await startHttps('require')
    await assert.rejects(ask(transport, '/ping'))
    assert.equal((await ask(transport, '/ping', '', await makeCertificate('mine'))).status, 200)
  })

  it('takes only client certificates of its authority when they are verified', async () => {
    const transport = await startHttps('require-verify')
    await assert.rejects(ask(transport, '/ping'))
    await assert.rejects(ask(transport, '/ping', '', await makeCertificate('mine')))
    assert.equal((await ask(transport, '/ping', '', await makeCertificate('ours', authority))).status, 200)
  })

  it('ends connections that speak plain HTTP, and goes on', async () => {
    const transport = await startHttps()
    const plain = await fetch(`http://127.0.0.1:${transport.addresses[0].port}/ping`).catch((error: Error) => error)
    assert.ok(plain instanceof Error)
    assert.equal((await ask(transport, '/ping')).status, 200)
  })

  for (const [what, bytes] of [
    ['says nothing', ''],
    ['stops in the middle of its handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ]) {
    it(`drains at once, and stops, though a client ${what}`, async () => {
      const transport = await startHttps()
      const client = connect(transport.addresses[0].port, '127.0.0.1')
      await once(client, 'connect')
      client.write(bytes, 'latin1')
      // Whoever connects later was accepted later.
      assert.equal((await ask(transport, '/ping')).status, 200)
      const closed = once(client, 'close')
      await transport.drain(60_000)
      await transport.stop()
      await closed
    })
  }

  it('tells the log who has failed to be encrypted', async () => {
    const transport = await startHttps()
    const client = connect(transport.addresses[0].port, '127.0.0.1')
    client.on('error', () => {})
    client.write('GET /ping HTTP/1.1\r\n\r\n')
    await once(client, 'close')
    const refused = broker.logger.lines.find(({ message }) => message === 'client refused')
    assert.equal(refused?.fields.code, 'TLS_FAILED')
    assert.match(String(refused?.fields.peer), /^127\.0\.0\.1:\d+$/)
  })

  it('has a new certificate after a reload, and keeps the old one when that cannot be read', async () => {
    const transport = await startHttps()
    const second = await makeCertificate('second')
    await files.write('cert.pem', second.cert)
    await assert.rejects(async () => reloads[0](), { code: 'E_INVALID_OPTION' })
    assert.equal((await ask(transport, '/ping')).server, 'first')
    await files.write('key.pem', second.key)
    await reloads[0]()
    assert.equal((await ask(transport, '/ping')).server, 'second')
  })
})

describe('a plain listener where TLS is required', () => {
  it('refuses everything, and says where HTTPS is spoken', async () => {
    const https = await startHttps()
    const plain = await TestTransport.start({ tlsRequired: true }, broker)
    broker.addresses = [...plain.transport.addresses, ...https.addresses]
    transports.push(plain)
    for (const [method, path] of [
      ['GET', '/ping'],
      ['GET', '/nothing'],
      ['POST', '/pub?topic=t'],
      ['PUT', '/stats'],
    ]) {
      const { status, headers, text } = await plain.request(method, path)
      assert.equal(status, 403)
      assert.equal(text, `{"message": "TLS_REQUIRED", "https_port": ${https.addresses[0].port}}`)
      assert.equal(headers['content-type'], 'application/json; charset=utf-8')
      assert.equal(headers['x-nsq-content-type'], 'nsq; version=1.0')
    }
  })
})
