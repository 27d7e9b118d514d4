import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Consumer, Message } from '@spillway/client'

const LINE_FEED = Buffer.from('\n')

/**
 * Somebody who reads a channel over HTTP: every message becomes a line. It is finished once the system has taken it for
 * sending; what was not taken when the reader goes comes again at once, for others. A slow reader has `maxInFlight` messages
 * waiting here, and no more.
 */
export class Reader {
  readonly topic: string
  readonly channel: string
  readonly remoteAddress: string
  readonly #consumer: Consumer
  readonly #response: ServerResponse
  /** Written, and not taken for sending yet. */
  readonly #leaving = new Set<Message>()
  /** How many more there may be. */
  #left: number
  deliveredCount = 0

  /** @param messageCountMax - the stream ends after so many */
  constructor(
    topic: string,
    channel: string,
    remoteAddress: string,
    consumer: Consumer,
    response: ServerResponse,
    messageCountMax: number,
  ) {
    this.topic = topic
    this.channel = channel
    this.remoteAddress = remoteAddress
    this.#consumer = consumer
    this.#response = response
    this.#left = messageCountMax
  }

  get inFlightCount(): number {
    return this.#consumer.inFlightCount
  }

  /** Resolves once the reader has gone, has as many as it wanted, or is closed. */
  async run(): Promise<void> {
    const response = this.#response
    response.once('close', () => this.#gone())
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
    // So that the reader knows that it is served, before there is a message.
    response.flushHeaders()
    for await (const message of this.#consumer) {
      if (response.destroyed) {
        giveBack(message)
        break
      }
      const hasRoom = this.#write(message)
      if (--this.#left === 0) break
      if (!hasRoom) await this.#drained()
    }
    response.end()
    await this.#consumer.close()
  }

  /** Ends the stream: what is on its way goes out, nothing more comes. */
  close(): Promise<void> {
    return this.#consumer.close()
  }

  #write(message: Message): boolean {
    this.#leaving.add(message)
    return this.#response.write(Buffer.concat([message.body, LINE_FEED]), (error) => {
      this.#leaving.delete(message)
      if (error) return giveBack(message)
      message.finish()
      this.deliveredCount++
    })
  }

  /** The connection is closed, by whichever end. */
  #gone(): void {
    for (const message of this.#leaving) giveBack(message)
    this.#leaving.clear()
    void this.#consumer.close()
  }

  async #drained(): Promise<void> {
    const gone = new AbortController()
    const { signal } = gone
    // Whichever comes first; the other one listens no more.
    await Promise.race([once(this.#response, 'drain', { signal }), once(this.#response, 'close', { signal })])
    gone.abort()
  }
}

/** For others, at once; settled messages are left alone. */
function giveBack(message: Message): void {
  message.requeue({ delayMs: 0, backoff: false })
}
