import assert from 'node:assert/strict'
import { BrokerError, type ClientStats, type Durability, type Engine, type Subscription } from '@spillway/core'
import { SystemClock } from '@spillway/core/node'
import { TestLogger, testEngine } from '@spillway/core/testing'
import { makeStorage } from './support.js'

const NO_CLIENT = { stats: (): ClientStats => assert.fail('no client statistics in this test') }

/** An engine on RocksDB storage, without any network. */
export class SmallBroker {
  readonly engine: Engine
  readonly logger = new TestLogger()

  private constructor(dataPath: string, durability: Durability) {
    this.engine = testEngine({
      storage: makeStorage(dataPath, { durability, journalFileSizeBytes: 128 * 1024 }),
      clock: new SystemClock(),
      logger: this.logger,
      options: { durability },
    })
  }

  static async open(dataPath: string, durability: Durability = 'process'): Promise<SmallBroker> {
    const broker = new SmallBroker(dataPath, durability)
    await broker.engine.open()
    broker.engine.announce()
    return broker
  }

  async openChannels(topic: string, ...channels: string[]): Promise<void> {
    for (const channel of channels) await this.engine.openTopic(topic).openChannel(channel)
  }

  /** Publishes as one MPUB, or deferred one by one, and waits for OK. */
  publish(topic: string, bodies: readonly string[], delayMs = 0): Promise<void> {
    const bytes = bodies.map((body) => {
      const message = Buffer.alloc(4 + Buffer.byteLength(body))
      message.writeInt32BE(message.length - 4)
      message.write(body, 4)
      return message
    })
    return new Promise((resolve, reject) => {
      let left = delayMs === 0 ? 1 : bodies.length
      const waiter = {
        published: () => {
          if (--left === 0) resolve()
        },
        publishFailed: (_token: number, error: BrokerError) => reject(error),
      }
      const opened = this.engine.openTopic(topic)
      const whole = Buffer.concat(bytes)
      if (delayMs === 0) opened.publish(whole, 0, whole.length, bodies.length, waiter, 0)
      else for (const each of bytes) opened.publishDeferred(each, 0, each.length, delayMs, waiter, 0)
    })
  }

  /** Takes `count` messages from a channel; those that `isFinished` names are finished, the others given back. */
  async consume(
    topic: string,
    channel: string,
    count: number,
    isFinished: (body: string) => boolean = () => true,
  ): Promise<string[]> {
    const bodies: string[] = []
    const ids: Buffer[] = []
    let subscription: Subscription | null = null
    await new Promise<void>((resolve, reject) => {
      const sink = {
        writableBytes: 1024 * 1024,
        write: (frames: Uint8Array, start: number, end: number) => {
          const bytes = Buffer.from(frames.buffer, frames.byteOffset, frames.byteLength)
          for (let at = start; at < end; at += 4 + bytes.readInt32BE(at)) {
            bodies.push(bytes.toString('utf8', at + 34, at + 4 + bytes.readInt32BE(at)))
            ids.push(Buffer.from(bytes.subarray(at + 18, at + 34)))
          }
          if (bodies.length >= count) resolve()
        },
        disconnect: () => reject(new BrokerError('E_EXITING', 'disconnected')),
      }
      const options = { msgTimeoutMs: 60_000, sampleRate: 0, sink, client: NO_CLIENT }
      this.engine.subscribe(topic, channel, options).then((opened) => {
        subscription = opened
        opened.setReady(count)
      }, reject)
    })
    for (const [index, id] of ids.entries()) {
      if (isFinished(bodies[index])) (subscription as Subscription | null)?.finish(id, 0)
    }
    ;(subscription as Subscription | null)?.close()
    return bodies
  }

  close(): Promise<void> {
    return this.engine.close()
  }
}
