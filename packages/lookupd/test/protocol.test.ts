import assert from 'node:assert/strict'
import { randomBelow, seededRandom } from '@spillway/core/testing'
import { COMMAND_LINE_BYTES_MAX, IDENTIFY_BODY_BYTES_MAX } from '../src/protocol/v1-session.js'
import { INFO, identify, int32, join, MAGIC } from './support/bytes.js'
import { DESCRIPTION, played, TestSession } from './support/test-session.js'

const OK = 'OK'

/** A conversation that goes on, by what is answered in it. */
function goesOn(answers: readonly string[], ...parts: readonly (string | Buffer)[]): void {
  assert.deepEqual(played(...parts), { answers, isEnded: false })
}

/** A conversation whose last answer is an error, which ends it. */
function fails(answers: readonly string[], ...parts: readonly (string | Buffer)[]): void {
  assert.deepEqual(played(...parts, 'PING\n'), { answers, isEnded: true })
}

describe('protocol V1', () => {
  it('begins with the magic; another one is told, and the end', () => {
    const session = new TestSession().send('  V2', 'PING\n')
    assert.deepEqual([session.answers, session.isEnded], [['E_BAD_PROTOCOL'], true])
  })

  it('answers PING with OK, before and after IDENTIFY', () => {
    goesOn([OK, DESCRIPTION, OK], 'PING\n', identify(), 'PING\n')
  })

  it('takes commands as they are typed: white space at both ends does not count, letter case does', () => {
    goesOn([OK, OK], ' \t PING \r\n', 'PING and more\n')
    fails(['E_INVALID invalid command ping'], 'ping\n')
    fails(['E_INVALID invalid command '], '\n')
    fails(['E_INVALID invalid command CAF\xc3\xa9'], 'CAF\xc3\xa9 x\n')
  })

  describe('IDENTIFY', () => {
    it('is answered with who this is', () => {
      goesOn([DESCRIPTION], identify())
    })

    it('works once', () => {
      fails([DESCRIPTION, 'E_INVALID cannot IDENTIFY again'], identify(), 'IDENTIFY\n')
    })

    it('keeps what the nsqd says of itself, and where it comes from', () => {
      const body = { ...INFO, remote_address: 'elsewhere', topology_zone: 'z', topology_region: 'r', more: [1] }
      const { database } = new TestSession().send(MAGIC, identify(body))
      const [peer] = database.peers
      const { more: _, ...info } = body
      assert.deepEqual(peer.info, { ...info, remote_address: '127.0.0.1:50000' })
    })

    it('takes names of fields in any case, and null for nothing', () => {
      const { broadcast_address, ...others } = INFO
      goesOn([DESCRIPTION], identify({ ...others, Broadcast_Address: broadcast_address, hostname: null }))
    })

    it('insists on address, ports and version', () => {
      for (const name of ['broadcast_address', 'tcp_port', 'http_port', 'version']) {
        for (const value of [undefined, null, name.endsWith('port') ? 0 : '']) {
          fails(['E_BAD_BODY IDENTIFY missing fields'], identify({ ...INFO, [name]: value }))
        }
      }
      fails(['E_BAD_BODY IDENTIFY missing fields'], identify('null'))
    })

    it('is refused where the body is no JSON of the right types', () => {
      for (const body of ['', '{', '[]', '1', '"text"', '{"tcp_port":"4150"}', '{"tcp_port":1.5}', '{"hostname":1}']) {
        fails(['E_BAD_BODY IDENTIFY failed to decode JSON body'], identify(body))
      }
      fails(['E_BAD_BODY IDENTIFY failed to decode JSON body'], identify({ ...INFO, remote_address: {} }))
    })

    it('is refused with a size that is negative or too large, before the body is there', () => {
      for (const size of [-1, -(2 ** 31)]) {
        fails(['E_BAD_BODY IDENTIFY failed to read body size'], 'IDENTIFY\n', int32(size))
      }
      for (const size of [IDENTIFY_BODY_BYTES_MAX + 1, 2 ** 31 - 1]) {
        fails(['E_BAD_BODY IDENTIFY failed to read body'], 'IDENTIFY\n', int32(size))
      }
      const padding = ' '.repeat(IDENTIFY_BODY_BYTES_MAX - JSON.stringify(INFO).length)
      goesOn([DESCRIPTION], identify(JSON.stringify(INFO) + padding))
    })

    it('is answered when the client ends in the middle of it', () => {
      for (const [parts, answer] of [
        [['IDENTIFY\n'], 'E_BAD_BODY IDENTIFY failed to read body size'],
        [['IDENTIFY\n', '\0\0'], 'E_BAD_BODY IDENTIFY failed to read body size'],
        [['IDENTIFY\n', int32(10)], 'E_BAD_BODY IDENTIFY failed to read body'],
        [['IDENTIFY\n', int32(10), '{'], 'E_BAD_BODY IDENTIFY failed to read body'],
      ] as const) {
        const test = new TestSession().send(MAGIC, ...parts)
        test.session.readEnd()
        assert.deepEqual([test.answers, test.isEnded], [[answer], true])
      }
    })
  })

  it('says nothing when the client ends elsewhere', () => {
    for (const text of ['', '  V', MAGIC, `${MAGIC}PIN`]) {
      const test = new TestSession()
      if (text !== '') test.send(text)
      test.session.readEnd()
      assert.deepEqual([test.answers, test.isEnded], [[], true])
    }
  })

  for (const command of ['REGISTER', 'UNREGISTER']) {
    describe(command, () => {
      const refused = (answer: string, line: string): void => fails([DESCRIPTION, answer], identify(), `${line}\n`)

      it('is answered with OK, for a topic, and for a channel', () => {
        goesOn([DESCRIPTION, OK, OK, OK], identify(), `${command} t\n`, `${command} t c\n`, `${command} t c more\n`)
        goesOn([DESCRIPTION, OK], identify(), `${command} t#ephemeral c#ephemeral\n`)
      })

      it('takes an nsqd that has said who it is', () => {
        fails(['E_INVALID client must IDENTIFY'], `${command} t\n`)
        fails(['E_INVALID client must IDENTIFY'], `${command}\n`)
      })

      it('needs a topic', () => {
        refused(`E_INVALID ${command} insufficient number of params`, command)
        refused(`E_INVALID ${command} insufficient number of params`, `${command} `)
      })

      it('is refused with a topic that cannot be', () => {
        for (const topic of ['*', 'a/b', 'x'.repeat(65), '#ephemeral', 't#other', 'caf\xc3\xa9']) {
          refused(`E_BAD_TOPIC ${command} topic name '${topic}' is not valid`, `${command} ${topic} c`)
        }
        refused(`E_BAD_TOPIC ${command} topic name '' is not valid`, `${command}  t`)
      })

      it('is refused with a channel that cannot be', () => {
        refused(`E_BAD_CHANNEL ${command} channel name '*' is not valid`, `${command} t *`)
        goesOn([DESCRIPTION, OK], identify(), `${command} t  c\n`) // two spaces: no channel
      })
    })
  }

  it('keeps in the database what is registered, until it is unregistered or gone', () => {
    const test = new TestSession().send(MAGIC, identify(), 'REGISTER t c\n', 'REGISTER u\n')
    const { database } = test
    const [peer] = database.peers
    assert.deepEqual(
      [database.topics, database.channelsOf('t'), database.topicsOf(peer)],
      [['t', 'u'], ['c'], ['t', 'u']],
    )
    test.send('UNREGISTER u\n')
    assert.deepEqual(database.topicsOf(peer), ['t'])
    test.session.closed()
    assert.equal(database.peers.size, 0)
    assert.deepEqual([database.topics, [...database.producersOf('t')]], [['t', 'u'], []])
  })

  it('refuses a registration that is one too many, and keeps what there is', () => {
    const test = new TestSession(4).send(MAGIC, identify(), 'REGISTER t c\n')
    assert.deepEqual([test.answers.at(-1), test.database.count], [OK, 4])
    test.send('REGISTER u\n')
    assert.deepEqual([test.answers.at(-1), test.isEnded], ['E_INVALID REGISTER more than 4 registrations', true])
    assert.deepEqual(test.database.topics, ['t'])
  })

  it('refuses a command line that does not end', () => {
    const answer = `E_INVALID command line of more than ${COMMAND_LINE_BYTES_MAX} bytes`
    fails([answer], 'x'.repeat(COMMAND_LINE_BYTES_MAX + 1))
    fails([answer], 'x'.repeat(COMMAND_LINE_BYTES_MAX + 1), '\n')
    goesOn([OK], `PING${' '.repeat(COMMAND_LINE_BYTES_MAX - 4)}\n`)
  })

  it('reads the same however it is split', () => {
    const bytes = join(
      MAGIC,
      'PING\n',
      identify(),
      'REGISTER t c\n',
      'PING \r\n',
      'UNREGISTER t c\n',
      'NOPE\n',
      'PING\n',
    )
    const whole = new TestSession().send(bytes)
    assert.equal(whole.answers.length, 6)
    for (let at = 1; at < bytes.length; at++) {
      const split = new TestSession().send(bytes.subarray(0, at)).send(bytes.subarray(at))
      assert.deepEqual(split.answers, whole.answers, `split at ${at}`)
    }
    const single = new TestSession()
    for (const byte of bytes) single.send(Buffer.of(byte))
    assert.deepEqual(single.answers, whole.answers)
  })

  it('tells the log who was refused, and why', () => {
    const { logger } = new TestSession().send(MAGIC, 'NOPE\n')
    const [line] = logger.lines.filter(({ level }) => level === 'warn')
    assert.deepEqual(line.fields, { peer: '127.0.0.1:50000', code: 'E_INVALID', reason: 'invalid command NOPE' })
  })

  it('survives whatever comes', () => {
    const seed = Number(process.env.SPILLWAY_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))
    const random = seededRandom(seed)
    const pieces = [
      ...[
        'PING\n',
        'REGISTER ',
        'UNREGISTER t c\n',
        'IDENTIFY\n',
        't',
        ' ',
        'c#ephemeral',
        '\n',
        '\r\n',
        '{',
        '"}',
        MAGIC,
      ],
      ...[
        identify(),
        identify({ ...INFO, version: 1 }),
        int32(-1),
        int32(5),
        int32(2 ** 31 - 1),
        Buffer.of(0, 255, 128),
      ],
      'x'.repeat(3_000),
    ]
    for (let round = 0; round < 500; round++) {
      const test = new TestSession(20)
      if (random() < 0.9) test.send(MAGIC)
      if (random() < 0.5) test.send(identify())
      const count = randomBelow(random, 12)
      for (let piece = 0; piece < count; piece++) {
        const bytes = join(pieces[randomBelow(random, pieces.length)])
        const at = randomBelow(random, bytes.length + 1)
        test.send(bytes.subarray(0, at)).send(bytes.subarray(at))
      }
      if (random() < 0.5) test.session.readEnd()
      test.session.closed()
      assert.ok(Array.isArray(test.answers), `seed ${seed}`)
      assert.equal(test.database.peers.size, 0, `seed ${seed}: somebody is left`)
      assert.equal(test.database.count, test.database.topics.length + channelCount(test), `seed ${seed}`)
    }
  })
})

function channelCount({ database }: TestSession): number {
  return database.topicsWithChannels.reduce((count, topic) => count + database.channelsOf(topic).length, 0)
}
