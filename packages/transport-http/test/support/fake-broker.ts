import type {
  Authenticator,
  Broker,
  BrokerOptions,
  BrokerStats,
  Channel,
  Client,
  ListenAddress,
  Pressure,
  PublishWaiter,
  Setting,
  StatsFilter,
  SubscribeOptions,
  Subscription,
  Topic,
} from '@spillway/core'
import { BrokerError } from '@spillway/core'
import { FakeClock, TEST_BROKER_OPTIONS, TestLogger } from '@spillway/core/testing'

export const OPTIONS: BrokerOptions = {
  ...TEST_BROKER_OPTIONS,
  broadcastAddress: 'broadcast.test',
  hostname: 'host.test',
}

/** Remembers what was done to it; can be told to fail. */
export class FakeChannel implements Channel {
  paused = false
  /** `empty` and so on, in order. */
  readonly calls: string[] = []

  constructor(
    readonly name: string,
    private readonly topic: FakeTopic,
  ) {}

  async pause(): Promise<void> {
    await this.topic.broker.act(this.calls, 'pause')
    this.paused = true
  }

  async unpause(): Promise<void> {
    await this.topic.broker.act(this.calls, 'unpause')
    this.paused = false
  }

  async empty(): Promise<void> {
    await this.topic.broker.act(this.calls, 'empty')
  }

  async delete(): Promise<void> {
    await this.topic.broker.act(this.calls, 'delete')
    this.topic.channels.delete(this.name)
  }
}

/** Keeps what was published, and answers in the next turn, or when the test says so. */
export class FakeTopic implements Topic {
  paused = false
  readonly calls: string[] = []
  readonly channels = new Map<string, FakeChannel>()
  readonly messages: string[] = []
  readonly deferred: { readonly body: string; readonly delayMs: number }[] = []

  constructor(
    readonly name: string,
    readonly broker: FakeBroker,
  ) {}

  async whenDurable(): Promise<void> {
    await this.broker.act(this.calls, 'whenDurable')
  }

  getChannel(name: string): FakeChannel | undefined {
    return this.channels.get(name)
  }

  async openChannel(name: string): Promise<FakeChannel> {
    await this.broker.act(this.calls, 'openChannel')
    const channel = this.channels.get(name) ?? new FakeChannel(name, this)
    this.channels.set(name, channel)
    return channel
  }

  publish(bytes: Uint8Array, start: number, end: number, count: number, waiter: PublishWaiter, token: number): void {
    const messages = messagesOf(bytes, start, end)
    if (messages.length !== count) throw new Error(`${count} messages announced, ${messages.length} found`)
    this.broker.settle(waiter, token, () => {
      for (const message of messages) this.messages.push(message)
    })
  }

  publishDeferred(
    bytes: Uint8Array,
    start: number,
    end: number,
    delayMs: number,
    waiter: PublishWaiter,
    token: number,
  ): void {
    const messages = messagesOf(bytes, start, end)
    this.broker.settle(waiter, token, () => {
      for (const body of messages) this.deferred.push({ body, delayMs })
    })
  }

  async pause(): Promise<void> {
    await this.broker.act(this.calls, 'pause')
    this.paused = true
  }

  async unpause(): Promise<void> {
    await this.broker.act(this.calls, 'unpause')
    this.paused = false
  }

  async empty(): Promise<void> {
    await this.broker.act(this.calls, 'empty')
  }

  async delete(): Promise<void> {
    await this.broker.act(this.calls, 'delete')
    this.broker.topics.delete(this.name)
  }
}

/** A broker that does what the contract says with as little as possible, and shows the test everything. */
export class FakeBroker implements Broker {
  options: BrokerOptions
  readonly clock = new FakeClock()
  readonly random = (): number => 0.5
  readonly logger = new TestLogger()
  readonly authenticator: Authenticator | null = null
  health = 'OK'
  readonly startedAtMs = 1_767_323_045_678
  addresses: readonly ListenAddress[] = []
  readonly settings = new Map<string, Setting>()
  readonly topics = new Map<string, FakeTopic>()
  pressure: Pressure = 'open'
  chargedBytes = 0
  chargedBytesMax = 0
  isExiting = false
  /** How every publish is refused. */
  refusal: BrokerError | null = null
  /** What every call to a topic or channel rejects with. */
  fault: Error | null = null
  /** While set, publishes wait in it to be settled by the test. */
  heldPublishes: (() => void)[] | null = null
  statsResult: BrokerStats = { topics: [], producers: [] }
  statsFilter: StatsFilter | null = null
  readonly #reliefs: (() => void)[] = []

  constructor(options: Partial<BrokerOptions> = {}) {
    this.options = { ...OPTIONS, ...options }
  }

  getTopic(name: string): FakeTopic | undefined {
    return this.topics.get(name)
  }

  openTopic(name: string): FakeTopic {
    if (this.isExiting) throw new BrokerError('E_EXITING', 'exiting')
    const topic = this.topics.get(name) ?? new FakeTopic(name, this)
    this.topics.set(name, topic)
    return topic
  }

  subscribe(_topic: string, _channel: string, _options: SubscribeOptions): Promise<Subscription> {
    throw new Error('nobody subscribes over HTTP')
  }

  onRelief(callback: () => void): void {
    this.#reliefs.push(callback)
  }

  get waitingForReliefCount(): number {
    return this.#reliefs.length
  }

  /** Calls everybody who waits. @param pressure - what it is by then */
  relieve(pressure: Pressure = 'open'): void {
    this.pressure = pressure
    for (const callback of this.#reliefs.splice(0)) callback()
  }

  chargeMemory(sizeBytes: number): void {
    this.chargedBytes += sizeBytes
    this.chargedBytesMax = Math.max(this.chargedBytesMax, this.chargedBytes)
  }

  addClient(_client: Client): void {}

  removeClient(_client: Client): void {}

  stats(filter: StatsFilter): BrokerStats {
    this.statsFilter = filter
    return this.statsResult
  }

  /** Everything published to a topic so far. */
  messagesOf(topic: string): readonly string[] {
    return this.topics.get(topic)?.messages ?? []
  }

  settle(waiter: PublishWaiter, token: number, accept: () => void): void {
    const settle = (): void => {
      if (this.refusal !== null) {
        waiter.publishFailed(token, this.refusal)
        return
      }
      accept()
      waiter.published(token)
    }
    if (this.heldPublishes === null) setImmediate(settle)
    else this.heldPublishes.push(settle)
  }

  async act(calls: string[], name: string): Promise<void> {
    calls.push(name)
    if (this.fault !== null) throw this.fault
  }
}

function messagesOf(bytes: Uint8Array, start: number, end: number): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const messages: string[] = []
  let at = start
  while (at < end) {
    const sizeBytes = buffer.readInt32BE(at)
    messages.push(buffer.toString('latin1', at + 4, at + 4 + sizeBytes))
    at += 4 + sizeBytes
  }
  if (at !== end) throw new Error('a message goes beyond the end')
  return messages
}
