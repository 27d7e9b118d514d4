import { HttpError } from '@spillway/http'
import type { Exchange } from '../exchange.js'
import type { BodySink } from './body-sink.js'

/** A small text, all of it. */
export class SettingBody implements BodySink {
  readonly #exchange: Exchange
  readonly #take: (text: string) => void
  #parts: Buffer[] = []
  #sizeBytes = 0

  constructor(exchange: Exchange, take: (text: string) => void) {
    this.#exchange = exchange
    this.#take = take
  }

  write(part: Buffer): void {
    this.#sizeBytes += part.length
    if (this.#sizeBytes > this.#exchange.broker.options.msgSizeBytesMax) throw new HttpError(413, 'INVALID_VALUE')
    this.#parts.push(Buffer.from(part))
  }

  end(): void {
    if (this.#sizeBytes === 0) throw new HttpError(413, 'INVALID_VALUE')
    this.#take(Buffer.concat(this.#parts).toString())
  }

  release(): void {
    this.#parts = []
  }
}
