import { HttpError } from '@spillway/http'
import type { Exchange } from '../exchange.js'
import type { BodySink } from './body-sink.js'
import { GrowingBuffer } from './growing-buffer.js'

/** What stands in front of a message: its size. */
const SIZE_BYTES = 4

/** Is given `bytes[0, end)`, an `int32 size` and a message. @throws HttpError to refuse it. */
export type PublishMessage = (exchange: Exchange, bytes: Uint8Array, end: number) => void

/** The body of `/pub`: one message, gathered behind room for its size, which is how topics take it. */
export class MessageBody implements BodySink {
  readonly #exchange: Exchange
  readonly #publish: PublishMessage
  readonly #buffer: GrowingBuffer

  constructor(exchange: Exchange, publish: PublishMessage) {
    this.#exchange = exchange
    this.#publish = publish
    this.#buffer = new GrowingBuffer(exchange.broker, SIZE_BYTES + exchange.bodySizeBytesDeclared)
    this.#buffer.reserve(SIZE_BYTES)
  }

  write(part: Buffer): void {
    const sizeBytes = this.#buffer.length - SIZE_BYTES + part.length
    if (sizeBytes > this.#exchange.broker.options.msgSizeBytesMax) throw new HttpError(413, 'MSG_TOO_BIG')
    this.#buffer.append(part, 0, part.length)
  }

  end(): void {
    const { bytes, length } = this.#buffer
    if (length === SIZE_BYTES) throw new HttpError(400, 'MSG_EMPTY')
    bytes.writeInt32BE(length - SIZE_BYTES, 0)
    this.#publish(this.#exchange, bytes, length)
  }

  release(): void {
    this.#buffer.release()
  }
}
