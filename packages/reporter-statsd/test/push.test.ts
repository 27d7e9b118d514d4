import assert from 'node:assert/strict'
import { FakeClock } from '@spillway/core/testing'
import { Push } from '../src/push.js'

describe('a push to statsd', () => {
  /** A push of packets of one line each; what was sent, and how many packets were made for it. */
  function push(lineCount: number, spreadMs: number) {
    const clock = new FakeClock()
    const sent: string[] = []
    let madeCount = 0
    function* packets() {
      for (let line = 0; line < lineCount; line++) {
        madeCount++
        yield { text: String(line), lineCount: 1 }
      }
    }
    const options = { packets: packets(), lineCount, spreadMs, clock, send: (text: string) => void sent.push(text) }
    return { clock, sent, madeCount: () => madeCount, push: new Push(options) }
  }

  it('is spread evenly, and makes its packets as they are sent', () => {
    const { clock, sent, madeCount } = push(10, 1_000)
    assert.equal(sent.length, 1)
    clock.advance(499)
    assert.equal(sent.length, 5)
    assert.equal(madeCount(), 6)
    clock.advance(500)
    assert.equal(sent.length, 10)
    assert.equal(clock.timerCount, 0)
  })

  it('takes several turns for what is due at once', () => {
    const { clock, sent, madeCount } = push(20_000, 0)
    assert.ok(sent.length > 0 && madeCount() < 100)
    clock.flush()
    assert.equal(sent.length, 20_000)
  })

  it('goes out at once when the next one is due, in order and once', async () => {
    const { clock, sent, push: first } = push(10, 1_000)
    clock.advance(300)
    first.hurry()
    await first.done
    assert.deepEqual(
      sent,
      Array.from({ length: 10 }, (_, line) => String(line)),
    )
    assert.equal(clock.timerCount, 0)
  })

  it('sends nothing more once it is cancelled', async () => {
    const { clock, sent, push: only } = push(10, 1_000)
    only.cancel()
    await only.done
    clock.advance(2_000)
    assert.equal(sent.length, 1)
  })
})
