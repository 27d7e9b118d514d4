import assert from 'node:assert/strict'
import type { Engine, LogStore, MessageSink, PublishWaiter, StorageCapabilities } from '@spillway/core'
import { FakeClock, testEngine } from '@spillway/core/testing'
import { MemoryStorage } from '../src/index.js'

const MIB = 1024 * 1024
const BUDGET_BYTES = 8 * MIB
const BODY_BYTES = 1000

/** What the storage really holds on to is what counts here: the engine's own count says nothing of that. */
describe('a node that keeps messages in memory', () => {
  let clock: FakeClock
  let engine: Engine
  let store: LogStore
  let outcomes: { ok: number; refused: number }
  const waiter: PublishWaiter = {
    published: () => outcomes.ok++,
    publishFailed: () => outcomes.refused++,
  }

  const open = async (whenFull: StorageCapabilities['whenFull']): Promise<void> => {
    clock = new FakeClock()
    outcomes = { ok: 0, refused: 0 }
    engine = testEngine({
      storage: new MemoryStorage(clock, { whenFull }),
      clock,
      options: { memorySizeBytesMax: BUDGET_BYTES },
    })
    await engine.open()
    const topic = engine.openTopic('t')
    await topic.whenDurable()
    store = topic.log.store
  }

  /** Each message is a number, and then zeros. */
  const publish = async (first: number, end: number, perTurn = 10): Promise<void> => {
    for (let n = first; n < end; n++) {
      const message = Buffer.alloc(4 + BODY_BYTES)
      message.writeInt32BE(BODY_BYTES)
      message.writeInt32BE(n, 4)
      engine.openTopic('t').publish(message, 0, message.length, 1, waiter, n)
      if (n % perTurn === perTurn - 1) await clock.advanceAsync(1)
    }
    await clock.advanceAsync(1000)
  }

  /** Finishes everything except the messages that it keeps. Returns their numbers as they come. */
  const consume = async (keeps: (n: number) => boolean): Promise<number[]> => {
    const numbers: number[] = []
    const ids: Buffer[] = []
    const sink: MessageSink = {
      writableBytes: MIB,
      disconnect: () => undefined,
      write(frames, start, end) {
        const bytes = Buffer.from(frames.buffer, frames.byteOffset, frames.length)
        for (let at = start; at < end; at += 4 + bytes.readInt32BE(at)) {
          const n = bytes.readInt32BE(at + 34)
          numbers.push(n)
          if (!keeps(n)) ids.push(Buffer.from(bytes.subarray(at + 18, at + 34)))
        }
        clock.inNextTurn(() => {
          for (const id of ids.splice(0)) subscription.finish(id, 0)
        })
      },
    }
    const client = { stats: () => assert.fail('no statistics of clients here') }
    const subscription = await engine.subscribe('t', 'c', { msgTimeoutMs: 60_000, sampleRate: 0, sink, client })
    subscription.setReady(2500)
    await clock.advanceAsync(100)
    return numbers
  }

  const topicStats = () => engine.stats({ topic: 't', includeClients: false }).topics[0]

  afterEach(() => engine.close())

  it('refuses what does not fit any more, and has the rest', async () => {
    await open('refuse')
    await publish(0, 20_000)
    assert.ok(store.sizeBytes <= BUDGET_BYTES + MIB)
    assert.ok(outcomes.refused > 0)
    assert.equal(topicStats().droppedCount, 0)
    const numbers = await consume(() => false)
    assert.deepEqual(numbers, [...Array(outcomes.ok).keys()])
  })

  it('or drops the oldest, and really lets go of them', async () => {
    await open('drop-oldest')
    for (let round = 0; round < 20; round++) {
      await publish(round * 1000, (round + 1) * 1000)
      assert.ok(store.sizeBytes <= BUDGET_BYTES + MIB, `${store.sizeBytes} bytes are held after round ${round}`)
    }
    assert.deepEqual(outcomes, { ok: 20_000, refused: 0 })
    const { droppedCount } = topicStats()
    const numbers = await consume(() => false)
    assert.deepEqual(
      numbers,
      Array.from({ length: 20_000 - droppedCount }, (_, at) => droppedCount + at),
    )
  })

  it('lets go of what was finished, though a message before it is not', async () => {
    await open('refuse')
    const numbers = await consume((n) => n === 0)
    await publish(0, 30_000)
    assert.equal(numbers.length, 30_000)
    assert.equal(outcomes.refused, 0)
    await clock.advanceAsync(2000)
    assert.ok(store.sizeBytes <= 2 * MIB, `${store.sizeBytes} bytes are held`)
  })
})
