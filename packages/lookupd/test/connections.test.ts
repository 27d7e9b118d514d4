import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClock, TestLogger } from '@spillway/core/testing'
import { Lookupd } from '../src/index.js'
import { identify } from './support/bytes.js'
import { TestLookupd } from './support/test-lookupd.js'

describe('connections of nsqds', () => {
  let test: TestLookupd

  beforeEach(async () => {
    test = await TestLookupd.start({ tcpConnectionCountMax: 3 })
  })
  afterEach(() => test.stop())

  it('are answered in order, however many commands come at once', async () => {
    const nsqd = await test.connectUnidentified()
    nsqd.send(identify(), 'REGISTER t c\n'.repeat(5_000), 'NOPE\n')
    await nsqd.answer()
    for (let count = 0; count < 5_000; count++) assert.equal(await nsqd.answer(), 'OK')
    assert.equal(await nsqd.answer(), 'E_INVALID invalid command NOPE')
    await nsqd.closed
  })

  it('get their answers when they have ended their half', async () => {
    const nsqd = await test.connectUnidentified()
    nsqd.socket.end('PING\nIDENTIFY\n')
    assert.deepEqual([await nsqd.answer(), await nsqd.answer()], ['OK', 'E_BAD_BODY IDENTIFY failed to read body size'])
    await nsqd.closed
  })

  it('are closed at once beyond the limit, which the log counts', async () => {
    for (let count = 0; count < 3; count++) await test.connect()
    for (let count = 0; count < 2; count++) {
      const socket = connect(test.tcpPort, '127.0.0.1')
      socket.on('error', () => {})
      await once(socket, 'close')
    }
    test.clock.advance(10_000)
    const line = test.logger.lines.find(({ message }) => message.startsWith('connections of nsqds closed at once'))
    assert.deepEqual(line?.fields, { count: 2 })
  })

  it('do not disturb each other when they break', async () => {
    const one = await test.connect()
    const two = await test.connect({ broadcast_address: 'two.test' })
    one.socket.resetAndDestroy()
    assert.equal(await two.ask('PING\n'), 'OK')
    const { producers } = await test.show<{ producers: unknown[] }>('/nodes')
    assert.ok(producers.length >= 1)
  })

  it('are closed at a stop, after what was answered', async () => {
    const nsqd = await test.connect()
    nsqd.send('PING\n')
    assert.equal(await nsqd.answer(), 'OK')
    await test.lookupd.stop()
    await nsqd.closed
    await test.lookupd.stop() // once more does nothing
  })
})

/** Resolves when `read` gives the same number for many turns of the event loop. */
async function unchanging(read: () => number): Promise<number> {
  let value = Number.NaN
  for (let turns = 0; turns < 100; turns++) {
    if (read() !== value) turns = 0
    value = read()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return value
}

describe('an nsqlookupd', () => {
  it('says which address is taken, and leaves the other one free', async () => {
    const first = await TestLookupd.start()
    const taken = `127.0.0.1:${first.tcpPort}`
    const second = new TestLookupd({ tcpAddress: taken })
    await assert.rejects(second.lookupd.start(), { code: 'E_LISTEN', message: /address already in use/ })
    const address = second.lookupd.httpAddress
    await first.stop()
    const third = await TestLookupd.start({ httpAddress: `127.0.0.1:${address?.port}` })
    await third.stop()
  })

  describe('on Unix sockets', () => {
    let folder: string
    let lookupd: Lookupd
    let socket: Socket

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'spillway-lookupd-'))
      const addresses = { tcpAddress: join(folder, 'tcp.sock'), httpAddress: join(folder, 'http.sock') }
      lookupd = new Lookupd(addresses, { clock: new FakeClock(), logger: new TestLogger() })
      await lookupd.start()
      socket = connect(addresses.tcpAddress)
    })
    afterEach(async () => {
      socket.destroy()
      await lookupd.stop()
      await rm(folder, { recursive: true })
    })

    it('answers as on ports', async () => {
      assert.deepEqual(lookupd.tcpAddress, { protocol: 'tcp', address: join(folder, 'tcp.sock'), port: -1 })
      socket.write('  V1PING\n')
      const [answer] = await once(socket, 'data')
      assert.equal(answer.toString('latin1'), '\0\0\0\x02OK')
    })

    // Their buffers do not grow, so that it takes little to fill them.
    it('does not read from those who do not take their answers', async () => {
      const pings = `  V1${'PING\n'.repeat(400_000)}`
      socket.write(pings)
      const unsentBytes = await unchanging(() => socket.writableLength)
      assert.ok(unsentBytes > pings.length / 4, `${unsentBytes} of ${pings.length} bytes are unsent`)
      let answerBytes = 0
      socket.on('data', (part) => {
        answerBytes += part.length
      })
      await unchanging(() => answerBytes)
      assert.equal(answerBytes, 6 * 400_000)
    })
  })
})
