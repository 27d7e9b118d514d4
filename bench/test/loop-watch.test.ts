import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { LoopWatch } from '../src/loop-watch.js'

describe('the end of a turn', () => {
  it('comes after the last immediate of the turn, once', () => {
    const script = `
      import { onTurnEnd } from '${new URL('../src/turn-ends.js', import.meta.url)}'
      const seen = []
      onTurnEnd(() => seen.push('end'))
      setTimeout(() => {
        seen.length = 0
        setImmediate((name) => {
          seen.push(name)
          setImmediate(() => seen.push('next'))
        }, 'first')
        setImmediate(() => seen.push('second'))
        setTimeout(() => console.log(seen.join(' ')), 5)
      }, 1)`
    const seen = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
    assert.match(seen, /^first second end next end/)
  })
})

/** Twenty busy turns after the signal, then it says that it is done. */
const BUSY_SCRIPT = `
  const turn = (left) => {
    const until = performance.now() + 10
    while (performance.now() < until);
    if (left > 0) setTimeout(turn, 1, left - 1)
    else process.send('done')
  }
  setInterval(() => undefined, 2 ** 30)
  process.once('SIGTERM', () => process.exit())
  process.once('SIGUSR2', () => turn(20))
  process.send('ready')`

describe('watching an event loop', () => {
  it('brings home what a busy process and an idle one beside it did', async function () {
    if (process.platform !== 'linux') this.skip()
    const watch = new LoopWatch([])
    const child = spawn(process.execPath, ['--eval', BUSY_SCRIPT], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: watch.environment,
    })
    await once(child, 'message')
    const done = once(child, 'message')
    await watch.begin(child)
    await done
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
    const { broker, idle } = await watch.end()
    assert.ok(broker !== null && idle !== null)
    for (const { p50Ms, p99Ms, p999Ms, maxMs } of [broker.cpu, broker.delay, idle.cpu, idle.delay]) {
      assert.ok(p50Ms > 0 && p50Ms <= p99Ms && p99Ms <= p999Ms && p999Ms <= maxMs)
    }
  })

  it('finds nothing when the process ended before it counted', async () => {
    assert.deepEqual(await new LoopWatch([]).end(), { broker: null, idle: null })
  })
})
