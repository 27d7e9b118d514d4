import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { eventually } from '../support/eventually.js'
import { toolCommand } from '../support/tool-command.js'
import { LIMIT_MS, numbered, ToolSuite } from './tool-suite.js'

describe('nsq_tail', () => {
  const suite = new ToolSuite('nsq_tail')

  it('prints so many messages, finishes exactly those, and ends', async () => {
    await suite.publish('backlog', numbered(300))
    const end = await suite.run(suite.direct, '--topic=backlog', '--channel=tail', '-n', '250')
    assert.deepEqual([end.code, end.stderr], [0, ''])
    assert.equal(
      end.stdout,
      numbered(250)
        .map((line) => `${line}\n`)
        .join(''),
    )
    // The last one too: nobody gets it again.
    assert.deepEqual(await suite.counts('backlog', 'tail'), { finished: 250, left: 50, inFlight: 0 })
  })

  it('prints what comes while it runs, from a channel of its own that goes with it', async () => {
    const tail = suite.start(suite.direct, '--topic=live')
    const channel = await eventually(
      async () => (await suite.broker.http.topicStats('live'))?.channels[0]?.channel_name,
      LIMIT_MS,
      'its channel',
    )
    assert.match(channel, /^tail\d{6}#ephemeral$/)
    await suite.publish('live', ['hello'])
    await tail.line('hello', LIMIT_MS)
    assert.deepEqual(await tail.stop(), { code: 0, signal: null })
    assert.deepEqual([tail.stdout, tail.stderr], ['hello\n', ''])
    const channels = await eventually(
      async () => ((await suite.broker.http.topicStats('live'))?.channels.length === 0 ? true : undefined),
      LIMIT_MS,
      'the end of the channel',
    )
    assert.ok(channels)
  })

  it('prints the topic that a message is from', async () => {
    await suite.publish('left', ['a'])
    await suite.publish('right', ['b'])
    const tail = suite.start(suite.direct, '--topic=left', '--topic=right', '--channel=tail', '--print-topic')
    await tail.line('left | a', LIMIT_MS)
    await tail.line('right | b', LIMIT_MS)
    assert.deepEqual(await tail.stop('SIGINT'), { code: 0, signal: null })
  })

  it('ends quietly when nobody reads any more, and leaves what was not read', async () => {
    await suite.publish('piped', numbered(20_000))
    const { command, args } = toolCommand('nsq_tail', [suite.direct, '--topic=piped', '--channel=tail'])
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text
    })
    await once(child.stdout, 'data')
    child.stdout.destroy()
    const [code, signal] = await once(child, 'close')
    assert.deepEqual([code, signal, stderr], [0, null, ''])
    const { left, inFlight } = await suite.counts('piped', 'tail')
    assert.ok(left > 0, `${left} left`)
    assert.equal(inFlight, 0)
  })
})
