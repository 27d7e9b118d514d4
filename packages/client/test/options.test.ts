import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Consumer, type ConsumerOptions, NsqError, Producer, type ProducerOptions, VERSION } from '../src/index.js'

const producer = (options: object) => () => new Producer(options as ProducerOptions)
const consumer = (options: object) => () => new Consumer(options as ConsumerOptions)
const AT = { address: '127.0.0.1:4150' }
const OF = { topic: 'orders', channel: 'mail', ...AT }

function complaint(lines: string) {
  return (error: unknown) => {
    assert.ok(error instanceof NsqError)
    assert.equal(error.message, `E_INVALID_OPTION ${lines}`)
    return true
  }
}

describe('options', () => {
  const cases: [() => unknown, string][] = [
    [producer({}), 'address or addresses is missing'],
    [producer({ address: '127.0.0.1' }), 'address "127.0.0.1" is neither host:port nor the path of a Unix socket'],
    [
      producer({ address: 'http://127.0.0.1:4151' }),
      'address "http://127.0.0.1:4151" is neither host:port nor the path of a Unix socket',
    ],
    [
      producer({ address: '127.0.0.1:70000' }),
      'address "127.0.0.1:70000" is neither host:port nor the path of a Unix socket',
    ],
    [producer({ addresses: [] }), 'addresses must be an array of at least one string, not an empty array'],
    [producer({ ...AT, addresses: ['a:1'] }), 'give address or addresses, not both'],
    [producer({ ...AT, maxInFlight: 0 }), 'maxInFlight must be a whole number from 1 to 2147483647, not 0'],
    [producer({ ...AT, maxInFlight: '10' }), 'maxInFlight must be a whole number from 1 to 2147483647, not "10"'],
    [
      producer({ ...AT, heartbeatIntervalMs: 999 }),
      'heartbeatIntervalMs must be a whole number from 1000 to 3600000, not 999',
    ],
    [producer({ ...AT, retry: 1 }), 'retry must be true or false, not 1'],
    [producer({ ...AT, compression: 'gzip' }), `compression must be one of 'none', 'deflate', 'snappy', not "gzip"`],
    [producer({ ...AT, tls: 'yes' }), 'tls must be true, false or an object, not "yes"'],
    [producer({ ...AT, authSecret: 7 }), 'authSecret must be a string, not 7'],
    [
      producer({ ...AT, heartbeatInterval: 5 }),
      'there is no option heartbeatInterval; did you mean heartbeatIntervalMs?',
    ],
    [producer({ ...AT, max_in_flight: 5 }), 'there is no option max_in_flight; did you mean maxInFlight?'],
    [
      producer({ ...AT, reconnectDelayMs: 500, reconnectDelayMsMax: 100 }),
      'reconnectDelayMsMax must not be less than reconnectDelayMs',
    ],
    [
      consumer({ channel: 'c', ...AT }),
      'topic must be 1 to 64 of the characters a-z A-Z 0-9 . _ -, and perhaps #ephemeral at the end',
    ],
    [
      consumer({ topic: 'a b', channel: 'c', ...AT }),
      'topic must be 1 to 64 of the characters a-z A-Z 0-9 . _ -, and perhaps #ephemeral at the end, not "a b"',
    ],
    [consumer({ topic: 't', channel: 'c' }), 'address, addresses, lookupdAddress or lookupdAddresses is missing'],
    [
      consumer({ topic: 't', channel: 'c', lookupdAddress: 'nowhere' }),
      'lookupd address "nowhere" is neither host:port nor an URL',
    ],
    [consumer({ ...OF, onDiscarded: 'x' }), 'onDiscarded must be a function, not "x"'],
    [consumer({ ...OF, sampleRatePercent: 100 }), 'sampleRatePercent must be a whole number from 1 to 99, not 100'],
    [
      consumer({ ...OF, maxInFlight: -1, maxAttempts: 1.5 }),
      'maxInFlight must be a whole number from 0 to 2147483647, not -1\nmaxAttempts must be a whole number from 0 to 65535, not 1.5',
    ],
  ]
  for (const [make, lines] of cases) {
    it(`are refused: ${lines.split('\n')[0]}`, () => {
      assert.throws(make, complaint(lines))
    })
  }

  it('may be addresses of every kind', () => {
    for (const address of [
      'localhost:4150',
      '10.0.0.1:4150',
      '[::1]:4150',
      '/run/nsqd.sock',
      'nsqd-1.example.org:4150',
    ]) {
      assert.doesNotThrow(producer({ address }))
    }
    for (const lookupdAddress of [
      'localhost:4161',
      'http://lookup.example.org:4161',
      'https://lookup.example.org/lookup',
    ]) {
      assert.doesNotThrow(consumer({ topic: 't', channel: 'c', lookupdAddress }))
    }
  })

  it('of setMaxInFlight and run are checked too', () => {
    const made = new Consumer(OF)
    assert.throws(() => made.setMaxInFlight(-1), complaint('maxInFlight must be a whole number of 0 or more, not -1'))
    assert.throws(() => void made.run('x' as never), complaint('a handler is a function'))
    assert.throws(
      () => void made.run(() => undefined, { concurrency: 0 }),
      complaint('concurrency must be 1 or more, not 0'),
    )
  })

  it('the version that nodes are told is the package’s', () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    assert.equal(VERSION, manifest.version)
  })
})
