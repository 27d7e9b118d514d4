import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import type { Message, MessageHandler } from '@spillway/client'
import { Tail, type TailOptions } from '../../../src/tools/nsq-tail/tail.js'

/** What a test sees of a message. */
class Printed {
  isOver = false
  fate = ''
  constructor(readonly text: string) {}

  get bodySizeBytes(): number {
    return this.text.length
  }

  copyBody(target: Buffer, at: number): number {
    return at + target.write(this.text, at)
  }

  finish(): boolean {
    this.fate ||= 'finished'
    return true
  }

  requeue(): boolean {
    this.fate ||= 'requeued'
    return true
  }

  forgetIfOver(): boolean {
    if (this.isOver) this.fate ||= 'forgotten'
    return this.isOver
  }
}

describe('what nsq_tail prints', () => {
  let deliver: MessageHandler
  let states: string[]
  let written: string[]
  let taken: ((error?: Error) => void)[]
  let stdout: Writable

  beforeEach(() => {
    states = []
    written = []
    taken = []
    stdout = new Writable({
      write(bytes, _, done) {
        written.push(String(bytes))
        taken.push(done)
      },
    })
    stdout.on('error', () => {})
  })

  function started(options: Partial<TailOptions> = {}): Promise<void> {
    const consumer = {
      run(handler: MessageHandler) {
        deliver = handler
        return new Promise<void>(() => {})
      },
      pause: () => void states.push('paused'),
      resume: () => void states.push('resumed'),
    }
    return new Tail(consumer, { stdout, limit: 0, prefix: '', maxInFlight: 3, ...options }).start()
  }

  async function come(...texts: string[]): Promise<Printed[]> {
    const messages = texts.map((text) => new Printed(text))
    for (const message of messages) deliver(message as unknown as Message)
    await new Promise(setImmediate)
    return messages
  }

  async function readerTakes(error?: Error): Promise<void> {
    taken.shift()?.(error)
    await new Promise(setImmediate)
    await new Promise(setImmediate)
  }

  const fates = (messages: readonly Printed[]): string[] => messages.map(({ fate }) => fate)

  it('is finished once it is taken, and what comes meanwhile waits for the next write', async () => {
    void started()
    const messages = [...(await come('a', 'b')), ...(await come('c')), ...(await come('d'))]
    assert.deepEqual([written, fates(messages)], [['a\nb\n'], ['', '', '', '']])
    await readerTakes()
    assert.deepEqual(
      [written, fates(messages)],
      [
        ['a\nb\n', 'c\nd\n'],
        ['finished', 'finished', '', ''],
      ],
    )
  })

  it('does not pile up while nobody reads: what its node does not wait for any more is let go', async () => {
    void started()
    await come('a')
    const old = await come('b', 'c', 'd')
    for (const message of old) message.isOver = true
    await come('b', 'c', 'd')
    assert.deepEqual(fates(old), ['forgotten', 'forgotten', 'forgotten'])
    await readerTakes()
    assert.deepEqual(written, ['a\n', 'b\nc\nd\n'])
  })

  it('is as many messages as were asked for, whatever was let go', async () => {
    const ended = started({ limit: 3, maxInFlight: 2 })
    await come('a')
    const [old] = await come('b', 'c')
    old.isOver = true
    const [, surplus] = await come('d', 'e')
    await readerTakes()
    await readerTakes()
    await ended
    assert.deepEqual(
      [written, states],
      [
        ['a\n', 'c\nd\n'],
        ['paused', 'resumed', 'paused'],
      ],
    )
    assert.deepEqual([old.fate, surplus.fate], ['forgotten', 'requeued'])
  })

  it('goes back when nobody takes it', async () => {
    const ended = started()
    const messages = [...(await come('a')), ...(await come('b'))]
    await readerTakes(Object.assign(new Error(), { code: 'EPIPE' }))
    await ended
    assert.deepEqual(fates(messages), ['requeued', 'requeued'])
  })
})
