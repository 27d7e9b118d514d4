import assert from 'node:assert/strict'
import type { Random } from '@spillway/core'
import { randomBelow, seededRandom } from '@spillway/core/testing'
import { SessionContext } from '../src/index.js'
import { bytesOf, FakeBroker, int32, messages, TestClient, withBody } from './support.js'

const CASES = 100_000
const CASES_PER_BROKER = 1_000
const ID = '0123456789abcdef'
const LIVE_SIZE_BYTES_MAX = 10 * 1024 * 1024

/** Every text that a peer may get, whatever it sends. */
const DOCUMENTED = [
  'OK',
  'CLOSE_WAIT',
  'E_BAD_PROTOCOL',
  'E_INVALID invalid command .*',
  'E_INVALID cannot [A-Z]+ in current state',
  'E_INVALID cannot SUB with heartbeats disabled',
  'E_INVALID (SUB|PUB|MPUB|DPUB) insufficient number of parameters',
  'E_INVALID (FIN|REQ|TOUCH) insufficient number of params',
  'E_INVALID AUTH invalid number of parameters',
  'E_INVALID invalid message ID',
  'E_INVALID RDY (could not parse count .*|count [0-9]+ out of range 0-2500)',
  'E_INVALID REQ could not parse timeout .*',
  'E_INVALID DPUB (could not parse timeout .*|timeout [0-9]+ out of range 0-3600000)',
  'E_BAD_TOPIC (SUB|PUB|DPUB|E_BAD_TOPIC MPUB) topic name ".*" is not valid',
  'E_BAD_CHANNEL SUB channel name ".*" is not valid',
  'E_BAD_BODY IDENTIFY (failed to decode JSON body|[a-z ]+ \\(-?[0-9]+\\) is invalid)',
  'E_BAD_BODY (IDENTIFY|AUTH|MPUB) (body too big [0-9]+ > 5242880|invalid body size -?[0-9]+|failed to read body( size)?)',
  'E_BAD_BODY MPUB (failed to read message count|invalid message count -?[0-9]+)',
  'E_BAD_MESSAGE (PUB|DPUB) (invalid message body size -?[0-9]+|failed to read message body( size)?)',
  'E_BAD_MESSAGE (PUB|DPUB|MPUB) message too big [0-9]+ > 1048576',
  'E_BAD_MESSAGE MPUB (invalid message\\([0-9]+\\) body size -?[0-9]+|failed to read message(\\([0-9]+\\))? body( size)?)',
  'E_AUTH_DISABLED AUTH disabled',
  `E_(FIN|REQ|TOUCH)_FAILED (FIN|REQ|TOUCH) .{16} failed (ID not in flight|client does not own message)`,
].map((text) => new RegExp(`^${text}$`, 's'))
const HARMLESS = /^(OK$|CLOSE_WAIT$|E_(FIN|REQ|TOUCH)_FAILED )/

/** Commands, good ones, with and without the magic in front. */
const SEEDS: readonly Buffer[] = [
  withBody('IDENTIFY', '{"client_id":"x","heartbeat_interval":30000,"sample_rate":10,"feature_negotiation":false}'),
  withBody('AUTH', 'secret'),
  bytesOf('SUB t c\n'),
  bytesOf('SUB t#ephemeral c#ephemeral\n'),
  bytesOf('RDY 100\n'),
  bytesOf(`FIN ${ID}\n`),
  bytesOf(`REQ ${ID} 1000\r\n`),
  bytesOf(`TOUCH ${ID}\n`),
  bytesOf('CLS\n'),
  bytesOf('NOP\n'),
  withBody('PUB t', 'hello'),
  withBody('DPUB t 1000', 'later'),
  withBody('MPUB t', messages('a', 'bb', 'ccc')),
]
const EDGES = [0, 1, -1, 0x7fff_ffff, -0x8000_0000, 1_048_576, 1_048_577, 5_242_881]
const BITS = ['\n', ' ', '\r', '\0', '\xff', '#ephemeral', '-1', '99999999999999999999', '  V2', '{', '"', ID]

/** A conversation with a few things wrong in it. */
function malformed(random: Random): Buffer {
  const parts: Buffer[] = random() < 0.02 ? [] : [bytesOf('  V2')]
  for (let count = randomBelow(random, 5); count >= 0; count--) parts.push(SEEDS[randomBelow(random, SEEDS.length)])
  let bytes: Buffer = Buffer.concat(parts)
  for (let count = randomBelow(random, 4); count > 0; count--) bytes = mutate(bytes, random)
  return bytes
}

function mutate(bytes: Buffer, random: Random): Buffer {
  const at = 4 + randomBelow(random, Math.max(1, bytes.length - 3))
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (randomBelow(random, 6)) {
    case 0: // one byte changed
      return Buffer.concat([head, Buffer.of(randomBelow(random, 256)), tail.subarray(1)])
    case 1: // a few bytes lost
      return Buffer.concat([head, tail.subarray(randomBelow(random, 9))])
    case 2: // something put in between
      return bytesOf(head, BITS[randomBelow(random, BITS.length)], tail)
    case 3: // a size or a count at its edge
      return bytesOf(head, int32(EDGES[randomBelow(random, EDGES.length)]), tail.subarray(4))
    case 4: // the end is missing
      return head
    default: // noise
      return Buffer.concat([head, Buffer.from(Array.from({ length: 8 }, () => randomBelow(random, 256))), tail])
  }
}

/** Sends `bytes` in pieces, then leaves; returns what was wrong with the answers. */
function converse(client: TestClient, bytes: Buffer, random: Random): string[] {
  const splits = random() < 0.5
  for (let at = 0; at < bytes.length; ) {
    const end = splits ? Math.min(bytes.length, at + 1 + randomBelow(random, 20)) : bytes.length
    client.session.receive(bytes.subarray(at, end))
    at = end
  }
  client.clock.flush()
  client.session.ended()
  client.clock.flush()
  return client.take()
}

function complaints(frames: readonly string[]): string[] {
  const undocumented = frames.filter((frame) => !DOCUMENTED.some((text) => text.test(frame)) && !frame.startsWith('{'))
  const tooEarly = frames.slice(0, -1).filter((frame) => !HARMLESS.test(frame) && !frame.startsWith('{'))
  return [
    ...undocumented.map((frame) => `not documented: ${frame}`),
    ...tooEarly.map((frame) => `not the end: ${frame}`),
  ]
}

describe('malformed input', () => {
  const seed = Number(process.env.SPILLWAY_SEED ?? Math.floor(Math.random() * 2 ** 32))

  it(`gets documented answers, ${CASES} times, and leaves nothing behind (SPILLWAY_SEED=${seed})`, async () => {
    const random = seededRandom(seed)
    const fuzz = async (cases: number): Promise<void> => {
      const broker = new FakeBroker()
      const context = new SessionContext(broker)
      const clients: TestClient[] = []
      for (let index = 0; index < cases; index++) {
        const bytes = malformed(random)
        const client = new TestClient(broker, context)
        const wrong = complaints(converse(client, bytes, random))
        if (wrong.length > 0) assert.fail(`${wrong.join('; ')} after ${JSON.stringify(bytes.toString('latin1'))}`)
        clients.push(client)
      }
      // What waited for a subscription goes on now.
      await broker.clock.settle()
      for (const client of clients) {
        assert.deepEqual(complaints(client.take()), [])
        assert.ok(client.output.hasEnded)
        client.session.closed()
      }
      await broker.clock.settle()
      assert.equal(broker.clients.size, 0)
      assert.equal(broker.chargedBytes, 0)
      broker.clock.advance(10_000) // the log counts refused clients so long
      assert.equal(broker.clock.timerCount, 0)
      assert.ok(broker.subscriptions.every((subscription) => subscription.isClosed))
    }
    await fuzz(CASES_PER_BROKER)
    const before = await liveSizeBytes()
    for (let done = CASES_PER_BROKER; done < CASES; done += CASES_PER_BROKER) await fuzz(CASES_PER_BROKER)
    const grownBytes = (await liveSizeBytes()) - before
    assert.ok(grownBytes < LIVE_SIZE_BYTES_MAX, `${grownBytes} bytes more than before`)
  }).timeout(120_000)
})

/** What is reachable: on the heap, and in buffers beside it. */
async function liveSizeBytes(): Promise<number> {
  // What a collection finds dead beside the heap is freed a little later.
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
