import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type Broker, type Engine, REPORTER, type TimerHandle } from '@spillway/core'
import { FakeClock, TestLogger, testEngine } from '@spillway/core/testing'
import plugin, { type StatsdOptions, StatsdReporter } from '../src/index.js'

/** A real statsd, as far as it listens. */
class Statsd {
  readonly packets: string[] = []
  readonly #socket: Socket = createSocket('udp4')
  #wake = (): void => {}

  async start(): Promise<void> {
    this.#socket.on('message', (packet) => {
      this.packets.push(packet.toString())
      this.#wake()
    })
    this.#socket.bind(0, '127.0.0.1')
    await once(this.#socket, 'listening')
  }

  get address(): string {
    return `127.0.0.1:${(this.#socket.address() as AddressInfo).port}`
  }

  get lines(): string[] {
    return this.packets.flatMap((packet) => packet.split('\n').slice(0, -1))
  }

  async received(count: number): Promise<void> {
    while (this.packets.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()))
  }
}

/** The sum of a counter over all lines. */
function toldIn(lines: readonly string[], counter: string): number {
  const values = lines.map((line) => (line.includes(`${counter}:`) ? Number(/:(\d+)\|c$/.exec(line)?.[1]) : 0))
  return values.reduce((sum, value) => sum + value, 0)
}

describe('statsd', () => {
  let statsd: Statsd
  let clock: FakeClock
  let engine: Engine
  let logger: TestLogger
  let reporter: StatsdReporter | null = null

  beforeEach(async () => {
    statsd = new Statsd()
    await statsd.start()
    clock = new FakeClock()
    logger = new TestLogger()
    engine = testEngine({
      clock,
      logger,
      options: {
        broadcastAddress: 'my.host',
        broadcastHttpPort: 4151,
        e2eLatencyQuantiles: [0.995, 0.99],
      },
    })
    await engine.open()
  })

  afterEach(async () => {
    await reporter?.stop()
    reporter = null
    await statsd.stop()
  })

  function start(options: Partial<StatsdOptions> = {}, broker: Broker = engine): StatsdReporter {
    const defaults = {
      address: statsd.address,
      prefix: 'nsq.%s',
      intervalMs: 60_000,
      memStats: false,
      packetSizeBytes: 508,
      excludeEphemeral: false,
    }
    reporter = new StatsdReporter({ ...defaults, ...options }, clock, logger)
    reporter.start(broker)
    return reporter
  }

  const message = Buffer.from('\0\0\0\x05hello', 'latin1')
  const waiter = { published: () => {}, publishFailed: () => {} }
  async function publish(topic: string, count: number): Promise<void> {
    for (let published = 0; published < count; published++) {
      engine.openTopic(topic).publish(message, 0, message.length, 1, waiter, 0)
    }
    await clock.settle()
  }

  it("is told what nsqd tells, in nsqd's names and order, counters as what came in addition", async () => {
    await engine.openTopic('orders').openChannel('mail')
    await publish('orders', 3)
    start({ packetSizeBytes: 4096 })
    clock.advance(60_000)
    await statsd.received(1)
    const p = 'nsq.my_host_4151.topic.orders'
    const c = `${p}.channel.mail`
    assert.deepEqual(statsd.lines, [
      `${p}.message_count:3|c`,
      `${p}.message_bytes:15|c`,
      `${p}.depth:0|g`,
      `${p}.backend_depth:0|g`,
      `${p}.e2e_processing_latency_99_5:0|g`,
      `${p}.e2e_processing_latency_99:0|g`,
      `${c}.message_count:3|c`,
      `${c}.depth:3|g`,
      `${c}.backend_depth:0|g`,
      `${c}.in_flight_count:0|g`,
      `${c}.deferred_count:0|g`,
      `${c}.requeue_count:0|c`,
      `${c}.timeout_count:0|c`,
      `${c}.clients:0|g`,
      `${c}.e2e_processing_latency_99_5:0|g`,
      `${c}.e2e_processing_latency_99:0|g`,
    ])
    statsd.packets.length = 0
    await publish('orders', 2)
    clock.advance(60_000)
    await statsd.received(1)
    assert.ok(statsd.lines.includes(`${p}.message_count:2|c`))
  })

  it('gets packets that end with a line and are no longer than they may be, spread over the interval', async () => {
    for (const topic of ['a', 'b', 'c']) engine.openTopic(topic)
    start({ packetSizeBytes: 120, intervalMs: 10_000 })
    clock.advance(10_000)
    await statsd.received(1)
    assert.equal(statsd.packets.length, 1)
    clock.advance(9_000)
    while (statsd.lines.length < 3 * 4) await statsd.received(statsd.packets.length + 1)
    for (const packet of statsd.packets) assert.ok(packet.length <= 120 && packet.endsWith('\n'), packet)
    assert.equal(statsd.lines.length, 3 * 4)
  })

  it('is told of memory, unless it is not to be', async () => {
    start({ memStats: true, prefix: '' })
    clock.advance(60_000)
    await statsd.received(1)
    assert.deepEqual(
      statsd.lines.map((line) => line.replace(/:\d+\|/, '|')),
      [
        'mem.heap_objects|g',
        'mem.heap_idle_bytes|g',
        'mem.heap_in_use_bytes|g',
        'mem.heap_released_bytes|g',
        'mem.gc_pause_usec_100|g',
        'mem.gc_pause_usec_99|g',
        'mem.gc_pause_usec_95|g',
        'mem.next_gc_bytes|g',
        'mem.gc_runs|c',
      ],
    )
  })

  it('hears nothing of what is ephemeral when that is left out', async () => {
    await engine.openTopic('kept').openChannel('gone#ephemeral')
    engine.openTopic('gone#ephemeral')
    start({ excludeEphemeral: true })
    clock.advance(60_000)
    await statsd.received(1)
    assert.ok(statsd.lines.length > 0 && !statsd.lines.some((line) => line.includes('gone')))
  })

  it('may be told every second and oftener', async () => {
    engine.openTopic('t')
    start({ intervalMs: 100 })
    clock.advance(100)
    await statsd.received(1)
    clock.advance(100)
    await statsd.received(2)
  })

  it('gets the last numbers when the node stops', async () => {
    engine.openTopic('t')
    await start().stop()
    await statsd.received(1)
    assert.ok(statsd.lines.length > 0)
  })

  it('gets what is left of a push before the next one, when timers are late', async () => {
    class LateClock extends FakeClock {
      override setTimer(delayMs: number, callback: () => void): TimerHandle {
        return super.setTimer(delayMs + 50, callback)
      }
    }
    clock = new LateClock()
    engine = testEngine({ clock, logger })
    await engine.open()
    for (let index = 0; index < 10; index++) await publish(`t${index}`, 1)
    start({ packetSizeBytes: 1, intervalMs: 2_000 })
    // Each line is a packet, and forty times 50 ms are more than the second that a push has.
    await clock.advanceAsync(4_200)
    await statsd.received(41)
    assert.equal(toldIn(statsd.lines, '.message_count'), 10)
  })

  it('gets what is left of a push when the node stops, then the last numbers', async () => {
    await publish('a', 2)
    await publish('b', 3)
    start({ packetSizeBytes: 1 })
    await clock.advanceAsync(60_000)
    await publish('b', 4)
    await reporter?.stop()
    await statsd.received(2 * 2 * 4)
    assert.equal(toldIn(statsd.lines, '.message_count'), 9)
  })

  it('is told all of a topic that was deleted, and is there again with more messages', async () => {
    await publish('t', 2)
    start({ intervalMs: 1_000 })
    await clock.advanceAsync(1_000)
    await statsd.received(1)
    const deleting = engine.getTopic('t')?.delete()
    await clock.settle()
    await deleting
    await clock.advanceAsync(1_000)
    await publish('t', 3)
    await clock.advanceAsync(1_000)
    await statsd.received(2)
    assert.equal(toldIn(statsd.lines, '.message_count'), 5)
  })

  it('does not hold up the stop for longer than a second where its name is not answered', async () => {
    let lookupCount = 0
    const lookup = (): Promise<never> => {
      lookupCount++
      return new Promise(() => {})
    }
    const options = { address: 'statsd.test:8125', prefix: '', intervalMs: 1_000, memStats: false }
    reporter = new StatsdReporter({ ...options, packetSizeBytes: 1, excludeEphemeral: false }, clock, logger, lookup)
    reporter.start(engine)
    await clock.advanceAsync(5_000)
    const stopping = reporter.stop()
    await clock.advanceAsync(1_000)
    await stopping
    assert.equal(lookupCount, 1)
  })

  it('is looked up at the start and once for each push, not at the stop', async () => {
    let lookupCount = 0
    const lookup = async () => {
      lookupCount++
      return { address: '127.0.0.1', family: 4 }
    }
    for (const topic of ['a', 'b', 'c']) engine.openTopic(topic)
    const options = { address: statsd.address.replace('127.0.0.1', 'statsd.test'), prefix: '', intervalMs: 1_000 }
    const rest = { memStats: false, packetSizeBytes: 1, excludeEphemeral: false }
    reporter = new StatsdReporter({ ...options, ...rest }, clock, logger, lookup)
    reporter.start(engine)
    await clock.advanceAsync(2_000)
    await reporter.stop()
    await statsd.received(3 * 4 * 3)
    assert.equal(lookupCount, 3)
  })

  it('is told later what could not be told while its name was not found', async () => {
    let isThere = false
    const lookup = async () => {
      if (!isThere) throw new Error('no such host')
      return { address: '127.0.0.1', family: 4 }
    }
    const address = `statsd.test:${statsd.address.split(':')[1]}`
    const options = { address, prefix: '', intervalMs: 1_000, memStats: false }
    reporter = new StatsdReporter({ ...options, packetSizeBytes: 508, excludeEphemeral: false }, clock, logger, lookup)
    reporter.start(engine)
    await publish('t', 2)
    await clock.advanceAsync(1_000)
    isThere = true
    await clock.advanceAsync(1_000)
    await statsd.received(1)
    assert.equal(toldIn(statsd.lines, '.message_count'), 2)
  })

  it('must have a port from 1 to 65535, or the node does not start', () => {
    for (const address of ['127.0.0.1:99999', '127.0.0.1:0', '127.0.0.1', '::1:8125']) {
      assert.throws(() => start({ address }), { code: 'E_INVALID_OPTION', message: /expected host:port/ }, address)
    }
  })

  it('is complained of once while it cannot be found', async () => {
    engine.openTopic('t')
    start({ address: 'no.such.host.invalid:8125' })
    for (let count = 0; count < 3; count++) {
      clock.advance(60_000)
      while (logger.messages('error').length === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal(logger.messages('error').length, 1)
  })

  it('is a plugin that provides a reporter', () => {
    assert.equal(plugin.provides, REPORTER)
  })
})
