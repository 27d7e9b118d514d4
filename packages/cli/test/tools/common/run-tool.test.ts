import assert from 'node:assert/strict'
import { NSQ_VERSION as BROKER_NSQ_VERSION } from '@spillway/core/node'
import { VERSION_FLAG } from '../../../src/tools/common/consumer-flags.js'
import { FatalError } from '../../../src/tools/common/fatal-error.js'
import { integer } from '../../../src/tools/common/flag-kinds.js'
import { type Tool, whenAborted } from '../../../src/tools/common/run-tool.js'
import { NSQ_VERSION } from '../../../src/tools/common/versions.js'
import { runHere } from '../tool-runner.js'

const FLAGS = { ...VERSION_FLAG, n: integer('how many', '0') }

function tool(run: Tool<typeof FLAGS>['run']): Tool<typeof FLAGS> {
  return { name: 'nsq_some', summary: 'Does something.', flags: FLAGS, examples: ['-n=1'], run }
}
const idle = tool(async () => 0)

describe('a tool', () => {
  it('prints its version, as the original does', async () => {
    assert.deepEqual(await runHere(idle, ['-version']), { code: 0, stdout: 'nsq_some v1.3.0\n', stderr: '' })
    assert.equal(NSQ_VERSION, BROKER_NSQ_VERSION)
  })

  it('prints its help with examples, and ends with 0', async () => {
    const { code, stdout } = await runHere(idle, ['--help'])
    assert.equal(code, 0)
    assert.match(stdout, /^Usage of nsq_some:\n {2}-version\n/)
    assert.match(stdout, /-n int\n {4}\thow many \(default 0\)\n\nDoes something\.\n\nExamples:\n {2}nsq_some -n=1\n$/)
  })

  it('says what is wrong with a flag, and ends with 2', async () => {
    const { code, stderr } = await runHere(idle, ['--nope'])
    assert.equal(code, 2)
    assert.match(stderr, /^flag provided but not defined: -nope\nUsage of nsq_some:/)
  })

  it('refuses words that are no flags, and ends with 1', async () => {
    const { code, stderr } = await runHere(idle, ['-n=1', 'some', 'words'])
    assert.deepEqual([code, stderr], [1, 'nsq_some: unknown arguments: [some words]\n'])
  })

  it('says in a line what has ended it, and ends with 1', async () => {
    const failing = tool(async () => {
      throw new FatalError('it is broken')
    })
    assert.deepEqual(await runHere(failing, []), { code: 1, stdout: '', stderr: 'nsq_some: it is broken\n' })
  })

  it('is told to end', async () => {
    const stop = new AbortController()
    const running = runHere(
      tool(async (_, context) => {
        await whenAborted(context.stop)
        return 0
      }),
      [],
      { stop: stop.signal },
    )
    stop.abort()
    assert.equal((await running).code, 0)
  })

  it('writes its log to standard error', async () => {
    const { stderr } = await runHere(
      tool(async (_, context) => {
        const logger = context.openLogger('warn')
        logger.info('not this')
        logger.warn('this')
        return 0
      }),
      [],
    )
    assert.match(stderr, /^\[nsq_some\] \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6} WARNING: this\n$/)
  })
})
