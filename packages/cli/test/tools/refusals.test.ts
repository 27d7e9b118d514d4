import assert from 'node:assert/strict'
import type { GoFlag } from '../../src/go-flags.js'
import type { Tool } from '../../src/tools/common/run-tool.js'
import { NSQ_PUBSUB } from '../../src/tools/nsq-pubsub/main.js'
import { NSQ_STAT } from '../../src/tools/nsq-stat/main.js'
import { NSQ_TAIL } from '../../src/tools/nsq-tail/main.js'
import { NSQ_TO_FILE } from '../../src/tools/nsq-to-file/main.js'
import { NSQ_TO_HTTP } from '../../src/tools/nsq-to-http/main.js'
import { NSQ_TO_NSQ } from '../../src/tools/nsq-to-nsq/main.js'
import { TO_NSQ } from '../../src/tools/to-nsq/main.js'
import { runHere } from './tool-runner.js'

/** Where nobody listens. */
const DIRECT = '--nsqd-tcp-address=127.0.0.1:1'
const LOOKUP = '--lookupd-http-address=127.0.0.1:1'
const NO_SOURCE = '--nsqd-tcp-address or --lookupd-http-address required'
const TWO_SOURCES = 'use --nsqd-tcp-address or --lookupd-http-address not both'
const BAD_NAME = '1 to 64 of the characters a-z A-Z 0-9 . _ -, and perhaps #ephemeral at the end'

/** Tools refuse in NSQ's words, where it has some. */
function refuses<F extends Readonly<Record<string, GoFlag>>>(
  tool: Tool<F>,
  cases: readonly [string[], string][],
): void {
  describe(`${tool.name} refuses, in a line and with 1,`, () => {
    for (const [args, reason] of cases) {
      it(args.length === 0 ? 'nothing at all' : args.join(' '), async () => {
        assert.deepEqual(await runHere(tool, args), { code: 1, stdout: '', stderr: `${tool.name}: ${reason}\n` })
      })
    }
  })
}

const NOBODY = 'cannot connect: E_CONNECT 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1'

refuses(NSQ_TAIL, [
  [['--topic=t', DIRECT], NOBODY],
  [[], NO_SOURCE],
  [['--topic=t', DIRECT, LOOKUP], TWO_SOURCES],
  [[DIRECT], '--topic required'],
  [['--topic=t', DIRECT, '--max-in-flight=0'], '--max-in-flight must be at least 1, not 0'],
  [['--topic=t', '--nsqd-tcp-address=here'], 'address "here" is neither host:port nor the path of a Unix socket'],
  [['--topic=a b', DIRECT], `topic must be ${BAD_NAME}, not "a b"`],
])

refuses(NSQ_TO_FILE, [
  [['--topic=t', DIRECT], NOBODY],
  [['--topic=t'], NO_SOURCE],
  [['--topic=t', DIRECT, LOOKUP], TWO_SOURCES],
  [[DIRECT], '--topic or --topic-pattern required'],
  [[DIRECT, '--topic-pattern=x'], '--lookupd-http-address must be specified when no --topic specified'],
  [[DIRECT, '--topic=t', '--channel='], '--channel is required'],
  [[DIRECT, '--topic=t', '--gzip-level=10'], 'invalid --gzip-level value (10), should be 1-9'],
  [[DIRECT, '--topic=t', '--log-level=loud'], '--log-level is invalid'],
  [
    [DIRECT, '--topic=t', '--gzip', '--filename-format=<TOPIC>'],
    'missing <REV> in --filename-format when gzip, rotation, or work dir enabled',
  ],
  [
    [DIRECT, '--topic=t', '--work-dir=/tmp/elsewhere', '--filename-format=<TOPIC>'],
    'missing <REV> in --filename-format when gzip, rotation, or work dir enabled',
  ],
  [[DIRECT, '--topic=t', '--http-client-connect-timeout=0'], '--http-client-connect-timeout should be positive'],
  [[DIRECT, '--topic=t', '--sync-interval=0'], '--sync-interval should be positive'],
  [[DIRECT, '--topic=a b'], `topic must be ${BAD_NAME}, not "a b"`],
  [
    [DIRECT, '--topic=t', '--topic-pattern=('],
    '--topic-pattern is no regular expression: Invalid regular expression: /(/: Unterminated group',
  ],
])

refuses(TO_NSQ, [
  [[DIRECT], '--topic required'],
  [['--topic=t'], '--nsqd-tcp-address required'],
  [['--topic=a b', DIRECT], '--topic is invalid'],
  [['--topic=t', DIRECT, '--delimiter=ab'], '--delimiter must be a single byte'],
  [['--topic=t', DIRECT, '--delimiter=é'], '--delimiter must be a single byte'],
  [['--topic=t', DIRECT, '--rate=-1'], '--rate must be 0 or more, not -1'],
  [['--topic=t', DIRECT, '--max-record-size=2GiB'], '--max-record-size must be from 1 byte to 1GiB'],
])

const STAT = ['--topic=t', '--channel=c']
const STAT_NODE = '--nsqd-http-address=127.0.0.1:1'
refuses(NSQ_STAT, [
  [['--topic=t', STAT_NODE], '--topic and --channel are required'],
  [STAT, '--nsqd-http-address or --lookupd-http-address required'],
  [[...STAT, STAT_NODE, LOOKUP], 'use --nsqd-http-address or --lookupd-http-address not both'],
  [[...STAT, STAT_NODE, '--interval=0'], '--interval should be positive'],
  [[...STAT, STAT_NODE, '--count=0'], '--count should be positive'],
  [[...STAT, STAT_NODE, '--http-client-connect-timeout=0'], '--http-client-connect-timeout should be positive'],
  [[...STAT, STAT_NODE, '--http-client-request-timeout=0'], '--http-client-request-timeout should be positive'],
  [
    [...STAT, '--nsqd-http-address=http://127.0.0.1:1'],
    '--nsqd-http-address error - address should not contain scheme',
  ],
  [
    [...STAT, '--lookupd-http-address=https://127.0.0.1:1'],
    '--lookupd-http-address error - address should not contain scheme',
  ],
])

const DESTINATION = '--destination-nsqd-tcp-address=127.0.0.1:2'
refuses(NSQ_TO_NSQ, [
  [[DIRECT, DESTINATION], '--topic and --channel are required'],
  [[DIRECT, DESTINATION, '--topic=t', '--channel='], '--topic and --channel are required'],
  [['--topic=t', DESTINATION], NO_SOURCE],
  [['--topic=t', DESTINATION, DIRECT, LOOKUP], TWO_SOURCES],
  [['--topic=t', DIRECT], '--destination-nsqd-tcp-address required'],
  [['--topic=a b', DIRECT, DESTINATION], '--topic is invalid'],
  [['--topic=t', '--channel=a b', DIRECT, DESTINATION], '--channel is invalid'],
  [['--topic=t', '--destination-topic=a b', DIRECT, DESTINATION], '--destination-topic is invalid'],
  [
    ['--topic=t', DIRECT, '--destination-nsqd-tcp-address=127.0.0.1:1'],
    'messages from 127.0.0.1:1 would go back into the same topic, and round for ever; use another --destination-topic',
  ],
])

const POST = '--post=http://127.0.0.1:1/'
refuses(NSQ_TO_HTTP, [
  [[DIRECT, POST], '--topic and --channel are required'],
  [['--topic=t', POST], NO_SOURCE],
  [['--topic=t', POST, DIRECT, LOOKUP], TWO_SOURCES],
  [['--topic=t', DIRECT], '--get or --post required'],
  [['--topic=t', DIRECT, POST, '--get=http://h/%s'], 'use --get or --post not both'],
  [['--topic=t', DIRECT, '--get=http://h/'], 'invalid GET address - must be a printf string'],
  [['--topic=t', DIRECT, '--get=http://h/%s', '--content-type=a/b'], '--content-type only used with --post'],
  [['--topic=t', DIRECT, POST, '--content-type='], '--content-type requires a value when used'],
  [['--topic=t', DIRECT, POST, '--sample=1.1'], 'ERROR: --sample must be between 0.0 and 1.0'],
  [['--topic=t', DIRECT, POST, '--header=a=b'], '--header "a=b": the format is \'Name: value\''],
  [['--topic=t', DIRECT, POST, '-n=0'], '-n must be at least 1, not 0'],
])

refuses(NSQ_PUBSUB, [
  [[], NO_SOURCE],
  [[DIRECT, LOOKUP], TWO_SOURCES],
  [[DIRECT, '--http-address=here'], '--http-address "here" is not host:port'],
  [[DIRECT, '--max-msg-size=1GiB'], '--max-msg-size must be from 1 byte to 256MiB'],
])

for (const tool of [NSQ_TO_NSQ, NSQ_TO_HTTP] as const) {
  it(`${tool.name} takes an unknown mode for wrong usage`, async () => {
    const { code, stderr } = await runHere<Readonly<Record<string, GoFlag>>>(tool as never, ['--mode=hostpol'])
    assert.equal(code, 2)
    const reason = 'expected one of hostpool, round-robin, epsilon-greedy'
    assert.equal(stderr.split('\n')[0], `invalid value "hostpol" for flag -mode: ${reason}`)
  })
}
