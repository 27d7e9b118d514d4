import assert from 'node:assert/strict'
import { FakeClock, TestLogger } from '@spillway/core/testing'
import { type NodeEnd, type NodeEvents, Supervisor } from '../../../src/spillway/nodes/supervisor.js'

const KILLED: NodeEnd = { code: null, how: 'SIGKILL' }
const STOPPED: NodeEnd = { code: 0, how: 'exit code 0' }
const FAILED: NodeEnd = { code: 1, how: 'exit code 1' }

/** A supervisor whose nodes do what the test says. */
function supervise(...names: string[]) {
  const clock = new FakeClock()
  const logger = new TestLogger()
  const launched: string[] = []
  const told: string[] = []
  const events = new Map<string, NodeEvents>()
  const supervisor = new Supervisor({
    names,
    clock,
    logger,
    launch(name, its) {
      launched.push(name)
      events.set(name, its)
      const tell = (what: string) => told.push(`${name} ${what}`)
      return {
        pid: launched.length,
        stop: () => tell('stop'),
        reload: () => tell('reload'),
        kill: () => tell('kill'),
      }
    },
  })
  const of = (name: string): NodeEvents => events.get(name) as NodeEvents
  const code = supervisor.run()
  return { clock, logger, launched, told, supervisor, code, of }
}

const listening = (...names: string[]) => {
  const setup = supervise(...names)
  for (const name of names) setup.of(name).listening()
  return setup
}

describe('the supervisor of several nodes', () => {
  it('starts all of them, and says when all listen', () => {
    const { launched, of, logger } = supervise('node-1', 'node-2')
    assert.deepEqual(launched, ['node-1', 'node-2'])
    of('node-2').listening()
    assert.ok(!logger.lines.some(({ message }) => message.startsWith('all nodes')))
    of('node-1').listening()
    assert.equal(logger.lines.at(-1)?.message, 'all nodes are listening: 2')
  })

  it('starts one that ended again, later each time, and leaves the others alone', () => {
    const { launched, of, clock, told } = listening('node-1', 'node-2')
    of('node-2').ended(KILLED)
    clock.advance(99)
    assert.equal(launched.length, 2)
    clock.advance(1)
    assert.deepEqual(launched.slice(2), ['node-2'])
    of('node-2').ended(FAILED) // before it listened again
    clock.advance(199)
    assert.equal(launched.length, 3)
    clock.advance(1)
    assert.deepEqual(launched.slice(3), ['node-2'])
    assert.deepEqual(told, [])
  })

  it('starts one again that somebody else has stopped in order', () => {
    const { launched, of, clock } = listening('node-1', 'node-2')
    of('node-1').ended(STOPPED)
    clock.advance(100)
    assert.deepEqual(launched.slice(2), ['node-1'])
  })

  it('ends all with 1 when one does not even start the first time', async () => {
    const { of, told, code, clock, launched, logger } = supervise('node-1', 'node-2')
    of('node-1').listening()
    of('node-2').ended(FAILED)
    assert.deepEqual(told, ['node-1 stop'])
    of('node-1').ended(STOPPED)
    assert.equal(await code, 1)
    clock.advance(60_000)
    assert.equal(launched.length, 2)
    assert.ok(logger.lines.some(({ message }) => message === 'node-2 did not start (exit code 1): stopping'))
  })

  it('stops all at the same time, and ends with 0 when all have', async () => {
    const { supervisor, told, of, code, launched, clock } = listening('node-1', 'node-2')
    supervisor.stop('SIGTERM')
    supervisor.stop('SIGTERM')
    assert.deepEqual(told, ['node-1 stop', 'node-2 stop'])
    of('node-2').ended(STOPPED)
    of('node-1').ended(STOPPED)
    assert.equal(await code, 0)
    clock.advance(60_000)
    assert.equal(launched.length, 2)
  })

  it('ends with 1 when one did not stop properly', async () => {
    const { supervisor, of, code } = listening('node-1', 'node-2')
    supervisor.stop('SIGTERM')
    of('node-1').ended(STOPPED)
    of('node-2').ended(KILLED)
    assert.equal(await code, 1)
  })

  it('ends with 0 when the signal that stops all has reached a node that was only just starting', async () => {
    const { supervisor, of, code } = supervise('node-1', 'node-2')
    of('node-1').listening()
    supervisor.stop('SIGINT')
    of('node-2').ended({ code: null, how: 'SIGINT' })
    of('node-1').ended(STOPPED)
    assert.equal(await code, 0)
  })

  it('starts nothing any more once it stops, also what was about to be', async () => {
    const { supervisor, of, code, clock, launched } = listening('node-1', 'node-2')
    of('node-2').ended(KILLED)
    supervisor.stop('SIGTERM')
    clock.advance(60_000)
    assert.equal(launched.length, 2)
    of('node-1').ended(STOPPED)
    assert.equal(await code, 0)
  })

  it('passes a reload on, and kills all where it must', () => {
    const { supervisor, told } = listening('node-1', 'node-2')
    supervisor.reload('SIGHUP')
    supervisor.kill()
    assert.deepEqual(told, ['node-1 reload', 'node-2 reload', 'node-1 kill', 'node-2 kill'])
  })
})
