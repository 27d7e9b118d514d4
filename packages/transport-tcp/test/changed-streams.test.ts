import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { constants, deflateRawSync } from 'node:zlib'
import { makeAuthority, makeCertificate, TestFiles } from '@spillway/tls/testing'
import type { TcpTransportOptions } from '../src/index.js'
import { deflate, snappy, tls } from './changed-streams.js'
import { pub, type TestClient, TestServer, withBody, withSocketPath } from './support.js'

/** What a session gathers its output in. */
const BLOCK_SIZE_BYTES = 32 * 1024
const files = new TestFiles()
let server: TestServer | null = null
let certificate: { readonly certPath: string; readonly keyPath: string }

before(async () => {
  certificate = await files.writeCertificate('127.0.0.1')
})

after(() => files.remove())

afterEach(async () => {
  await server?.close()
  server = null
})

async function start(options: Partial<TcpTransportOptions> = {}, address?: string): Promise<TestServer> {
  const policy = { clientAuthPolicy: 'none', versionMin: 'TLS1.2' } as const
  server = await TestServer.start(address, { tls: { ...certificate, ...policy }, ...options })
  return server
}

type Change = (stream: Duplex) => Duplex | Promise<Duplex>

/** Each thing that a client may ask for, what it is told, and what it then does, in order. */
const WAYS: readonly { name: string; wishes: Record<string, unknown>; changes: readonly Change[] }[] = [
  { name: 'TLS', wishes: { tls_v1: true }, changes: [tls()] },
  { name: 'deflate', wishes: { deflate: true, deflate_level: 3 }, changes: [deflate] },
  { name: 'snappy', wishes: { snappy: true }, changes: [snappy] },
  { name: 'deflate inside TLS', wishes: { tls_v1: true, deflate: true }, changes: [tls(), deflate] },
  { name: 'snappy inside TLS', wishes: { tls_v1: true, snappy: true }, changes: [tls(), snappy] },
]

/** A client whose stream was changed; each change was answered with an OK. */
async function connect({ wishes, changes }: (typeof WAYS)[number]): Promise<TestClient> {
  const client = await (server as TestServer).connect()
  const agreed = await client.identify(wishes)
  for (const wish of Object.keys(wishes)) assert.equal(agreed[wish], wishes[wish], wish)
  for (const change of changes) {
    await client.change(change)
    assert.equal(await client.next(), 'OK')
  }
  return client
}

const only = (name: string): (typeof WAYS)[number] => WAYS.find((way) => way.name === name) as (typeof WAYS)[number]

describe('a stream that is changed', () => {
  for (const way of WAYS) {
    it(`carries publishes and messages of every size: ${way.name}`, async () => {
      await start()
      const client = await connect(way)
      const bodies = [1, 200, 16_384, 70_000, 1_000_000].map((sizeBytes) => 'm'.repeat(sizeBytes))
      for (const body of bodies) client.send(pub('t', body))
      for (const _ of bodies) assert.equal(await client.next(), 'OK')
      client.send('SUB t c\nRDY 10\n')
      assert.equal(await client.next(), 'OK')
      for (const body of bodies) assert.equal((await client.next())?.slice(16), body)
      client.send('CLS\n')
      assert.equal(await client.next(), 'CLOSE_WAIT')
    })

    it(`takes commands however they are split: ${way.name}`, async () => {
      await start()
      const client = await connect(way)
      for (const byte of pub('t', 'bytewise')) client.send(Buffer.from([byte]))
      assert.equal(await client.next(), 'OK')
    })

    it(`tells the last error before it closes: ${way.name}`, async () => {
      await start()
      const client = await connect(way)
      client.send('PUB \n')
      assert.equal(await client.next(), 'E_BAD_TOPIC PUB topic name "" is not valid')
      assert.equal(await client.next(), null)
    })

    it(`executes what came before the client's end: ${way.name}`, async () => {
      await start()
      const client = await connect(way)
      client.send(pub('t', 'a'), pub('t', 'b'))
      client.stream.end()
      assert.deepEqual([await client.next(), await client.next(), await client.next()], ['OK', 'OK', null])
    })

    it(`answers again and again from the same memory: ${way.name}`, async () => {
      await start()
      const client = await connect(way)
      const allocate = Buffer.allocUnsafeSlow
      let blockCount = 0
      Buffer.allocUnsafeSlow = (sizeBytes) => {
        if (sizeBytes === BLOCK_SIZE_BYTES) blockCount++
        return allocate(sizeBytes)
      }
      try {
        for (let count = 0; count < 50; count++) {
          client.send(pub('t', 'a'))
          assert.equal(await client.next(), 'OK')
        }
      } finally {
        Buffer.allocUnsafeSlow = allocate
      }
      assert.ok(blockCount <= 1, `${blockCount} blocks`)
    })

    it(`tells what an end in a message has cut off: ${way.name}`, async () => {
      await start()
      const client = await connect(way)
      client.send(pub('t', 'a message').subarray(0, -1))
      client.stream.end()
      assert.equal(await client.next(), 'E_BAD_MESSAGE PUB failed to read message body')
      assert.equal(await client.next(), null)
    })

    it(`answers what was asked before it stops: ${way.name}`, async () => {
      const { transport } = await start()
      const client = await connect(way)
      client.send(pub('t', 'a'))
      assert.equal(await client.next(), 'OK')
      await transport.drain(2_000)
      assert.equal(await client.next(), null)
    })

    it(`shows in the statistics: ${way.name}`, async () => {
      const { engine } = await start()
      const client = await connect(way)
      client.send(pub('t', 'a'))
      assert.equal(await client.next(), 'OK')
      const [{ tls: encryption, ...shown }] = engine.stats({ includeClients: true }).producers
      assert.equal(shown.deflate, way.wishes.deflate === true)
      assert.equal(shown.snappy, way.wishes.snappy === true)
      assert.equal(encryption?.version, way.wishes.tls_v1 === true ? 'TLS1.3' : undefined)
      if (encryption !== null) assert.match(encryption.cipherSuite, /^Unknown 486[567]$/)
    })

    it(`bears a client that stops reading, and one that vanishes: ${way.name}`, async () => {
      const { engine, transport } = await start()
      const client = await connect(way)
      client.send('SUB t c\nRDY 2500\n')
      assert.equal(await client.next(), 'OK')
      client.socket.pause()
      const publisher = await (server as TestServer).connect()
      publisher.send('  V2')
      // not to be compressed away
      const body = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * index * 31 + index) % 251))
      for (let count = 0; count < 60; count++) publisher.send(pub('t', body))
      for (let count = 0; count < 60; count++) assert.equal(await publisher.next(), 'OK')
      const [channel] = engine.stats({ topic: 't', includeClients: false }).topics[0].channels
      assert.equal(channel.depth + channel.inFlightCount, 60)
      client.socket.destroy()
      while (transport.connectionCount > 1) await new Promise((resolve) => setImmediate(resolve))
    })
  }

  it('works over Unix sockets', async () => {
    await withSocketPath(async (path) => {
      await start({}, path)
      const client = await connect(only('snappy inside TLS'))
      client.send(pub('t', 'a'))
      assert.equal(await client.next(), 'OK')
      await server?.close()
      server = null
    })
  })

  it('stays as it is when the client does not negotiate', async () => {
    await start()
    const client = await (server as TestServer).connect()
    client.send('  V2', withBody('IDENTIFY', '{"tls_v1":true,"snappy":true}'), pub('t', 'a'))
    assert.deepEqual([await client.next(), await client.next()], ['OK', 'OK'])
  })

  it('answers all of more publishes than are under way at once, though their end comes with them', async () => {
    await start()
    const client = await connect(only('snappy'))
    client.send(Buffer.concat(Array(22_000).fill(pub('t', 'a'))))
    client.stream.end()
    let okCount = 0
    for (let answer = await client.next(); answer !== null; answer = await client.next()) {
      assert.equal(answer, 'OK')
      okCount++
    }
    assert.equal(okCount, 22_000)
  })

  it('is offered only as far as the options say', async () => {
    await start({ snappy: false, deflate: false })
    const client = await (server as TestServer).connect()
    const agreed = await client.identify({ snappy: true, deflate: true })
    assert.deepEqual([agreed.snappy, agreed.deflate, agreed.tls_v1], [false, false, false])
    client.send(pub('t', 'a'))
    assert.equal(await client.next(), 'OK')
  })

  it('is not both deflated and snappy', async () => {
    await start()
    const client = await (server as TestServer).connect()
    client.send('  V2', withBody('IDENTIFY', '{"feature_negotiation":true,"snappy":true,"deflate":true}'))
    assert.equal(await client.next(), 'E_IDENTIFY_FAILED cannot enable both deflate and snappy compression')
  })
})

describe('a stream that cannot be decoded', () => {
  /** The connection ends, without a word that would make sense to anybody. */
  async function endsAfter(way: string, bytes: Uint8Array): Promise<void> {
    await start()
    const client = await connect(only(way))
    client.socket.write(bytes)
    assert.equal(await client.next(), null)
  }

  it('ends the connection: deflate', () => endsAfter('deflate', Buffer.from([0xff, 0xff, 0xff, 0xff])))
  it('ends the connection: snappy without a name', () => endsAfter('snappy', Buffer.from([0, 4, 0, 0, 1, 2, 3, 4])))
  it('ends the connection: snappy, a chunk of 16 MB', () =>
    endsAfter('snappy', Buffer.from('\xff\x06\x00\x00sNaPpY\x00\xff\xff\xff', 'latin1')))
  it('ends the connection: snappy, a block that says it is 4 GB', () =>
    endsAfter('snappy', Buffer.from('\xff\x06\x00\x00sNaPpY\x00\x09\x00\x00abcd\xff\xff\xff\xff\x0f', 'latin1')))
  it('ends the connection: snappy, a wrong checksum', () =>
    endsAfter('snappy', Buffer.from('\xff\x06\x00\x00sNaPpY\x01\x05\x00\x00abcdx', 'latin1')))
  it('ends the connection: snappy, a chunk that nobody knows', () =>
    endsAfter('snappy', Buffer.from('\xff\x06\x00\x00sNaPpY\x02\x04\x00\x00abcd', 'latin1')))
  for (const [name, garbage] of [
    ['snappy', [2, 0, 0, 0]],
    ['deflate', [0xff, 0xff, 0xff, 0xff]],
  ] as const) {
    it(`ends like one that the peer has ended: ${name}`, async () => {
      await start()
      const client = await connect(only(name))
      client.send(Buffer.concat([pub('t', 'a'), pub('t', 'a message').subarray(0, -1)]))
      assert.equal(await client.next(), 'OK')
      client.socket.write(Buffer.from(garbage))
      assert.equal(await client.next(), 'E_BAD_MESSAGE PUB failed to read message body')
      assert.equal(await client.next(), null)
    })
  }

  it('ends the connection: TLS', () => endsAfter('TLS', Buffer.from('no record at all')))
})

describe('a decompression bomb', () => {
  /** A gigabyte of zeros, as a megabyte of deflate: after a full flush nothing refers to what was before. */
  function bomb(): Buffer {
    const part = deflateRawSync(Buffer.alloc(16 * 1024 * 1024), { finishFlush: constants.Z_FULL_FLUSH })
    return Buffer.concat(Array.from({ length: 64 }, () => part))
  }

  it('is cut off at the limits of the protocol, and costs no memory', async function () {
    this.timeout(60_000)
    const bytes = bomb()
    await start()
    const client = await connect(only('deflate'))
    gc?.()
    const before = process.memoryUsage()
    let peakBytes = 0
    const watch = setInterval(() => {
      const { external, heapUsed } = process.memoryUsage()
      peakBytes = Math.max(peakBytes, external + heapUsed - before.external - before.heapUsed)
    }, 1)
    client.socket.write(bytes)
    assert.equal(await client.next(), null)
    clearInterval(watch)
    assert.ok(peakBytes < 32 * 1024 * 1024, `${peakBytes} bytes at most`)
  })
})

describe('TLS', () => {
  it('is required of clients where the options say so, from everything but IDENTIFY', async () => {
    await start({ tlsRequired: true })
    for (const [bytes, name] of [
      ['SUB t c\n', 'SUB'],
      ['NOP\n', 'NOP'],
      ['what\n', 'what'],
      ['\n', ''],
      [pub('t', 'a'), 'PUB'],
    ] as const) {
      const client = await (server as TestServer).connect()
      client.send('  V2', bytes)
      assert.equal(await client.next(), `E_INVALID cannot ${name} in current state (TLS required)`)
      assert.equal(await client.next(), null)
    }
    const client = await connect(only('TLS'))
    client.send(pub('t', 'a'))
    assert.equal(await client.next(), 'OK')
  })

  it('is not spoken in versions below the least that is allowed', async () => {
    await start()
    const client = await (server as TestServer).connect()
    await client.identify({ tls_v1: true })
    await assert.rejects(
      client.change(tls({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' })),
    )
  })

  it('is spoken in old versions where that is asked for', async () => {
    const old = { ...certificate, clientAuthPolicy: 'none', versionMin: 'TLS1.0' } as const
    const { engine } = await start({ tls: old })
    const way = {
      ...only('TLS'),
      changes: [tls({ maxVersion: 'TLSv1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' })],
    }
    const client = await connect(way)
    client.send(pub('t', 'a'))
    assert.equal(await client.next(), 'OK')
    assert.equal(engine.stats({ includeClients: true }).producers[0].tls?.version, 'TLS1.0')
  })

  it('ends the connection of a client that never has its handshake', async function () {
    this.timeout(60_000) // nobody waits longer than five seconds
    await start()
    const client = await (server as TestServer).connect()
    await client.identify({ tls_v1: true })
    assert.equal(await client.next(), null)
  })

  for (const [place, beginning] of [
    ['before its handshake', ''],
    ['in its handshake', '\x16\x03\x01\x02\x00\x01\x00\x01'],
  ]) {
    it(`ends the connection of a client that ends its side ${place}, at once`, async function () {
      this.timeout(4_000) // less than a handshake may take
      await start()
      const client = await (server as TestServer).connect()
      await client.identify({ tls_v1: true })
      client.socket.end(Buffer.from(beginning, 'latin1'))
      assert.equal(await client.next(), null)
    })
  }

  describe('with client certificates', () => {
    const certificateOf = async (commonName: string, signed: boolean) => {
      const { cert, key } = await makeCertificate(commonName, signed ? authority : undefined)
      return tls({ cert, key })
    }
    let authority: Awaited<ReturnType<typeof makeAuthority>>
    let rootCaPath: string

    before(async () => {
      authority = await makeAuthority('authority')
      rootCaPath = await files.write('ca.pem', authority.cert)
    })

    const startWith = (clientAuthPolicy: 'require' | 'require-verify') =>
      start({ tls: { ...certificate, rootCaPath, clientAuthPolicy, versionMin: 'TLS1.2' } })

    async function isAccepted(change: Change): Promise<boolean> {
      const client = await (server as TestServer).connect()
      await client.identify({ tls_v1: true })
      try {
        await client.change(change)
      } catch {
        return false
      }
      return (await client.next()) === 'OK'
    }

    for (const policy of ['require', 'require-verify'] as const) {
      it(`lets nobody round the certificate by doing without TLS: ${policy}`, async () => {
        await startWith(policy)
        const client = await (server as TestServer).connect()
        client.send('  V2', pub('t', 'a'))
        assert.equal(await client.next(), 'E_INVALID cannot PUB in current state (TLS required)')
      })
    }

    it('takes any when one is required', async () => {
      await startWith('require')
      assert.equal(await isAccepted(tls()), false)
      assert.equal(await isAccepted(await certificateOf('mine', false)), true)
    })

    it('takes only those of its authority when they are verified', async () => {
      await startWith('require-verify')
      assert.equal(await isAccepted(tls()), false)
      assert.equal(await isAccepted(await certificateOf('mine', false)), false)
      assert.equal(await isAccepted(await certificateOf('ours', true)), true)
    })

    /** The session that a first connection leaves behind, for a later one to resume. */
    async function sessionOf(credentials: ConnectionOptions): Promise<Buffer> {
      const client = await (server as TestServer).connect()
      await client.identify({ tls_v1: true })
      await client.change(tls(credentials))
      const encrypted = client.stream as TLSSocket
      // In TLS 1.3 it comes behind the handshake.
      if (encrypted.getProtocol() === 'TLSv1.3') return (await once(encrypted, 'session'))[0]
      return encrypted.getSession() as Buffer
    }

    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      it(`takes a client that resumes its session: ${maxVersion}`, async () => {
        await startWith('require-verify')
        const { cert, key } = await makeCertificate('ours', authority)
        const session = await sessionOf({ cert, key, maxVersion })
        const client = await (server as TestServer).connect()
        await client.identify({ tls_v1: true })
        await client.change(tls({ cert, key, maxVersion, session }))
        assert.equal(await client.next(), 'OK')
        assert.ok((client.stream as TLSSocket).isSessionReused())
        client.send(pub('t', 'a'))
        assert.equal(await client.next(), 'OK')
      })

      it(`checks the certificate again after a reload, though a session of before is shown: ${maxVersion}`, async () => {
        const { credentials } = await startWith('require-verify')
        const { cert, key } = await makeCertificate('ours', authority)
        const session = await sessionOf({ cert, key, maxVersion })
        await files.write('ca.pem', (await makeAuthority('another')).cert)
        await credentials?.load()
        await files.write('ca.pem', authority.cert)
        assert.equal(await isAccepted(tls({ cert, key, maxVersion, session })), false)
      })
    }

    /** What a client gets to know: the alert, or the first frame. */
    async function refusalOf(change: Change): Promise<string | null> {
      const client = await (server as TestServer).connect()
      await client.identify({ tls_v1: true })
      const told = new Promise<string>((resolve) => {
        const watched = async (stream: Duplex): Promise<Duplex> => {
          const changed = await change(stream)
          changed.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
          return changed
        }
        client.change(watched).then(
          async () => resolve((await client.next()) ?? (await new Promise(() => {}))),
          (error) => resolve(error.code),
        )
      })
      return told
    }

    const warnings = () =>
      (server as TestServer).logger.lines.filter((line) => line.message === 'client refused').map((line) => line.fields)

    for (const policy of ['require', 'require-verify'] as const) {
      it(`tells a client without one by an alert, and the log with its address: ${policy}`, async () => {
        await startWith(policy)
        assert.equal(await refusalOf(tls()), 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED')
        assert.match(String(warnings()[0].peer), /^127\.0\.0\.1:\d+$/)
        assert.equal(warnings()[0].code, 'E_IDENTIFY_FAILED')
        assert.equal(warnings()[0].reason, 'IDENTIFY failed tls: peer did not return a certificate')
      })
    }

    it('tells a client whose certificate will not do why, inside TLS, and the log', async () => {
      await startWith('require-verify')
      const text = 'tls: client certificate of "mine": self-signed certificate'
      assert.equal(await refusalOf(await certificateOf('mine', false)), `E_IDENTIFY_FAILED IDENTIFY failed ${text}`)
      assert.equal(warnings()[0].reason, `IDENTIFY failed ${text}`)
    })
  })

  it('logs a handshake that cannot succeed, with the address', async () => {
    await start()
    const client = await (server as TestServer).connect()
    await client.identify({ tls_v1: true })
    client.send('no record at all')
    assert.equal(await client.next(), null)
    const [{ fields }] = (server as TestServer).logger.lines.filter((line) => line.message === 'client refused')
    assert.equal(fields.reason, 'IDENTIFY failed tls: wrong version number')
  })

  it('goes on with a new certificate after a reload, and with the old one when that cannot be read', async () => {
    const { cert, key } = await makeCertificate('first')
    const certPath = await files.write('changing.pem', cert)
    const keyPath = await files.write('changing-key.pem', key)
    const { credentials } = await start({ tls: { certPath, keyPath, clientAuthPolicy: 'none', versionMin: 'TLS1.2' } })
    const subject = async (): Promise<string> => {
      const client = await connect(only('TLS'))
      return (client.stream as ReturnType<typeof import('node:tls').connect>).getPeerCertificate().subject.CN as string
    }
    const old = await connect(only('TLS'))
    assert.equal(await subject(), 'first')

    const second = await makeCertificate('second')
    await files.write('changing.pem', second.cert)
    await assert.rejects(credentials?.load() as Promise<void>, { code: 'E_INVALID_OPTION' })
    assert.equal(await subject(), 'first')
    await files.write('changing-key.pem', second.key)
    await credentials?.load()
    assert.equal(await subject(), 'second')
    old.send(pub('t', 'a'))
    assert.equal(await old.next(), 'OK')
  })

  it('is refused at the start, by the path, when its files cannot be used', async () => {
    const tlsOf = (certPath: string) =>
      ({ ...certificate, certPath, clientAuthPolicy: 'none', versionMin: 'TLS1.2' }) as const
    await assert.rejects(start({ tls: tlsOf('/nowhere/cert.pem') }), {
      code: 'E_INVALID_OPTION',
      message: 'E_INVALID_OPTION failed to build TLS config - /nowhere/cert.pem: no such file',
    })
    const garbage = await files.write('garbage.pem', 'not PEM')
    await assert.rejects(start({ tls: tlsOf(garbage) }), (error: Error) => error.message.includes(garbage))
    const keyPath = await files.write('empty-key.pem', '')
    await assert.rejects(start({ tls: { ...tlsOf(certificate.certPath), keyPath } }), (error: Error) => {
      assert.match(error.message, /TLS config - \S+empty-key\.pem: no PEM private key that can be read: /)
      return !error.message.includes(certificate.certPath)
    })
  })
})
