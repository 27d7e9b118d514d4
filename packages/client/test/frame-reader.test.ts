import assert from 'node:assert/strict'
import { NsqError } from '../src/errors.js'
import { FrameReader, type FrameSink } from '../src/frame-reader.js'
import { frame, idOf, messageFrame } from './support/frames.js'
import { freshSeed, seededRandom } from './support/random.js'

const FRAME_BYTES_MAX = 8 * 1024 * 1024

/** Writes down what it gets; messages when they are looked at, not when they come. */
class Recorder implements FrameSink {
  readonly frames: (string | (() => string))[] = []

  message(bytes: Buffer, at: number, end: number): void {
    this.frames.push(
      () => `message ${bytes.toString('latin1', at + 10, at + 26)} ${bytes.toString('latin1', at + 26, end)}`,
    )
  }
  ok(): void {
    this.frames.push('ok')
  }
  heartbeat(): void {
    this.frames.push('heartbeat')
  }
  response(text: string): void {
    this.frames.push(`response ${text}`)
  }
  error(text: string): void {
    this.frames.push(`error ${text}`)
  }

  get texts(): string[] {
    return this.frames.map((each) => (typeof each === 'string' ? each : each()))
  }
}

function readAll(chunks: readonly Buffer[]): string[] {
  const recorder = new Recorder()
  const reader = new FrameReader(recorder, FRAME_BYTES_MAX)
  for (const chunk of chunks) assert.equal(reader.read(chunk), chunk.length)
  return recorder.texts
}

const EVERY_KIND = Buffer.concat([
  frame(0, 'OK'),
  messageFrame({ serial: 1, body: 'hello' }),
  frame(0, '_heartbeat_'),
  frame(1, 'E_FIN_FAILED FIN 1 failed'),
  messageFrame({ serial: 2, body: '' }),
  frame(0, 'CLOSE_WAIT'),
  frame(0, ''),
])
const EXPECTED = [
  'ok',
  `message ${idOf(1)} hello`,
  'heartbeat',
  'error E_FIN_FAILED FIN 1 failed',
  `message ${idOf(2)} `,
  'response CLOSE_WAIT',
  'response ',
]

describe('frame reader', () => {
  it('reads every kind of frame', () => {
    assert.deepEqual(readAll([EVERY_KIND]), EXPECTED)
  })

  it('reads the same wherever the bytes are split in two', () => {
    for (let at = 0; at <= EVERY_KIND.length; at++) {
      assert.deepEqual(readAll([EVERY_KIND.subarray(0, at), EVERY_KIND.subarray(at)]), EXPECTED, `split at ${at}`)
    }
  })

  it('reads the same byte by byte', () => {
    assert.deepEqual(readAll([...EVERY_KIND].map((byte) => Buffer.from([byte]))), EXPECTED)
  })

  it('reads random frames that are split at random, whatever their sizes', () => {
    const seed = freshSeed()
    const random = seededRandom(seed)
    const below = (limit: number): number => Math.floor(random() * limit)
    for (let round = 0; round < 200; round++) {
      const frames: Buffer[] = []
      const expected: string[] = []
      for (let count = 1 + below(30); count > 0; count--) {
        const kind = below(10)
        if (kind === 0) {
          frames.push(frame(0, 'OK'))
          expected.push('ok')
        } else if (kind === 1) {
          const text = 'E'.repeat(below(300))
          frames.push(frame(1, text))
          expected.push(`error ${text}`)
        } else {
          // Now and then one that is larger than any buffer in between.
          const body = String.fromCharCode(97 + below(26)).repeat(below(20) === 0 ? below(400_000) : below(500))
          frames.push(messageFrame({ serial: count, body }))
          expected.push(`message ${idOf(count)} ${body}`)
        }
      }
      const bytes = Buffer.concat(frames)
      const chunks: Buffer[] = []
      for (let at = 0; at < bytes.length; ) {
        const end = Math.min(bytes.length, at + 1 + below(random() < 0.5 ? 40 : 100_000))
        chunks.push(Buffer.from(bytes.subarray(at, end)))
        at = end
      }
      assert.deepEqual(readAll(chunks), expected, `seed ${seed}, round ${round}`)
    }
  })

  it('stops where it is told to, and says where that is', () => {
    const recorder = new Recorder()
    const reader = new FrameReader(recorder, FRAME_BYTES_MAX)
    recorder.response = () => {
      reader.isStopped = true
    }
    const json = frame(0, '{}')
    assert.equal(reader.read(Buffer.concat([json, Buffer.from([1, 2, 3])])), json.length)
    reader.isStopped = false
    assert.equal(reader.read(json.subarray(0, 5)), 5)
    assert.equal(reader.read(Buffer.concat([json.subarray(5), Buffer.from([1])])), json.length - 5)
  })

  const malformed: [string, Buffer, RegExp][] = [
    ['a negative size', Buffer.from('ffffffff00000000', 'hex'), /a frame of -1 bytes/],
    ['a size without room for the type', Buffer.from('0000000300000000', 'hex'), /a frame of 3 bytes/],
    ['a size above the limit', Buffer.from('7fffffff00000002', 'hex'), /a frame of 2147483647 bytes/],
    ['an unknown type', frame(3, 'x'), /a frame of type 3/],
    ['a message without an id', frame(2, 'too short'), /a message of 9 bytes/],
    ['the answer of an HTTP server', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /HTTP port/],
  ]
  for (const [what, bytes, expected] of malformed) {
    it(`refuses ${what}, at once or byte by byte`, () => {
      for (const chunks of [[bytes], [...bytes].map((byte) => Buffer.from([byte]))]) {
        assert.throws(
          () => readAll(chunks),
          (error: unknown) => error instanceof NsqError && error.code === 'E_PROTOCOL' && expected.test(error.message),
        )
      }
    })
  }

  it('does not take memory for a size that is only claimed', () => {
    const before = process.memoryUsage().arrayBuffers
    const readers = Array.from({ length: 50 }, () => new FrameReader(new Recorder(), FRAME_BYTES_MAX))
    const header = Buffer.alloc(8)
    header.writeInt32BE(FRAME_BYTES_MAX, 0)
    for (const reader of readers) reader.read(header)
    assert.ok(process.memoryUsage().arrayBuffers - before < 50 * 128 * 1024)
  })
})
