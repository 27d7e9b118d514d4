import assert from 'node:assert/strict'
import { BrokerError } from '@spillway/core'
import { assertError, assertOk } from './support/assert-answer.js'
import { FakeBroker } from './support/fake-broker.js'
import { TestTransport } from './support/start-transport.js'

/** `int32 count`, then size and bytes of each message. */
function batch(...messages: readonly string[]): Buffer {
  return Buffer.concat([int32(messages.length), ...messages.flatMap((text) => [int32(text.length), Buffer.from(text)])])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function chunked(path: string, body: string): string {
  return (
    `POST ${path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n` +
    `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  )
}

describe('POST /mpub with text', () => {
  let http: TestTransport

  beforeEach(async () => {
    http = await TestTransport.start()
  })

  afterEach(() => http.stop())

  it('makes a message of each line, skips empty ones and keeps carriage returns', async () => {
    assertOk(await http.post('/mpub?topic=t', '\na\n\nbb\r\n\n\nccc'))
    assert.deepEqual(http.broker.messagesOf('t'), ['a', 'bb\r', 'ccc'])
  })

  it('adds nothing for a newline at the end', async () => {
    assertOk(await http.post('/mpub?topic=t', 'a\nb\n'))
    assert.deepEqual(http.broker.messagesOf('t'), ['a', 'b'])
  })

  it('answers OK to an empty body and to empty lines, and publishes nothing', async () => {
    http.broker.refusal = new BrokerError('E_EXITING', 'a publish would fail')
    assertOk(await http.post('/mpub?topic=t', ''))
    assertOk(await http.post('/mpub?topic=t', '\n\n\n'))
    assert.ok(http.broker.topics.has('t'))
  })

  it('puts lines together that arrive in pieces', async () => {
    const client = http.connect().send('POST /mpub?topic=t HTTP/1.1\r\nHost: test\r\nContent-Length: 11\r\n\r\n')
    for (const byte of 'ab\n\ncdef\ngh') {
      client.send(byte)
      await new Promise(setImmediate)
    }
    await client.until(/OK$/)
    assert.deepEqual(http.broker.messagesOf('t'), ['ab', 'cdef', 'gh'])
  })

  it('takes as many lines as fit into the body', async () => {
    const count = 500_000
    assertOk(await http.post('/mpub?topic=t', 'x\n'.repeat(count)))
    assert.equal(http.broker.messagesOf('t').length, count)
    assert.equal(http.broker.chargedBytes, 0)
  })

  it('ignores defer', async () => {
    assertOk(await http.post('/mpub?topic=t&defer=bad', 'a'))
    assert.deepEqual(http.broker.messagesOf('t'), ['a'])
  })

  for (const value of ['false', '0']) {
    it(`is text when binary=${value}`, async () => {
      assertOk(await http.post(`/mpub?topic=t&binary=${value}`, 'a\nb'))
      assert.deepEqual(http.broker.messagesOf('t'), ['a', 'b'])
    })
  }

  it('refuses a batch of which one line is too long, whole', async () => {
    assertError(await http.post('/mpub?topic=t', `a\n${'x'.repeat(1_048_577)}\nb`), 413, 'MSG_TOO_BIG')
    assert.deepEqual(http.broker.messagesOf('t'), [])
  })

  it('takes a line of the largest size', async () => {
    assertOk(await http.post('/mpub?topic=t', `a\n${'x'.repeat(1_048_576)}`))
    assert.deepEqual(
      http.broker.messagesOf('t').map(({ length }) => length),
      [1, 1_048_576],
    )
  })
})

describe('POST /mpub in binary', () => {
  let http: TestTransport

  beforeEach(async () => {
    http = await TestTransport.start()
  })

  afterEach(() => http.stop())

  // Everything but `false` and `0` means binary, even nothing at all.
  for (const value of ['true', '1', '', 'nonsense', 'FALSE']) {
    it(`publishes the batch for binary=${value}`, async () => {
      assertOk(await http.post(`/mpub?topic=t&binary=${value}`, batch('a', 'b\nb', 'ccc')))
      assert.deepEqual(http.broker.messagesOf('t'), ['a', 'b\nb', 'ccc'])
    })
  }

  it('takes a million messages of one byte', async () => {
    const count = 1_048_575
    const body = Buffer.alloc(4 + 5 * count, Buffer.from([0, 0, 0, 1, 0x78]))
    body.set(body.subarray(0, body.length - 4), 4)
    body.writeInt32BE(count, 0)
    assertOk(await http.post('/mpub?topic=t&binary=true', body))
    assert.equal(http.broker.messagesOf('t').length, count)
  })

  it('ignores what follows the last message', async () => {
    assertOk(await http.post('/mpub?topic=t&binary=true', Buffer.concat([batch('a'), Buffer.from('rest')])))
    assert.deepEqual(http.broker.messagesOf('t'), ['a'])
  })

  const refused: readonly (readonly [what: string, body: Buffer, code: string])[] = [
    ['no count', Buffer.alloc(0), 'BAD_BODY'],
    ['half a count', Buffer.alloc(3), 'BAD_BODY'],
    ['a count of zero', int32(0), 'BAD_BODY'],
    ['a negative count', int32(-1), 'BAD_BODY'],
    ['a count that no body can hold', int32(1_048_576), 'BAD_BODY'],
    ['fewer messages than announced', Buffer.concat([int32(2), int32(1), Buffer.from('a')]), 'BAD_MESSAGE'],
    ['half a size', Buffer.concat([int32(1), Buffer.alloc(3)]), 'BAD_MESSAGE'],
    ['an empty message', Buffer.concat([int32(1), int32(0)]), 'BAD_MESSAGE'],
    ['a negative size', Buffer.concat([int32(1), int32(-5), Buffer.from('abcde')]), 'BAD_MESSAGE'],
    ['a message that is cut off', Buffer.concat([int32(1), int32(5), Buffer.from('abcd')]), 'BAD_MESSAGE'],
    ['a message that is too long', batch('x'.repeat(1_048_577)), 'BAD_MESSAGE'],
    ['a batch whose last message is bad', Buffer.concat([batch('a', 'b').fill(3, 3, 4), int32(0)]), 'BAD_MESSAGE'],
  ]
  for (const [what, body, code] of refused) {
    it(`refuses ${what} with 413`, async () => {
      assertError(await http.post('/mpub?topic=t&binary=true', body), 413, code)
      assert.deepEqual(http.broker.messagesOf('t'), [])
      assert.equal(http.broker.chargedBytes, 0)
    })
  }
})

describe('POST /mpub', () => {
  const refused: readonly (readonly [what: string, path: string, code: string])[] = [
    ['a missing topic', '/mpub', 'MISSING_ARG_TOPIC'],
    ['an invalid topic', '/mpub?topic=$', 'INVALID_TOPIC'],
    ['an empty topic', '/mpub?topic=', 'INVALID_TOPIC'],
    ['a bad query', '/mpub?topic=t&x=%', 'INVALID_REQUEST'],
    ['a semicolon in the query', '/mpub?topic=t;binary=true', 'INVALID_REQUEST'],
  ]
  for (const [what, path, code] of refused) {
    it(`refuses ${what} whatever the body is`, async () => {
      const http = await TestTransport.start()
      try {
        assertError(await http.post(path, 'a\nb'), 400, code)
        assertError(await http.post(`${path}${path.includes('?') ? '&' : '?'}binary=true`, 'no batch'), 400, code)
        assert.equal(http.broker.topics.size, 0)
      } finally {
        await http.stop()
      }
    })
  }

  it('refuses a body that announces to be too long before it looks at the query', async () => {
    const http = await TestTransport.start()
    try {
      const client = http.connect().send('POST /mpub HTTP/1.1\r\nHost: test\r\nContent-Length: 5242881\r\n\r\n')
      assert.match(await client.until(/\}$/), /^HTTP\/1.1 413 .*"message":"BODY_TOO_BIG"\}$/s)
    } finally {
      await http.stop()
    }
  })

  it('has created the topic before it finds the body wrong', async () => {
    const http = await TestTransport.start()
    try {
      await http.post('/mpub?topic=made&binary=true', 'x')
      assert.ok(http.broker.topics.has('made'))
    } finally {
      await http.stop()
    }
  })

  it('answers 503 when the broker refuses', async () => {
    const http = await TestTransport.start()
    try {
      http.broker.refusal = new BrokerError('E_EXITING', 'exiting')
      assertError(await http.post('/mpub?topic=t', 'a'), 503, 'EXITING')
      http.broker.refusal = new BrokerError('E_MEMORY_FULL', 'budget used up')
      assertError(await http.post('/mpub?topic=t&binary=1', batch('a')), 503, 'MEMORY_FULL')
    } finally {
      await http.stop()
    }
  })

  describe('with a chunked body and small limits', () => {
    let http: TestTransport

    beforeEach(async () => {
      http = await TestTransport.start({}, new FakeBroker({ bodySizeBytesMax: 20, msgSizeBytesMax: 10 }))
    })

    afterEach(() => http.stop())

    const cases: readonly (readonly [what: string, path: string, body: string, answer: RegExp])[] = [
      ['takes text of just the size allowed', '/mpub?topic=t', `${'a'.repeat(9)}\n${'b'.repeat(10)}`, /OK$/],
      ['refuses text of one byte more', '/mpub?topic=t', `${'a'.repeat(9)}\n${'b'.repeat(10)}\n`, /"BODY_TOO_BIG"/],
      ['calls one endless line a body too big', '/mpub?topic=t', 'x'.repeat(50), /"BODY_TOO_BIG"/],
      [
        'refuses a long line before the body is too big',
        '/mpub?topic=t',
        `${'a'.repeat(11)}\n${'b\n'.repeat(9)}`,
        /"MSG_TOO_BIG"/,
      ],
      ['refuses a binary body that is too big', '/mpub?topic=t&binary=1', 'x'.repeat(21), /"BODY_TOO_BIG"/],
    ]
    for (const [what, path, body, answer] of cases) {
      it(what, async () => {
        assert.match(await http.connect().send(chunked(path, body)).closed(), answer)
      })
    }
  })
})
