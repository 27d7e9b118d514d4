import type { Topic } from '@spillway/core'
import { HttpError } from '@spillway/http'
import type { Exchange } from '../exchange.js'
import type { BodySink } from './body-sink.js'
import { GrowingBuffer } from './growing-buffer.js'

const NEWLINE = 0x0a
const SIZE_BYTES = 4

/**
 * The body of a text `/mpub`: one message a line, empty lines are skipped. Lines are taken apart as they arrive, so that
 * five megabytes of short ones do not hold up everybody else.
 */
export class TextBatch implements BodySink {
  readonly #exchange: Exchange
  readonly #topic: Topic
  /** `int32 size | line` again and again; the size of the line that is being read is not filled in yet. */
  readonly #messages: GrowingBuffer
  #messageCount = 0
  #lineStart = 0
  #lineBytes = 0
  #bodyBytes = 0

  constructor(exchange: Exchange, topic: Topic) {
    this.#exchange = exchange
    this.#topic = topic
    this.#messages = new GrowingBuffer(exchange.broker, SIZE_BYTES + exchange.bodySizeBytesDeclared)
    this.#lineStart = this.#messages.reserve(SIZE_BYTES)
  }

  write(part: Buffer): void {
    const { bodySizeBytesMax } = this.#exchange.broker.options
    // One byte too many is enough to know. The lines before it have their say first.
    const end = Math.min(part.length, bodySizeBytesMax + 1 - this.#bodyBytes)
    for (let at = 0; at < end; ) {
      const newline = part.indexOf(NEWLINE, at)
      const isWhole = newline !== -1 && newline < end
      const lineEnd = isWhole ? newline : end
      this.#takeLine(part, at, lineEnd)
      const next = isWhole ? lineEnd + 1 : end
      this.#bodyBytes += next - at
      if (this.#bodyBytes > bodySizeBytesMax) throw new HttpError(413, 'BODY_TOO_BIG')
      if (isWhole) this.#endLine()
      at = next
    }
  }

  end(): void {
    this.#endLine()
    if (this.#messageCount === 0) {
      this.#exchange.sendOk()
      return
    }
    const { bytes, length } = this.#messages
    this.#topic.publish(bytes, 0, length - SIZE_BYTES, this.#messageCount, this.#exchange, 0)
  }

  release(): void {
    this.#messages.release()
  }

  #takeLine(part: Buffer, start: number, end: number): void {
    this.#lineBytes += end - start
    // A line that is too long is refused where it ends; until then the whole body may turn out to be too big.
    if (this.#lineBytes <= this.#exchange.broker.options.msgSizeBytesMax) this.#messages.append(part, start, end)
  }

  #endLine(): void {
    if (this.#lineBytes === 0) return
    if (this.#lineBytes > this.#exchange.broker.options.msgSizeBytesMax) throw new HttpError(413, 'MSG_TOO_BIG')
    this.#messages.bytes.writeInt32BE(this.#lineBytes, this.#lineStart)
    this.#messageCount++
    this.#lineBytes = 0
    this.#lineStart = this.#messages.reserve(SIZE_BYTES)
  }
}
