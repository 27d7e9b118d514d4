import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BrokerError, PLUGIN_API_VERSION, TRANSPORT } from '@spillway/core'
import plugin, { HttpTransport } from '../src/index.js'
import { FakeBroker } from './support/fake-broker.js'
import { TestTransport, transportOptions } from './support/start-transport.js'

describe('the listener', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'transport-http-'))
  })

  afterEach(() => rm(folder, { recursive: true }))

  const startAt = async (address: string): Promise<HttpTransport> => {
    const transport = new HttpTransport(transportOptions({ address }), folder)
    await transport.start(new FakeBroker())
    return transport
  }

  it('says which port it got', async () => {
    const transport = await startAt('127.0.0.1:0')
    try {
      const [{ protocol, address, port }] = transport.addresses
      assert.deepEqual([protocol, address], ['http', '127.0.0.1'])
      assert.ok(port > 0)
    } finally {
      await transport.stop()
    }
  })

  for (const address of [':0', 'localhost:0', '[::1]:0']) {
    it(`takes ${address}`, async function () {
      try {
        const transport = await startAt(address)
        assert.equal(transport.addresses.length, 1)
        await transport.stop()
      } catch (error) {
        // Machines without IPv6 have no ::1.
        if (address.includes('::') && /address/.test(String(error))) this.skip()
        throw error
      }
    })
  }

  it('listens on a Unix socket, relative to the data path, and removes it afterwards', async () => {
    const transport = await startAt('http.sock')
    const path = join(folder, 'http.sock')
    assert.deepEqual(transport.addresses, [{ protocol: 'http', address: path, port: -1 }])
    try {
      assert.equal(await ping(path), 'OK')
    } finally {
      await transport.stop()
    }
    assert.equal(existsSync(path), false)
  })

  it('does not take over a socket file that is there', async () => {
    const path = join(folder, 'taken.sock')
    await writeFile(path, '')
    await refused(startAt(path), `listen (${path}) failed - address already in use`)
  })

  it('names an address that is taken', async () => {
    const first = await TestTransport.start()
    try {
      const address = `127.0.0.1:${first.port}`
      await refused(startAt(address), `listen (${address}) failed - address already in use`)
    } finally {
      await first.stop()
    }
  })

  it('names an address that is not ours, and a port that is none', async () => {
    await refused(startAt('192.0.2.1:0'), 'listen (192.0.2.1:0) failed - cannot assign requested address')
    await refused(startAt('127.0.0.1:http'), 'listen (127.0.0.1:http) failed - unknown port http')
    await refused(startAt('127.0.0.1:65536'), 'listen (127.0.0.1:65536) failed - unknown port 65536')
  })

  it('can be stopped when it could not start', async () => {
    const transport = new HttpTransport(transportOptions({ address: '192.0.2.1:0' }), folder)
    await assert.rejects(transport.start(new FakeBroker()))
    await transport.drain(1000)
    await transport.stop()
    assert.deepEqual(transport.addresses, [])
  })

  it('does not listen before it is started', async () => {
    const path = join(folder, 'http.sock')
    const transport = new HttpTransport(transportOptions({ address: path }), folder)
    await assert.rejects(ping(path))
    assert.deepEqual(transport.addresses, [])
    await transport.stop()
  })

  it('is a plugin that makes a transport', () => {
    assert.deepEqual(
      [plugin.name, plugin.provides, plugin.apiVersion],
      ['transport-http', TRANSPORT, PLUGIN_API_VERSION],
    )
  })
})

async function refused(starting: Promise<unknown>, detail: string): Promise<void> {
  await assert.rejects(starting, (error: unknown) => {
    assert.ok(error instanceof BrokerError)
    assert.deepEqual([error.code, error.detail], ['E_LISTEN', detail])
    return true
  })
}

function ping(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path: '/ping', agent: false }, (response) => {
      response.setEncoding('utf8').on('data', resolve)
    })
    outgoing.on('error', reject).end()
  })
}
