import assert from 'node:assert/strict'
import type { GoFlag } from '../../src/go-flags.js'
import type { Tool } from '../../src/tools/common/run-tool.js'
import { NSQ_TAIL } from '../../src/tools/nsq-tail/main.js'
import { NSQ_TO_FILE } from '../../src/tools/nsq-to-file/main.js'
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
