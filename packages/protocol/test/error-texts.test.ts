import assert from 'node:assert/strict'
import { BrokerError, SettleResult } from '@spillway/core'
import { bytesOf, connect, connectConsumer, FakeBroker, int32, messages, withBody } from './support.js'

const ID = '0123456789abcdef'
const LONG_NAME = 'n'.repeat(65)

/** What is sent, to a connection that has only sent the magic, and the one error that comes back before it is closed. */
const FATAL: readonly [sent: string | Uint8Array, error: string][] = [
  ['ASDF\n', 'E_INVALID invalid command ASDF'],
  ['\n', 'E_INVALID invalid command '],
  ['\r\n', 'E_INVALID invalid command '],
  [' PUB t\n', 'E_INVALID invalid command '],
  ['pub t\n', 'E_INVALID invalid command pub'],
  ['\xff\x01 x\n', 'E_INVALID invalid command \xff\x01'],

  ['RDY 1\n', 'E_INVALID cannot RDY in current state'],
  [`FIN ${ID}\n`, 'E_INVALID cannot FIN in current state'],
  [`REQ ${ID} 0\n`, 'E_INVALID cannot REQ in current state'],
  [`TOUCH ${ID}\n`, 'E_INVALID cannot TOUCH in current state'],
  ['CLS\n', 'E_INVALID cannot CLS in current state'],

  [bytesOf('IDENTIFY\n', int32(5_242_881)), 'E_BAD_BODY IDENTIFY body too big 5242881 > 5242880'],
  [bytesOf('IDENTIFY\n', int32(0)), 'E_BAD_BODY IDENTIFY invalid body size 0'],
  [bytesOf('IDENTIFY\n', int32(-1)), 'E_BAD_BODY IDENTIFY invalid body size -1'],

  ['SUB\n', 'E_INVALID SUB insufficient number of parameters'],
  ['SUB t\n', 'E_INVALID SUB insufficient number of parameters'],
  ['SUB a"b c\n', 'E_BAD_TOPIC SUB topic name "a\\"b" is not valid'],
  ['SUB  c\n', 'E_BAD_TOPIC SUB topic name "" is not valid'],
  [`SUB ${LONG_NAME} c\n`, `E_BAD_TOPIC SUB topic name "${LONG_NAME}" is not valid`],
  ['SUB t \x01\n', 'E_BAD_CHANNEL SUB channel name "\\x01" is not valid'],
  ['SUB t c:ephemeral\n', 'E_BAD_CHANNEL SUB channel name "c:ephemeral" is not valid'],

  ['PUB\n', 'E_INVALID PUB insufficient number of parameters'],
  ['PUB \n', 'E_BAD_TOPIC PUB topic name "" is not valid'],
  ['PUB t/u\n', 'E_BAD_TOPIC PUB topic name "t/u" is not valid'],
  [bytesOf('PUB t\n', int32(0)), 'E_BAD_MESSAGE PUB invalid message body size 0'],
  [bytesOf('PUB t\n', int32(-7)), 'E_BAD_MESSAGE PUB invalid message body size -7'],
  [bytesOf('PUB t\n', int32(1_048_577)), 'E_BAD_MESSAGE PUB message too big 1048577 > 1048576'],

  ['DPUB t\n', 'E_INVALID DPUB insufficient number of parameters'],
  ['DPUB t/u 1\n', 'E_BAD_TOPIC DPUB topic name "t/u" is not valid'],
  ['DPUB t 1s\n', 'E_INVALID DPUB could not parse timeout 1s'],
  ['DPUB t -1\n', 'E_INVALID DPUB could not parse timeout -1'],
  ['DPUB t 3600001\n', 'E_INVALID DPUB timeout 3600001 out of range 0-3600000'],
  [`DPUB t ${'9'.repeat(30)}\n`, `E_INVALID DPUB timeout ${'9'.repeat(30)} out of range 0-3600000`],
  [bytesOf('DPUB t 1\n', int32(0)), 'E_BAD_MESSAGE DPUB invalid message body size 0'],
  [bytesOf('DPUB t 1\n', int32(1_048_577)), 'E_BAD_MESSAGE DPUB message too big 1048577 > 1048576'],

  ['MPUB\n', 'E_INVALID MPUB insufficient number of parameters'],
  ['MPUB t/u\n', 'E_BAD_TOPIC E_BAD_TOPIC MPUB topic name "t/u" is not valid'],
  [bytesOf('MPUB t\n', int32(0)), 'E_BAD_BODY MPUB invalid body size 0'],
  [bytesOf('MPUB t\n', int32(5_242_881)), 'E_BAD_BODY MPUB body too big 5242881 > 5242880'],
  [withBody('MPUB t', 'abc'), 'E_BAD_BODY MPUB failed to read message count'],
  [bytesOf('MPUB t\n', int32(100), int32(0)), 'E_BAD_BODY MPUB invalid message count 0'],
  [bytesOf('MPUB t\n', int32(100), int32(-1)), 'E_BAD_BODY MPUB invalid message count -1'],
  [bytesOf('MPUB t\n', int32(100), int32(1_048_576)), 'E_BAD_BODY MPUB invalid message count 1048576'],
  [bytesOf('MPUB t\n', int32(100), int32(1), int32(0)), 'E_BAD_MESSAGE MPUB invalid message(0) body size 0'],
  [withBody('MPUB t', messages('a', 'b', '')), 'E_BAD_MESSAGE MPUB invalid message(2) body size 0'],
  [
    bytesOf('MPUB t\n', int32(2_000_000), int32(1), int32(1_048_577)),
    'E_BAD_MESSAGE MPUB message too big 1048577 > 1048576',
  ],
  [bytesOf('MPUB t\n', int32(9), int32(1), int32(2)), 'E_BAD_MESSAGE MPUB failed to read message body'],
  [withBody('MPUB t', bytesOf(int32(2), int32(1), 'a')), 'E_BAD_MESSAGE MPUB failed to read message(1) body size'],
  [withBody('MPUB t', bytesOf(messages('a'), 'b')), 'E_BAD_BODY MPUB invalid body size 10'],

  ['AUTH x\n', 'E_INVALID AUTH invalid number of parameters'],
  ['AUTH \n', 'E_INVALID AUTH invalid number of parameters'],
  [bytesOf('AUTH\n', int32(0)), 'E_BAD_BODY AUTH invalid body size 0'],
  [bytesOf('AUTH\n', int32(5_242_881)), 'E_BAD_BODY AUTH body too big 5242881 > 5242880'],
  [withBody('AUTH', 'secret'), 'E_AUTH_DISABLED AUTH disabled'],
]

/** The same, to a consumer of `t` and `c`. */
const FATAL_TO_CONSUMERS: readonly [sent: string | Uint8Array, error: string][] = [
  ['IDENTIFY\n', 'E_INVALID cannot IDENTIFY in current state'],
  ['AUTH\n', 'E_INVALID cannot AUTH in current state'],
  ['SUB t c\n', 'E_INVALID cannot SUB in current state'],
  ['RDY -1\n', 'E_INVALID RDY could not parse count -1'],
  ['RDY 1x\n', 'E_INVALID RDY could not parse count 1x'],
  ['RDY 2501\n', 'E_INVALID RDY count 2501 out of range 0-2500'],
  ['RDY 18446744073709551615\n', 'E_INVALID RDY count 18446744073709551615 out of range 0-2500'],
  ['FIN\n', 'E_INVALID FIN insufficient number of params'],
  ['FIN \n', 'E_INVALID invalid message ID'],
  [`FIN ${ID}0\n`, 'E_INVALID invalid message ID'],
  [`FIN ${ID.slice(1)}\nNOP\n`, 'E_INVALID invalid message ID'],
  [`REQ ${ID}\n`, 'E_INVALID REQ insufficient number of params'],
  ['REQ x 1\n', 'E_INVALID invalid message ID'],
  [`REQ ${ID} -1\n`, 'E_INVALID REQ could not parse timeout -1'],
  ['TOUCH\n', 'E_INVALID TOUCH insufficient number of params'],
  ['TOUCH x\n', 'E_INVALID invalid message ID'],
]

/** What was sent when the peer went away, and the error that is still tried. */
const CUT_SHORT: readonly [sent: string | Uint8Array, error: string][] = [
  ['IDENTIFY\n', 'E_BAD_BODY IDENTIFY failed to read body size'],
  [bytesOf('IDENTIFY\n', '\0\0\0'), 'E_BAD_BODY IDENTIFY failed to read body size'],
  [bytesOf('IDENTIFY\n', int32(2), '{'), 'E_BAD_BODY IDENTIFY failed to read body'],
  ['AUTH\n', 'E_BAD_BODY AUTH failed to read body size'],
  [bytesOf('AUTH\n', int32(2), 'x'), 'E_BAD_BODY AUTH failed to read body'],
  ['PUB t\n', 'E_BAD_MESSAGE PUB failed to read message body size'],
  [bytesOf('PUB t\n', int32(2)), 'E_BAD_MESSAGE PUB failed to read message body'],
  [bytesOf('PUB t\n', int32(2), 'x'), 'E_BAD_MESSAGE PUB failed to read message body'],
  ['DPUB t 5\n', 'E_BAD_MESSAGE DPUB failed to read message body size'],
  [bytesOf('DPUB t 5\n', int32(2), 'x'), 'E_BAD_MESSAGE DPUB failed to read message body'],
  ['MPUB t\n', 'E_BAD_BODY MPUB failed to read body size'],
  [bytesOf('MPUB t\n', int32(20)), 'E_BAD_BODY MPUB failed to read message count'],
  [bytesOf('MPUB t\n', int32(20), int32(2)), 'E_BAD_MESSAGE MPUB failed to read message(0) body size'],
  [bytesOf('MPUB t\n', int32(20), int32(2), int32(2)), 'E_BAD_MESSAGE MPUB failed to read message body'],
  [bytesOf('MPUB t\n', int32(20), int32(2), int32(2), 'ab'), 'E_BAD_MESSAGE MPUB failed to read message(1) body size'],
  [
    bytesOf('MPUB t\n', int32(20), int32(2), int32(2), 'ab\0'),
    'E_BAD_MESSAGE MPUB failed to read message(1) body size',
  ],
]

describe('the texts of fatal errors', () => {
  for (const [sent, error] of FATAL) {
    it(`${JSON.stringify(error.slice(0, 80))}, then the end`, async () => {
      const client = await connect()
      await client.send(sent, 'NOP\n')
      assert.deepEqual(client.take(), [error])
      assert.ok(client.output.hasEnded)
    })
  }

  for (const [sent, error] of FATAL_TO_CONSUMERS) {
    it(`${JSON.stringify(error)} to a consumer, then the end`, async () => {
      const client = await connectConsumer()
      await client.send(sent, 'NOP\n')
      assert.deepEqual(client.take(), [error])
      assert.ok(client.output.hasEnded)
      assert.ok(client.subscription.isClosed)
    })
  }

  for (const [sent, error] of CUT_SHORT) {
    it(`${JSON.stringify(error)} when the peer goes away`, async () => {
      const client = await connect()
      await client.send(sent)
      assert.deepEqual(client.take(), [])
      await client.end()
      assert.deepEqual(client.take(), [error])
      assert.ok(client.output.hasEnded)
      assert.equal(client.broker.chargedBytes, 0)
    })
  }

  it('says E_BAD_PROTOCOL and nothing else to a wrong magic', async () => {
    const client = await connect()
    const other = await import('./support.js').then(({ TestClient }) => new TestClient(client.broker))
    await other.send('GET / HTTP/1.1\r\n')
    assert.deepEqual(other.take(), ['E_BAD_PROTOCOL'])
    assert.ok(other.output.hasEnded)
    assert.equal(client.broker.clients.size, 1)
  })

  it('refuses SUB when heartbeats are off, before it looks at the parameters', async () => {
    const client = await connect()
    await client.send(withBody('IDENTIFY', '{"heartbeat_interval":-1}'), 'SUB\n')
    assert.deepEqual(client.take(), ['OK', 'E_INVALID cannot SUB with heartbeats disabled'])
  })
})

describe('the texts of failures that the engine reports', () => {
  it('tells why a SUB failed', async () => {
    const broker = new FakeBroker()
    broker.subscribeError = new BrokerError('E_SUB_FAILED', 'consumers for t:c exceeds limit of 1')
    const client = await connect(broker)
    await client.send('SUB t c\nNOP\n')
    assert.deepEqual(client.take(), ['E_SUB_FAILED SUB failed consumers for t:c exceeds limit of 1'])
    assert.ok(client.output.hasEnded)
  })

  for (const [name, sent] of [
    ['PUB', withBody('PUB t', 'x')],
    ['MPUB', withBody('MPUB t', messages('x', 'y'))],
    ['DPUB', withBody('DPUB t 5', 'x')],
  ] as const) {
    it(`tells why a ${name} failed`, async () => {
      const broker = new FakeBroker()
      broker.succeedsAtOnce = false
      const client = await connect(broker)
      await client.send(sent)
      broker.publishes[0].fail(new BrokerError('E_STORAGE_FULL', 'no space left on device'))
      await client.clock.settle()
      assert.deepEqual(client.take(), [`E_${name}_FAILED ${name} failed no space left on device`])
      assert.ok(client.output.hasEnded)
    })

    it(`tells why a ${name} has no topic`, async () => {
      const broker = new FakeBroker()
      broker.openTopicError = new BrokerError('E_EXITING', 'exiting')
      const client = await connect(broker)
      await client.send(sent)
      assert.deepEqual(client.take(), [`E_${name}_FAILED ${name} failed exiting`])
    })
  }
})

describe('the texts of errors that leave the connection open', () => {
  for (const [name, sent] of [
    ['FIN', `FIN ${ID}\n`],
    ['REQ', `REQ ${ID} 100\n`],
    ['TOUCH', `TOUCH ${ID}\n`],
  ] as const) {
    it(`${name} of what is not in flight, and of what another client has`, async () => {
      const client = await connectConsumer()
      await client.send(sent)
      client.subscription.results.set(ID, SettleResult.notOwner)
      await client.send(sent)
      assert.deepEqual(client.take(), [
        `E_${name}_FAILED ${name} ${ID} failed ID not in flight`,
        `E_${name}_FAILED ${name} ${ID} failed client does not own message`,
      ])
      assert.ok(!client.output.hasEnded)
    })
  }

  it('gives back an id that is no text as it came', async () => {
    const client = await connectConsumer()
    const id = '\xff\xfe\x00\x01"quoted"1234'
    await client.send(`FIN ${id}\n`)
    assert.deepEqual(client.take(), [`E_FIN_FAILED FIN ${id} failed ID not in flight`])
  })
})
