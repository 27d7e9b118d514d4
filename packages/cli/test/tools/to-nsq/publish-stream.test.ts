import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { publishStream } from '../../../src/tools/to-nsq/publish-stream.js'
import { RateLimit } from '../../../src/tools/to-nsq/rate-limit.js'
import { RecordPublisher } from '../../../src/tools/to-nsq/record-publisher.js'
import { RecordSplitter } from '../../../src/tools/to-nsq/record-splitter.js'

/** A node whose answers the test gives. */
class FakeNode {
  readonly bodies: string[] = []
  readonly #waiting: { resolve(): void; reject(error: Error): void }[] = []
  isAnswering = true

  publish(_topic: string, body: string | Uint8Array): Promise<void> {
    const text = String(body)
    if (text === 'bad') return Promise.reject(new Error('E_BAD_MESSAGE too big (a:1)'))
    this.bodies.push(text)
    if (this.isAnswering) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  answerAll(): void {
    this.isAnswering = true
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }
}

function streamTo(
  nodes: readonly FakeNode[],
  input: PassThrough,
  limit: RateLimit | null = null,
  pause = async () => {},
) {
  const publisher = new RecordPublisher('t', new Map(nodes.map((node, index) => [`node${index}:1`, node])))
  const controller = new AbortController()
  const done = publishStream(input, {
    splitter: new RecordSplitter(10, 100),
    publisher,
    limit,
    stop: controller.signal,
    closeInput: () => input.destroy(),
    pause,
  })
  // Tests wait for it later.
  done.catch(() => {})
  return { publisher, done, stop: () => controller.abort() }
}

/** Lets everything happen that waits for nothing but its turn. */
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('publishing a stream', () => {
  it('publishes every record to every node, in order, and is done once all are acknowledged', async () => {
    const nodes = [new FakeNode(), new FakeNode()]
    nodes[1].isAnswering = false
    const input = new PassThrough()
    const { publisher, done } = streamTo(nodes, input)
    let isDone = false
    void done.then(() => {
      isDone = true
    })
    input.end('a\nb\nc')
    await turns()
    assert.deepEqual([isDone, publisher.publishedCount], [false, 0])
    nodes[1].answerAll()
    assert.equal(await done, true)
    assert.equal(publisher.publishedCount, 3)
    for (const { bodies } of nodes) assert.deepEqual(bodies, ['a', 'b', 'c'])
  })

  it('reads no further than two chunks ahead of what is acknowledged', async () => {
    const node = new FakeNode()
    node.isAnswering = false
    const input = new PassThrough()
    const { done } = streamTo([node], input)
    for (const chunk of ['1\n', '2\n', '3\n', '4\n']) {
      input.write(chunk)
      await turns()
    }
    assert.deepEqual(node.bodies, ['1', '2'])
    node.answerAll()
    input.end()
    assert.equal(await done, true)
    assert.deepEqual(node.bodies, ['1', '2', '3', '4'])
  })

  it('ends with the record that failed and how many were published, though nothing more is there to read', async () => {
    const input = new PassThrough()
    const { done } = streamTo([new FakeNode()], input)
    input.write('a\nb\nbad\n')
    await assert.rejects(done, { message: 'record 3: E_BAD_MESSAGE too big (a:1); 2 were published' })
  })

  it('publishes what stands before a record that is too long', async () => {
    const node = new FakeNode()
    const input = new PassThrough()
    const { publisher, done } = streamTo([node], input)
    input.end(`a\nb\n${'x'.repeat(101)}\nc\n`)
    await assert.rejects(done, { message: 'record 3 is longer than 100 bytes' })
    assert.deepEqual([node.bodies, publisher.publishedCount], [['a', 'b'], 2])
  })

  it('when it is stopped, waits for what is on its way and publishes nothing more', async () => {
    const node = new FakeNode()
    node.isAnswering = false
    const input = new PassThrough()
    const { publisher, done, stop } = streamTo([node], input)
    input.write('a\nb\nc')
    await turns()
    stop()
    input.destroy()
    await turns()
    node.answerAll()
    assert.equal(await done, false)
    assert.deepEqual([node.bodies, publisher.publishedCount], [['a', 'b'], 2])
  })

  it('goes no faster than it may', async () => {
    let nowMs = 0
    const node = new FakeNode()
    const input = new PassThrough()
    const seenAtMs: number[] = []
    const limit = new RateLimit(10, () => nowMs)
    const { done } = streamTo([node], input, limit, async () => {
      seenAtMs.push(node.bodies.length)
      nowMs += 100
    })
    input.end('1\n2\n3\n4\n')
    assert.equal(await done, true)
    assert.deepEqual(seenAtMs, [1, 2, 3])
  })
})
