import type { BrokerOptions, Engine, MessageSink, Subscription } from '@spillway/core'
import { SystemClock } from '@spillway/core/node'
import { SimulatedStorage, type SimulationOptions, seededRandom, testEngine } from '@spillway/core/testing'
import { HttpTransport } from '../../src/index.js'
import { OPTIONS } from './fake-broker.js'
import { type Answer, request } from './http-client.js'
import { clientStats } from './sample-stats.js'
import { transportOptions } from './start-transport.js'

const FRAME_HEAD_BYTES = 34
const CLIENT = clientStats({ clientId: 'consumer', hostname: 'consumer.test' })

/** What the tests look at. */
export interface TopicJson {
  readonly topic_name: string
  readonly paused: boolean
  readonly depth: number
  readonly message_count: number
  readonly message_bytes: number
  readonly channels: readonly {
    readonly channel_name: string
    readonly paused: boolean
    readonly depth: number
    readonly in_flight_count: number
    readonly deferred_count: number
    readonly clients: readonly { readonly client_id: string }[]
  }[]
}

export interface RealBrokerOptions {
  readonly options?: Partial<BrokerOptions>
  readonly fault?: SimulationOptions['fault']
}

/** The engine on a simulated storage, reached over HTTP. */
export class RealBroker {
  readonly engine: Engine
  readonly transport: HttpTransport

  private constructor(engine: Engine, transport: HttpTransport) {
    this.engine = engine
    this.transport = transport
  }

  static async start({ options = {}, fault = () => null }: RealBrokerOptions = {}): Promise<RealBroker> {
    const clock = new SystemClock()
    const engine = testEngine({
      storage: new SimulatedStorage({ clock, random: seededRandom(1), latencyMs: () => 0, fault }),
      clock,
      options: { ...OPTIONS, durability: 'process', ...options },
    })
    await engine.open()
    const transport = new HttpTransport(transportOptions(), process.cwd())
    await transport.start(engine)
    engine.listening(transport.addresses)
    return new RealBroker(engine, transport)
  }

  get(path: string): Promise<Answer> {
    return request(this.transport.addresses[0].port, 'GET', path)
  }

  post(path: string, body: string | Buffer = ''): Promise<Answer> {
    return request(this.transport.addresses[0].port, 'POST', path, { body })
  }

  /** Topics as `/stats` shows them; null for `null`. */
  async topicsOrNull(query = ''): Promise<readonly TopicJson[] | null> {
    const { text } = await this.get(`/stats?format=json&include_mem=false${query}`)
    return (JSON.parse(text) as { topics: readonly TopicJson[] | null }).topics
  }

  async topics(query = ''): Promise<readonly TopicJson[]> {
    return (await this.topicsOrNull(query)) ?? []
  }

  /** Takes `count` messages of a channel and leaves them in flight. */
  async consume(topic: string, channel: string, count: number): Promise<{ bodies: string[]; stop: () => void }> {
    const bodies: string[] = []
    let gotAll: () => void = () => {}
    const all = new Promise<void>((resolve) => {
      gotAll = resolve
    })
    const sink: MessageSink = {
      writableBytes: 1024 * 1024,
      write(frames, start, end) {
        const bytes = Buffer.from(frames.buffer, frames.byteOffset, frames.byteLength)
        for (let at = start; at < end; ) {
          const frameEnd = at + 4 + bytes.readInt32BE(at)
          bodies.push(bytes.toString('utf8', at + FRAME_HEAD_BYTES, frameEnd))
          at = frameEnd
        }
        if (bodies.length >= count) gotAll()
      },
      disconnect() {},
    }
    const subscription: Subscription = await this.engine.subscribe(topic, channel, {
      msgTimeoutMs: 60_000,
      sampleRate: 0,
      sink,
      client: { stats: () => CLIENT },
    })
    subscription.setReady(count)
    await all
    return { bodies, stop: () => subscription.close() }
  }

  async stop(): Promise<void> {
    await this.transport.drain(1000)
    await this.transport.stop()
    await this.engine.close()
  }
}
