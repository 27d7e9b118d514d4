import assert from 'node:assert/strict'
import { Consumer, type ConsumerOptions, type Message, Producer, type ProducerOptions } from '@spillway/client'
import { bodyOf, serialOf } from '../interop/message-plan.js'
import { eventually } from '../support/eventually.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import { within } from '../support/within.js'

const LIMIT_MS = 30_000

/** Everything of the client, against a broker that runs. */
describe('client', function () {
  this.timeout(60_000)
  let broker: RunningBroker
  let open: (Producer | Consumer)[]

  before(async () => {
    // Enough for what a test publishes: nsqd keeps no order between its memory and its disk.
    broker = await startBroker({ flags: ['--mem-queue-size=200000', '--max-msg-timeout=10s'] })
  })
  after(() => broker.stop())
  beforeEach(() => {
    open = []
  })
  afterEach(async () => {
    await Promise.all(open.map((each) => each.close()))
  })

  function producerWith(options: Partial<ProducerOptions> = {}): Producer {
    const producer = new Producer({ address: broker.tcpAddress, ...options })
    open.push(producer)
    return producer
  }

  function consumerOf(topic: string, options: Partial<ConsumerOptions> = {}): Consumer {
    const all = { topic, channel: 'c', address: broker.tcpAddress, maxInFlight: 500, closeTimeoutMs: 5_000, ...options }
    const consumer = new Consumer(all)
    open.push(consumer)
    return consumer
  }

  const channel = (topic: string) => broker.http.channelStats(topic, 'c')

  /** Publishes 0 to `count` - 1, many at a time. */
  async function publishAll(producer: Producer, topic: string, count: number): Promise<void> {
    let published: Promise<void>[] = []
    for (let serial = 0; serial < count; serial++) {
      published.push(producer.publish(topic, bodyOf(serial)))
      if (published.length < 2_000) continue
      await Promise.all(published)
      published = []
    }
    await Promise.all(published)
  }

  it('publishes and consumes 100,000 messages, in order and whole', async () => {
    const count = 100_000
    const topic = 'client-many'
    const consumer = consumerOf(topic)
    await consumer.connect()
    const isPublished = publishAll(producerWith(), topic, count)
    let next = 0
    let mistake = ''
    const isConsumed = new Promise<void>((resolve) => {
      void consumer.run((message) => {
        const text = message.text()
        if (text !== bodyOf(next) || message.attempts !== 1)
          mistake ||= `${text}, attempts ${message.attempts}, instead of ${next}`
        if (++next === count) resolve()
      })
    })
    await within(Promise.all([isPublished, isConsumed]), LIMIT_MS, `${count} messages`)
    assert.equal(mistake, '')
    await eventually(
      async () => ((await channel(topic))?.in_flight_count === 0 ? true : undefined),
      LIMIT_MS,
      'the end',
    )
    assert.equal((await channel(topic))?.depth, 0)
  })

  it('publishes batches, binary bodies and large ones', async () => {
    const topic = 'client-batches'
    const producer = producerWith()
    const bodies = Array.from({ length: 1_000 }, (_, serial) => Buffer.from(bodyOf(serial)))
    const large = Buffer.from(Array.from({ length: 900_000 }, (_, index) => (index * 31) & 0xff))
    const consumer = consumerOf(topic)
    await consumer.connect()
    const got: Buffer[] = []
    void consumer.run((message) => void got.push(message.body))
    await producer.publishMany(topic, bodies)
    await producer.publish(topic, large)
    await producer.publishMany(topic, [large, 'small'])
    await eventually(() => (got.length === bodies.length + 3 ? true : undefined), LIMIT_MS, 'all of them')
    assert.deepEqual(got, [...bodies, large, large, Buffer.from('small')])
  })

  it('a deferred message comes when it is due', async () => {
    const topic = 'client-deferred'
    const consumer = consumerOf(topic)
    await consumer.connect()
    const iterator = consumer[Symbol.asyncIterator]()
    const publishedMs = Date.now()
    await producerWith().publishDeferred(topic, 'later', 400)
    const { value: message } = await within(iterator.next(), LIMIT_MS, 'the message')
    assert.ok(Date.now() - publishedMs >= 390)
    message?.finish()
  })

  it('what a handler fails at comes again, with its attempts counted, and is discarded in the end', async () => {
    const topic = 'client-failing'
    const attempts: number[] = []
    const discarded = new Promise<Message>((resolve) => {
      const onDiscarded = (message: Message): void => resolve(message)
      const consumer = consumerOf(topic, { maxAttempts: 3, requeueDelayMs: 10, backoffDelayMsMax: 0, onDiscarded })
      consumer.on('handlerFailed', () => undefined)
      void consumer.run((message) => {
        attempts.push(message.attempts)
        throw new Error('never')
      })
    })
    await producerWith().publish(topic, 'poison')
    const message = await within(discarded, LIMIT_MS, 'the discarded message')
    assert.deepEqual(attempts, [1, 2, 3])
    assert.deepEqual([message.text(), message.attempts], ['poison', 4])
    await eventually(
      async () => ((await channel(topic))?.in_flight_count === 0 ? true : undefined),
      LIMIT_MS,
      'the end',
    )
  })

  it('backs off with one test message, and takes everything again after it', async () => {
    const topic = 'client-backoff'
    const consumer = consumerOf(topic, { requeueDelayMs: 0, backoffDelayMs: 50 })
    const levels: number[] = []
    consumer.on('backoff', ({ level }) => levels.push(level))
    consumer.on('handlerFailed', () => undefined)
    let handledCount = 0
    const isDone = new Promise<void>((resolve) => {
      void consumer.run((message) => {
        if (message.attempts === 1 && serialOf(message.text()) === 0) throw new Error('once')
        if (++handledCount === 1_000) resolve()
      })
    })
    await publishAll(producerWith(), topic, 1_000)
    await within(isDone, LIMIT_MS, 'all of them')
    assert.equal(levels[0], 1)
    await eventually(() => (levels.at(-1) === 0 ? true : undefined), LIMIT_MS, 'the end of the backoff')
  })

  it('a message that is not settled in time comes again, one that is touched does not', async () => {
    const topic = 'client-timeout'
    const consumer = consumerOf(topic, { messageTimeoutMs: 1_000 })
    const failed: string[] = []
    consumer.on('settleFailed', ({ error }) => failed.push(error.code))
    await consumer.connect()
    const messages = consumer[Symbol.asyncIterator]()
    await producerWith().publishMany(topic, ['left', 'touched'])
    const left = (await messages.next()).value as Message
    const touched = (await messages.next()).value as Message
    assert.deepEqual([left.text(), touched.text()], ['left', 'touched'])
    const touching = setInterval(() => touched.touch(), 300)
    try {
      const again = (await within(messages.next(), LIMIT_MS, 'the message again')).value as Message
      assert.deepEqual([again.text(), again.attempts], ['left', 2])
      // Our clock began a little later than the broker's.
      await eventually(() => (left.isInFlight ? undefined : true), LIMIT_MS, 'the deadline')
      assert.ok(touched.isInFlight)
      for (const message of [again, left, touched]) message.finish()
      await eventually(
        () => (failed.length > 0 ? true : undefined),
        LIMIT_MS,
        'the answer to the FIN that is one too many',
      )
      assert.deepEqual(failed, ['E_FIN_FAILED'])
    } finally {
      clearInterval(touching)
    }
  })

  it('close: a producer publishes what it was given, a consumer settles what it has begun with', async () => {
    const topic = 'client-closing'
    const count = 5_000
    const producer = producerWith()
    const published = Array.from({ length: count }, (_, serial) => producer.publish(topic, bodyOf(serial)))
    await Promise.all([producer.close(), Promise.all(published)])
    const consumer = consumerOf(topic, { maxInFlight: 300 })
    let begunCount = 0
    let doneCount = 0
    void consumer.run(
      async () => {
        begunCount++
        await new Promise((resolve) => setTimeout(resolve, 20))
        doneCount++
      },
      { concurrency: 50 },
    )
    await eventually(() => (doneCount > 100 ? true : undefined), LIMIT_MS, 'some of them')
    await consumer.close()
    assert.equal(doneCount, begunCount)
    const stats = await eventually(
      async () => {
        const now = await channel(topic)
        return now?.in_flight_count === 0 && now.deferred_count === 0 ? now : undefined
      },
      LIMIT_MS,
      'nothing in flight',
    )
    assert.equal(stats.depth + doneCount, count)
  })

  it('goes on when the broker refuses a message', async () => {
    const topic = 'client-refused'
    const producer = producerWith()
    const sizes = [10, 2 * 1024 * 1024, 10, 10]
    const settled = await Promise.allSettled(sizes.map((size) => producer.publish(topic, Buffer.alloc(size, 'x'))))
    const [first, refused, ...rest] = settled.map(({ status }) => status)
    assert.deepEqual([first, refused], ['fulfilled', 'rejected'])
    // A broker that closes while we still write may cut its own answer off; then the fate of all is unknown.
    const reason = (settled[1] as PromiseRejectedResult).reason.code
    assert.ok(['E_BAD_MESSAGE', 'E_FATE_UNKNOWN'].includes(reason), reason)
    if (reason === 'E_BAD_MESSAGE') assert.deepEqual(rest, ['fulfilled', 'fulfilled'])
    await producer.publish(topic, 'fine')
  })
})

it('client: talks over Unix sockets', async () => {
  const broker = await startBroker({ unixSockets: true })
  const address = `${broker.directory}/tcp.sock`
  const producer = new Producer({ address })
  const consumer = new Consumer({ topic: 'unix', channel: 'c', address })
  try {
    await producer.publish('unix', 'hello')
    const received = new Promise<string>((resolve) => void consumer.run((message) => resolve(message.text())))
    assert.equal(await within(received, LIMIT_MS, 'the message'), 'hello')
  } finally {
    await Promise.all([producer.close(), consumer.close()])
    await broker.stop()
  }
})
