import type { Topic } from '@spillway/core'
import { HttpError } from '@spillway/http'
import type { Exchange } from '../exchange.js'
import type { BodySink } from './body-sink.js'
import { GrowingBuffer } from './growing-buffer.js'

const COUNT_BYTES = 4
const SIZE_BYTES = 4

/** The body of a binary `/mpub`: `int32 count`, then `count` times `int32 size | message`. It is published as it is. */
export class BinaryBatch implements BodySink {
  readonly #exchange: Exchange
  readonly #topic: Topic
  readonly #buffer: GrowingBuffer

  constructor(exchange: Exchange, topic: Topic) {
    this.#exchange = exchange
    this.#topic = topic
    this.#buffer = new GrowingBuffer(exchange.broker, exchange.bodySizeBytesDeclared)
  }

  write(part: Buffer): void {
    const sizeBytes = this.#buffer.length + part.length
    if (sizeBytes > this.#exchange.broker.options.bodySizeBytesMax) throw new HttpError(413, 'BODY_TOO_BIG')
    this.#buffer.append(part, 0, part.length)
  }

  end(): void {
    const { msgSizeBytesMax, bodySizeBytesMax } = this.#exchange.broker.options
    const { bytes, length } = this.#buffer
    if (length < COUNT_BYTES) throw new HttpError(413, 'BAD_BODY')
    const count = bytes.readInt32BE(0)
    // The smallest message takes five bytes.
    const countMax = Math.floor((bodySizeBytesMax - COUNT_BYTES) / (SIZE_BYTES + 1))
    if (count < 1 || count > countMax) throw new HttpError(413, 'BAD_BODY')
    const end = skipMessages(bytes, length, count, msgSizeBytesMax)
    this.#topic.publish(bytes, COUNT_BYTES, end, count, this.#exchange, 0)
  }

  release(): void {
    this.#buffer.release()
  }
}

/** Where the last of `count` messages ends; what follows is not looked at. @throws HttpError 413 for a size that cannot be. */
function skipMessages(bytes: Buffer, length: number, count: number, msgSizeBytesMax: number): number {
  let at = COUNT_BYTES
  for (let left = count; left > 0; left--) {
    if (at + SIZE_BYTES > length) throw new HttpError(413, 'BAD_MESSAGE')
    const sizeBytes = bytes.readInt32BE(at)
    if (sizeBytes < 1 || sizeBytes > msgSizeBytesMax) throw new HttpError(413, 'BAD_MESSAGE')
    at += SIZE_BYTES + sizeBytes
    if (at > length) throw new HttpError(413, 'BAD_MESSAGE')
  }
  return at
}
