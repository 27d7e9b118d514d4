import assert from 'node:assert/strict'
import { type ChannelCounts, channelCountsOf, sumOf } from '../../../src/tools/nsq-stat/channel-counts.js'
import { HEADER, row } from '../../../src/tools/nsq-stat/table.js'

const NOTHING: ChannelCounts = {
  depth: 0,
  memoryDepth: 0,
  backendDepth: 0,
  inFlightCount: 0,
  deferredCount: 0,
  requeueCount: 0,
  timeoutCount: 0,
  messageCount: 0,
  clientCount: 0,
}

describe("nsq_stat's table", () => {
  it("is nsq_stat's, character by character", () => {
    const counts = { ...NOTHING, inFlightCount: 3, messageCount: 6 }
    assert.equal(
      HEADER + row(counts, counts, 2_000),
      `------rate------+----------------depth----------------+--------------metadata---------------
ingress  egress |   total     mem    disk inflt   def |     req     t-o         msgs clients
      0       0 |       0       0       0     3     0 |       0       0            6       0
`,
    )
  })

  it('says how many come in and go out in a second, cut to whole ones', () => {
    const rates = (from: Partial<ChannelCounts>, to: Partial<ChannelCounts>, intervalMs: number) =>
      row({ ...NOTHING, ...from }, { ...NOTHING, ...to }, intervalMs)
        .split('|')[0]
        .trim()
        .split(/ +/)
        .map(Number)
    assert.deepEqual(rates({ messageCount: 10 }, { messageCount: 21 }, 2_000), [5, 5])
    assert.deepEqual(rates({ depth: 5 }, { depth: 8, messageCount: 10 }, 1_000), [10, 7])
    assert.deepEqual(rates({ depth: 8 }, { depth: 5 }, 1_000), [0, 3])
    assert.deepEqual(rates({ messageCount: 100 }, { messageCount: 0 }, 250), [-400, -400])
    assert.doesNotMatch(row({ ...NOTHING, messageCount: 1 }, NOTHING, 2_000), /-0/)
  })
})

describe('the counters of a channel', () => {
  const stats = {
    topics: [
      { topic_name: 'other', channels: [{ channel_name: 'c', depth: 99 }] },
      {
        topic_name: 't',
        channels: [
          {
            channel_name: 'c',
            depth: 10,
            backend_depth: 4,
            in_flight_count: 1,
            deferred_count: 2,
            requeue_count: 3,
            timeout_count: 5,
            message_count: 20,
            client_count: 7,
          },
        ],
      },
    ],
  }

  it('are taken out of what a node answers', () => {
    assert.deepEqual(channelCountsOf(stats, 't', 'c'), {
      depth: 10,
      memoryDepth: 6,
      backendDepth: 4,
      inFlightCount: 1,
      deferredCount: 2,
      requeueCount: 3,
      timeoutCount: 5,
      messageCount: 20,
      clientCount: 7,
    })
  })

  it('are not there where the topic, or only the channel, is not', () => {
    assert.equal(channelCountsOf(stats, 'nowhere', 'c'), null)
    assert.equal(channelCountsOf({}, 't', 'c'), null)
    assert.equal(channelCountsOf(stats, 't', 'nowhere'), undefined)
    assert.equal(channelCountsOf({ topics: [{ topic_name: 't', channels: null }] }, 't', 'c'), undefined)
  })

  it('are counted together over nodes', () => {
    const one = channelCountsOf(stats, 't', 'c') as ChannelCounts
    const doubled = Object.fromEntries(Object.entries(one).map(([name, count]) => [name, 2 * count]))
    assert.deepEqual(sumOf([one, one]), doubled)
    assert.deepEqual(sumOf([one]), one)
  })
})
