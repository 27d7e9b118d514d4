import assert from 'node:assert/strict'
import { SettleResult } from '@spillway/core'
import fc from 'fast-check'
import { LINE_SIZE_BYTES_MAX } from '../src/command-reader.js'
import { bytesOf, FakeBroker, int32, messages, TestClient, withBody } from './support.js'

const ID = '0123456789abcdef'
const OTHER_ID = 'fedcba9876543210'

/** Everything that a peer can notice of what became of `bytes`, sent in pieces that end at `cuts`. */
async function outcomeOf(bytes: Buffer, cuts: readonly number[], endsThen: boolean): Promise<unknown> {
  const broker = new FakeBroker()
  broker.settleResults.set(ID, SettleResult.ok).set(OTHER_ID, SettleResult.notOwner)
  const client = new TestClient(broker)
  let start = 0
  for (const cut of [...cuts, bytes.length]) {
    // The transport may use its buffer again: nothing may be kept of it.
    const chunk = Buffer.from(bytes.subarray(start, cut))
    client.session.receive(chunk)
    chunk.fill(0x21)
    start = cut
    // Only what is asynchronous needs a turn in between, and only sometimes gets it.
    if (cut % 3 === 0) await client.clock.settle()
  }
  await client.clock.settle()
  if (endsThen) await client.end()
  const subscription = broker.subscriptions[0]
  return {
    frames: client.take(),
    hasEnded: client.output.hasEnded,
    isPaused: client.output.isPaused && !client.output.hasEnded,
    publishes: broker.publishes.map(({ topic, bodies, delayMs }) => ({ topic, bodies, delayMs })),
    openedTopics: broker.openedTopics,
    ready: subscription?.ready,
    settled: subscription && [subscription.finished, subscription.requeued, subscription.touched],
    chargedBytes: client.output.hasEnded ? broker.chargedBytes : 0,
  }
}

const body = fc.string({ minLength: 1, maxLength: 30, unit: fc.constantFrom('a', '\n', ' ', '\0', '\xff', 'FIN ') })
const good = fc.oneof(
  body.map((text) => withBody('PUB t', text)),
  body.map((text) => withBody('DPUB u 10', text)),
  fc.array(body, { minLength: 1, maxLength: 5 }).map((bodies) => withBody('MPUB t', messages(...bodies))),
  fc.constantFrom('NOP\n', 'NOP\r\n', 'NOP x  y\n').map((text) => bytesOf(text)),
  fc.constantFrom('{}', 'null', '{"heartbeat_interval":5000}').map((json) => withBody('IDENTIFY', json)),
)
const consumed = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(`FIN ${ID}\n`, `FIN ${OTHER_ID}\n`, `FIN ${ID}\r\n`, `FIN ${ID} x\n`) },
  { weight: 1, arbitrary: fc.constantFrom(`REQ ${ID} 5\n`, `TOUCH ${ID}\n`, 'RDY 3\n', 'RDY\n') },
)
const bad = fc.oneof(
  fc.constantFrom('\n', 'FIN x\n', 'PUB\n', 'nonsense', 'SUB t\n', 'CLS\nCLS\n').map((text) => bytesOf(text)),
  fc.constantFrom(0, -1, 1_048_577).map((size) => bytesOf('PUB t\n', int32(size))),
  fc.constantFrom(messages('a', ''), bytesOf(messages('a'), 'x'), int32(3)).map((text) => withBody('MPUB t', text)),
  fc.constantFrom(1, 2).map((size) => bytesOf('PUB t\n', int32(9), 'x'.repeat(size))),
  fc.constantFrom(-1, 0, 1).map((more) => bytesOf('NOP ', 'x'.repeat(LINE_SIZE_BYTES_MAX - 5 + more), '\n')),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => bytesOf(bytes)),
)
const conversation = fc.record({
  before: fc.array(good, { maxLength: 4 }),
  after: fc.option(fc.array(consumed, { maxLength: 6 })),
  more: fc.array(good, { maxLength: 2 }),
  last: fc.option(bad),
})

function bytesOfConversation({
  before,
  after,
  more,
  last,
}: typeof conversation extends fc.Arbitrary<infer T> ? T : never) {
  const consuming = after === null ? [] : [bytesOf('SUB t c\nRDY 9\n'), ...after.map((text) => bytesOf(text))]
  return bytesOf('  V2', ...before, ...consuming, ...more, ...(last === null ? [] : [last]))
}

describe('however the bytes are split over reads', () => {
  it('the same comes of them', async () => {
    await fc.assert(
      fc.asyncProperty(conversation, fc.array(fc.nat(), { maxLength: 8 }), fc.boolean(), async (talk, places, ends) => {
        const bytes = bytesOfConversation(talk)
        const cuts = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b)
        assert.deepEqual(await outcomeOf(bytes, cuts, ends), await outcomeOf(bytes, [], ends))
      }),
      { numRuns: 400 },
    )
  })

  it('the same comes of them, byte by byte', async () => {
    const bytes = bytesOf(
      '  V2',
      withBody('IDENTIFY', '{"client_id":"x","feature_negotiation":true}'),
      withBody('PUB t', 'one\n'),
      withBody('MPUB t', messages('two', 'FIN \n', 'three')),
      withBody('DPUB t 5', 'four'),
      'SUB t c\r\nRDY 5\n',
      `FIN ${ID}\nFIN ${OTHER_ID}\r\nREQ ${ID} 0\nTOUCH ${OTHER_ID} \nCLS\nNOP\nFIN ${ID}x\n`,
    )
    const whole = await outcomeOf(bytes, [], true)
    const everywhere = Array.from({ length: bytes.length }, (_, index) => index)
    assert.deepEqual(await outcomeOf(bytes, everywhere, true), whole)
    for (const cut of everywhere) assert.deepEqual(await outcomeOf(bytes, [cut], true), whole)
  })
})

describe('a large body', () => {
  it('takes no longer for coming byte by byte than its bytes are worth', async () => {
    const client = new TestClient()
    await client.send('  V2')
    const mpub = withBody('MPUB t', messages(...Array.from({ length: 5 }, () => 'x'.repeat(999_000))))
    const startedMs = performance.now()
    for (let at = 0; at < mpub.length; at++) client.session.receive(mpub.subarray(at, at + 1))
    const tookMs = performance.now() - startedMs
    await client.clock.settle()
    assert.deepEqual(client.take(), ['OK'])
    assert.equal(client.broker.publishes[0].bodies.length, 5)
    assert.equal(client.broker.chargedBytes, 0)
    // Quadratic work would take minutes; this bound is for a machine under heavy load.
    assert.ok(tookMs < 15_000, `${tookMs} ms`)
  }).timeout(60_000)

  it('may hold as many messages as fit into it', async () => {
    const client = new TestClient()
    await client.send('  V2')
    const count = 1_048_575
    const mpub = Buffer.alloc(4 + count * 5)
    mpub.writeInt32BE(count)
    for (let index = 0; index < count; index++) mpub[4 + index * 5 + 3] = 1
    const sent = withBody('MPUB t', mpub)
    for (let at = 0; at < sent.length; at += 65_536) client.session.receive(sent.subarray(at, at + 65_536))
    await client.clock.settle()
    assert.deepEqual(client.take(), ['OK'])
    assert.equal(client.broker.publishes[0].bodies.length, count)
  })
})
