import assert from 'node:assert/strict'
import { type ChannelLedger, type LifeClock, UNSAVED_FINISHES_MAX } from './channel-ledger.js'
import { TopicLedger } from './topic-ledger.js'
import { Violations } from './violations.js'

const SAVED_AFTER_MS = 250
const KILLED_AT_MS = 10_000

/** What the crash harness accepts, and what it calls wrong: a harness that finds nothing proves nothing. */
describe('crash ledger', () => {
  let violations: Violations
  let topic: TopicLedger
  let channel: ChannelLedger
  const first: LifeClock = { number: 1, killedAtMs: KILLED_AT_MS, savedAfterMs: SAVED_AFTER_MS }
  const second: LifeClock = { number: 2, killedAtMs: Infinity, savedAfterMs: SAVED_AFTER_MS }

  beforeEach(() => {
    violations = new Violations()
    topic = new TopicLedger('topic', 1, violations)
    channel = topic.addChannel('channel')
    topic.began(first)
    channel.readyCountSet(first, 100)
  })

  const found = (kind: string) => violations.countOf(kind)
  const publish = (count: number) => topic.acknowledge(topic.send(count), count)

  it('accepts what comes once and is finished, and what comes again within the bounds', () => {
    publish(3)
    channel.deliver(0, 1, first, 1_000)
    channel.finish(0, first)
    channel.deliver(1, 1, first, 1_000)
    channel.deliver(2, 1, first, 9_990)
    topic.began(second)
    channel.readyCountSet(second, 100)
    channel.deliver(0, 1, second, 11_000) // its FIN was not saved
    channel.deliver(1, 2, second, 11_000)
    channel.deliver(2, 1, second, 11_000) // its delivery was not saved
    for (const serial of [0, 1, 2]) channel.finish(serial, second)
    channel.judgeBounds()
    assert.equal(channel.judgeLoss(), 0)
    assert.deepEqual(violations.lines(), [])
    assert.equal(channel.redeliveredOf(first), 1)
    assert.equal(channel.unfinishedAgainCount, 2)
    assert.equal(topic.outstandingCount, 0)
  })

  it('calls an acknowledged message that was never finished lost, and says which', () => {
    publish(3)
    topic.send(1) // nobody has answered for this one
    channel.deliver(1, 1, first, 1_000)
    channel.deliver(2, 1, first, 1_000)
    channel.finish(2, first)
    assert.equal(channel.outstandingCount, 2)
    assert.equal(channel.judgeLoss(), 2)
    assert.equal(found('acknowledged and lost'), 2)
    assert.match(violations.lines().join('\n'), /topic\/channel: 2 of 4: 0 .* 1 \(last delivered in 1\)/)
  })

  it('owes a channel only what was acknowledged after it was there, and nothing that was emptied', () => {
    publish(2)
    const late = topic.addChannel('late', { notBelow: 2 })
    publish(2)
    assert.equal(late.outstandingCount, 2)
    channel.emptied(first)
    assert.equal(channel.judgeLoss(), 0)
    assert.equal(late.judgeLoss(), 2)
    late.deliver(1, 1, first, 1_000)
    assert.equal(found('older than its channel'), 1)
    channel.deliver(3, 1, second, 11_000)
    assert.equal(found('came back after it was emptied'), 1)
  })

  it('counts finished messages that come back against the crash that lost their FIN, and limits them', () => {
    const count = UNSAVED_FINISHES_MAX + 101
    publish(count)
    for (let serial = 0; serial < count; serial++) {
      channel.deliver(serial, 1, first, 1_000)
      channel.finish(serial, first)
    }
    for (let serial = 0; serial < count - 1; serial++) channel.deliver(serial, 1, second, 11_000)
    channel.deliver(0, 2, second, 11_001) // the same one again is no second loss of a FIN
    channel.judgeBounds()
    assert.equal(found('too many finished messages came back'), 0)
    channel.deliver(count - 1, 1, second, 11_000)
    channel.judgeBounds()
    assert.equal(found('too many finished messages came back'), 1)
    assert.equal(channel.redeliveredOf(first), count)
  })

  it('wants attempts of 2 for what was delivered well before the kill, and for what was requeued', () => {
    publish(2)
    channel.deliver(0, 1, first, KILLED_AT_MS - SAVED_AFTER_MS - 1)
    channel.deliver(0, 1, second, 11_000)
    assert.equal(found('came again with attempts 1'), 1)
    channel.deliver(1, 1, second, 11_000)
    channel.requeue(1, 0, 11_000)
    channel.deliver(1, 1, second, 11_001)
    assert.equal(found('came again with attempts 1'), 2)
  })

  it('notices what comes again without a crash', () => {
    publish(2)
    channel.deliver(0, 1, first, 1_000)
    channel.finish(0, first)
    channel.deliver(0, 2, first, 1_001)
    assert.equal(found('came again after FIN without a crash'), 1)
    channel.deliver(1, 1, first, 1_000)
    channel.deliver(1, 2, first, 1_001)
    assert.equal(found('came again while it was held'), 1)
  })

  it('notices a deferred message that comes early, also in a later life', () => {
    topic.acknowledge(topic.send(2, 12_000), 2)
    channel.deliver(0, 1, second, 11_900)
    assert.equal(found('deferred and came early'), 1)
    channel.deliver(1, 1, second, 12_000)
    assert.equal(found('deferred and came early'), 1)
  })

  it('notices a requeued message that comes early, unless the crash came before its delay was saved', () => {
    publish(3)
    for (const serial of [0, 1, 2]) channel.deliver(serial, 1, first, 1_000)
    channel.requeue(0, 5_000, 9_000)
    channel.requeue(1, 5_000, 9_950)
    channel.requeue(2, 2_000, 9_000)
    for (const serial of [0, 1, 2]) channel.deliver(serial, 2, second, 11_000)
    assert.equal(found('requeued and came early'), 1)
  })

  it('notices what a paused channel or topic gives out', () => {
    publish(2)
    channel.pausedIn = first
    channel.deliver(0, 1, first, 1_000) // it was under way
    assert.equal(found('delivered while paused'), 0)
    channel.deliver(0, 1, second, 11_000)
    assert.equal(found('delivered while paused'), 1)
    topic.pausedFrom = 1
    channel.deliver(1, 1, second, 11_000)
    assert.equal(found('delivered though its topic is paused'), 1)
  })

  it('notices what nobody has published, and attempts that nobody has made', () => {
    topic.began(second)
    publish(1)
    channel.deliver(1, 1, second, 11_000)
    assert.equal(found('never published'), 1)
    channel.deliver(0, 2, second, 11_000)
    assert.equal(found('attempts above 1 though it came first'), 1)
  })
})
