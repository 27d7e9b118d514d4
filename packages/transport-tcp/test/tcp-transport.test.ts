import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { BrokerError, TRANSPORT } from '@spillway/core'
import plugin from '../src/index.js'
import { pub, TestServer, withSocketPath } from './support.js'

let server: TestServer | null = null

async function start(address?: string, connectionsMax?: number): Promise<TestServer> {
  server = await TestServer.start(address, connectionsMax === undefined ? {} : { connectionsMax })
  return server
}

afterEach(async () => {
  await server?.close()
  server = null
})

describe('the TCP transport', () => {
  it('lets a producer publish and a consumer consume', async () => {
    const broker = await start()
    const producer = await broker.connect()
    const consumer = await broker.connect()
    consumer.send('  V2SUB t c\nRDY 10\n')
    assert.equal(await consumer.next(), 'OK')
    producer.send('  V2', pub('t', 'hello'), pub('t', 'world'))
    assert.equal(await producer.next(), 'OK')
    assert.equal(await producer.next(), 'OK')
    const first = (await consumer.next()) as string
    const second = (await consumer.next()) as string
    assert.deepEqual([first.slice(16), second.slice(16)], ['hello', 'world'])
    consumer.send(`FIN ${first.slice(0, 16)}\nREQ ${second.slice(0, 16)} 0\n`)
    const again = (await consumer.next()) as string
    assert.equal(again, second)
    consumer.send(`FIN ${again.slice(0, 16)}\nFIN ${again.slice(0, 16)}\n`)
    assert.equal(await consumer.next(), `E_FIN_FAILED FIN ${again.slice(0, 16)} failed ID not in flight`)
  })

  it('says where it listens, and whom it talks to', async () => {
    const broker = await start()
    const [address] = broker.transport.addresses
    assert.deepEqual({ ...address, port: 0 }, { protocol: 'tcp', address: '127.0.0.1', port: 0 })
    const client = await broker.connect()
    client.send('  V2', pub('t', 'x'))
    await client.next()
    const [stats] = broker.engine.stats({ includeClients: true }).producers
    const { port } = client.socket.address() as AddressInfo
    assert.equal(stats.remoteAddress, `127.0.0.1:${port}`)
    assert.equal(stats.hostname, '127.0.0.1')
  })

  it('listens on every address when none is named, and shows IPv4 peers as such', async () => {
    const broker = await start(':0')
    const client = await broker.connect('127.0.0.1')
    client.send('  V2', pub('t', 'x'))
    await client.next()
    const [stats] = broker.engine.stats({ includeClients: true }).producers
    assert.match(stats.remoteAddress, /^127\.0\.0\.1:\d+$/)
  })

  it('answers a peer that has half-closed, and then closes', async () => {
    const broker = await start()
    const client = await broker.connect()
    broker.storage.hold()
    client.socket.end(Buffer.concat([Buffer.from('  V2'), pub('t', 'x')]))
    await once(client.socket, 'finish')
    while (broker.engine.getTopic('t') === undefined) await new Promise((resolve) => setImmediate(resolve))
    broker.storage.release()
    assert.equal(await client.next(), 'OK')
    assert.equal(await client.next(), null)
  })

  it('answers a publish to an ephemeral topic before the error that ends its only consumer', async () => {
    const broker = await start()
    const client = await broker.connect()
    client.send('  V2SUB t#ephemeral c#ephemeral\nCLS\n', pub('t#ephemeral', 'x'), 'CLS\n')
    assert.equal(await client.next(), 'OK')
    assert.equal(await client.next(), 'CLOSE_WAIT')
    assert.equal(await client.next(), 'OK')
    assert.equal(await client.next(), 'E_INVALID cannot CLS in current state')
    assert.equal(await client.next(), null)
  })

  it('lets a peer read why it was hung up on, though it was still sending', async () => {
    const broker = await start()
    const client = await broker.connect()
    client.send('  V2', pub('t', Buffer.alloc(3_000_000)))
    assert.equal(await client.next(), 'E_BAD_MESSAGE PUB message too big 3000000 > 1048576')
    assert.equal(await client.next(), null)
  })

  it('closes a connection that it has hung up on', async () => {
    const broker = await start()
    const client = await broker.connect()
    client.send('  V2WRONG\n')
    assert.equal(await client.next(), 'E_INVALID invalid command WRONG')
    assert.equal(await client.next(), null)
    client.socket.end()
    await once(client.socket, 'close')
    while (broker.transport.connectionCount > 0) await new Promise((resolve) => setImmediate(resolve))
  })

  it('closes connections beyond the limit at once, and counts them', async () => {
    const broker = await start('127.0.0.1:0', 1)
    const first = await broker.connect()
    first.send('  V2', pub('t', 'x'))
    assert.equal(await first.next(), 'OK')
    const second = await broker.connect()
    assert.equal(await second.next(), null)
    const third = await broker.connect()
    assert.equal(await third.next(), null)
    assert.equal(broker.transport.refusedCount, 2)
    assert.deepEqual(broker.logger.messages('warn'), ['too many connections'])
    first.send(pub('t', 'y'))
    assert.equal(await first.next(), 'OK')
  })

  it('survives peers that vanish', async () => {
    const broker = await start()
    for (let index = 0; index < 20; index++) {
      const client = await broker.connect()
      client.send('  V2SUB t c\nRDY 100\n', pub('t', 'x'))
      await client.next()
      client.socket.resetAndDestroy()
    }
    while (broker.transport.connectionCount > 0) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(broker.engine.stats({ includeClients: true }).topics[0].channels[0].clientCount, 0)
  })
})

describe('a consumer that does not read', () => {
  it('holds up neither the others nor the memory', async () => {
    const broker = await start()
    const stuck = await broker.connect()
    stuck.send('  V2SUB t stuck\nRDY 2500\n')
    assert.equal(await stuck.next(), 'OK')
    stuck.socket.pause()
    const reader = await broker.connect()
    reader.send('  V2SUB t reader\nRDY 2500\n')
    assert.equal(await reader.next(), 'OK')
    const producer = await broker.connect()
    producer.send('  V2')
    const body = Buffer.alloc(100_000, 'x')
    for (let sent = 0; sent < 200; sent++) {
      producer.send(pub('t', body))
      assert.equal(await producer.next(), 'OK')
      const message = (await reader.next()) as string
      assert.equal(message.length, 16 + body.length)
      reader.send(`FIN ${message.slice(0, 16)}\n`)
    }
    const channel = broker.engine.stats({ topic: 't', includeClients: true }).topics[0].channels[1]
    assert.equal(channel.name, 'stuck')
    // 20 MB were published; the system's socket buffers take some, the output takes 256 KiB and a message.
    assert.ok(channel.inFlightCount < 200 && channel.depth > 0, `${channel.inFlightCount} in flight`)
  }).timeout(60_000)
})

describe('listening', () => {
  it('on a taken port fails with one line that names it', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    await assert.rejects(TestServer.start(`127.0.0.1:${port}`), {
      code: 'E_LISTEN',
      detail: `listen (127.0.0.1:${port}) failed - address already in use`,
    })
    other.close()
  })

  it('on a port that is none fails, and so does a host that is not ours', async () => {
    await assert.rejects(TestServer.start('127.0.0.1:http'), { code: 'E_LISTEN' })
    await assert.rejects(TestServer.start('127.0.0.1:65536'), { code: 'E_LISTEN' })
    await assert.rejects(TestServer.start('192.0.2.1:4150'), (error: BrokerError) => {
      return error instanceof BrokerError && error.detail.startsWith('listen (192.0.2.1:4150) failed - cannot assign')
    })
  })

  it('works on a Unix socket, whose file goes away with the transport', async () => {
    await withSocketPath(async (path) => {
      const broker = await start(path)
      assert.deepEqual(broker.transport.addresses, [{ protocol: 'tcp', address: path, port: -1 }])
      const client = await broker.connect()
      client.send('  V2', pub('t', 'x'))
      assert.equal(await client.next(), 'OK')
      const [stats] = broker.engine.stats({ includeClients: true }).producers
      assert.deepEqual([stats.remoteAddress, stats.clientId], ['@', ''])
      assert.ok(existsSync(path))
      await broker.transport.stop()
      assert.ok(!existsSync(path))
    })
  })

  it('does not take over a file that is there already', async () => {
    await withSocketPath(async (path) => {
      await writeFile(path, '')
      await assert.rejects(TestServer.start(path), {
        code: 'E_LISTEN',
        detail: `listen (${path}) failed - address already in use`,
      })
      assert.ok(existsSync(path))
    })
  })
})

describe('stopping', () => {
  it('drains: nobody new, no new command, and what was asked is answered', async () => {
    const broker = await start()
    const client = await broker.connect()
    client.send('  V2SUB t c\n')
    assert.equal(await client.next(), 'OK')
    broker.storage.hold()
    client.send(pub('t', 'x'))
    while (broker.engine.stats({ includeClients: true }).producers.length === 0) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    let isDrained = false
    const draining = broker.transport.drain(10_000).then(() => {
      isDrained = true
    })
    client.send(pub('t', 'y'))
    await assert.rejects(broker.connect(), { code: 'ECONNREFUSED' })
    assert.ok(!isDrained)
    broker.storage.release()
    await draining
    assert.equal(await client.next(), 'OK')
    await broker.transport.stop()
    assert.equal(await client.next(), null)
    assert.deepEqual(broker.transport.addresses, [])
  })

  it('lets those go at once who are answered, though one does not read', async () => {
    const broker = await start()
    const stuck = await broker.connect()
    stuck.send('  V2SUB t c\nRDY 2500\n')
    assert.equal(await stuck.next(), 'OK')
    stuck.socket.pause()
    const client = await broker.connect()
    client.send('  V2')
    const body = Buffer.alloc(1_000_000, 'x')
    for (let sent = 0; sent < 30; sent++) {
      client.send(pub('t', body))
      assert.equal(await client.next(), 'OK')
    }
    let isDrained = false
    const draining = broker.transport.drain(60_000).then(() => {
      isDrained = true
    })
    assert.equal(await client.next(), null)
    assert.ok(!isDrained)
    await broker.transport.stop()
    stuck.socket.destroy()
    await draining
  }).timeout(60_000)

  it('does not wait for answers longer than it was told to', async () => {
    const broker = await start()
    const client = await broker.connect()
    broker.storage.hold()
    client.send('  V2', pub('t', 'x'))
    while (broker.engine.getTopic('t') === undefined) await new Promise((resolve) => setImmediate(resolve))
    await broker.transport.drain(10)
    await broker.transport.stop()
    assert.equal(await client.next(), null)
    broker.storage.release()
  })

  it('may come twice, and without a start', async () => {
    const broker = await start()
    await broker.transport.stop()
    await broker.transport.stop()
    const never = new TestServer('127.0.0.1:0', {})
    await never.transport.drain(10)
    await never.transport.stop()
  })
})

describe('the plugin', () => {
  it('provides a transport, and opens nothing when it is made', () => {
    assert.equal(plugin.provides, TRANSPORT)
    assert.equal(plugin.name, 'transport-tcp')
  })
})
