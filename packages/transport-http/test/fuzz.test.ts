import assert from 'node:assert/strict'
import { seededRandom } from '@spillway/core/testing'
import { parseAnswers } from './support/answers.js'
import { assertOk } from './support/assert-answer.js'
import { RawClient } from './support/http-client.js'
import { MalformedRequests } from './support/malformed-requests.js'
import { TestTransport } from './support/start-transport.js'

const CASE_COUNT = Number(process.env.FUZZ_CASES ?? 4_000)
const CONNECTION_COUNT = 16
const GROWTH_BYTES_MAX = 10 * 1024 * 1024
/** What may be answered, and with which codes; null where there need not be one. */
const DOCUMENTED: ReadonlyMap<number, readonly string[] | null> = new Map([
  [200, null],
  [301, null],
  [308, null],
  [
    400,
    [
      'INVALID_REQUEST',
      'MISSING_ARG_TOPIC',
      'INVALID_TOPIC',
      'INVALID_ARG_TOPIC',
      'MISSING_ARG_CHANNEL',
      'INVALID_ARG_CHANNEL',
      'INVALID_DEFER',
      'MSG_EMPTY',
    ],
  ],
  [404, ['NOT_FOUND', 'TOPIC_NOT_FOUND', 'CHANNEL_NOT_FOUND']],
  [405, ['METHOD_NOT_ALLOWED']],
  [413, ['MSG_TOO_BIG', 'BODY_TOO_BIG', 'BAD_BODY', 'BAD_MESSAGE']],
  [500, ['INTERNAL_ERROR']],
])
/** How a connection is refused that does not speak HTTP. */
const NOT_HTTP = ['400 Bad Request', '400 Bad Request: the Host header is missing']

describe('malformed requests', () => {
  let http: TestTransport

  beforeEach(async () => {
    http = await TestTransport.start()
  })

  afterEach(() => http.stop())

  it(`${CASE_COUNT} of them get the documented answers and leave nothing behind`, async function () {
    this.timeout(120_000)
    const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
    const requests = new MalformedRequests(seededRandom(seed))
    await sendAll(requests, CASE_COUNT / 10, seed)
    const usedBytes = usedMemoryBytes()
    await sendAll(requests, CASE_COUNT - CASE_COUNT / 10, seed)
    const growthBytes = usedMemoryBytes() - usedBytes
    assert.equal((await http.get('/ping')).text, 'OK')
    assert.deepEqual([http.broker.logger.messages('error'), http.broker.chargedBytes], [[], 0])
    assert.ok(growthBytes < GROWTH_BYTES_MAX, `${growthBytes} bytes more than before (FUZZ_SEED=${seed})`)
  })

  it('a message in a million chunks is one message', async function () {
    this.timeout(60_000)
    const sizeBytes = 1_048_576
    const client = http.connect()
    client.send('POST /pub?topic=t HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n')
    client.send(Buffer.alloc(sizeBytes * 6, '1\r\nx\r\n')).send('0\r\n\r\n')
    await client.until(/200 OK.*OK$/s)
    assert.ok(http.broker.messagesOf('t')[0] === 'x'.repeat(sizeBytes))
  })

  it('a batch of five megabytes that arrives in the smallest pieces is whole', async function () {
    this.timeout(60_000)
    const body = Buffer.alloc(5_242_880, `${'x'.repeat(199)}\n`)
    const client = http.connect()
    client.send(`POST /mpub?topic=t HTTP/1.1\r\nHost: test\r\nContent-Length: ${body.length}\r\n\r\n`)
    for (let at = 0; at < body.length; ) {
      // A few single bytes where a line ends, then a piece of any length.
      for (let end = at + 3; at < end; at++) client.socket.write(body.subarray(at, at + 1))
      const end = Math.min(body.length, at + 1997)
      if (!client.socket.write(body.subarray(at, end)))
        await new Promise((resolve) => client.socket.once('drain', resolve))
      at = end
    }
    await client.until(/200 OK.*OK$/s)
    assert.equal(http.broker.messagesOf('t').length, Math.ceil(body.length / 200))
    assertOk(await http.post('/pub?topic=t', 'x'))
  })

  async function sendAll(requests: MalformedRequests, count: number, seed: number): Promise<void> {
    let left = count
    const sendSome = async (): Promise<void> => {
      while (left-- > 0) {
        const bytes = requests.next()
        const client = new RawClient(http.port)
        client.socket.end(bytes)
        const text = await client.closed()
        try {
          checkAnswers(text)
        } catch (error) {
          throw new Error(
            `FUZZ_SEED=${seed}: ${JSON.stringify(bytes.toString('latin1'))} got ${JSON.stringify(text)}`,
            {
              cause: error,
            },
          )
        }
        http.broker.topics.clear()
      }
    }
    await Promise.all(Array.from({ length: CONNECTION_COUNT }, sendSome))
  }
})

function checkAnswers(text: string): void {
  for (const { status, body } of parseAnswers(text)) {
    const codes = DOCUMENTED.get(status)
    assert.ok(codes !== undefined, `status ${status}`)
    if (codes === null || (status === 400 && NOT_HTTP.includes(body))) continue
    const { message } = JSON.parse(body) as { message: string }
    assert.ok(codes.includes(message), `${status} ${message}`)
  }
}

/** After a collection, where mocha runs with `expose-gc`. */
function usedMemoryBytes(): number {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
