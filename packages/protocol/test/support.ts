import assert from 'node:assert/strict'
import type {
  Authenticator,
  Broker,
  BrokerError,
  BrokerOptions,
  BrokerStats,
  Client,
  ListenAddress,
  Pressure,
  PublishWaiter,
  SettleResult,
  SubscribeOptions,
  Subscription,
  Topic,
} from '@spillway/core'
import { SettleResult as Settled } from '@spillway/core'
import { FakeClock, seededRandom, TEST_BROKER_OPTIONS, TestLogger } from '@spillway/core/testing'
import {
  NO_UPGRADES,
  Session,
  SessionContext,
  type SessionOutput,
  type TlsPeer,
  type Upgrade,
  type UpgradeSupport,
} from '../src/index.js'

export const OPTIONS: BrokerOptions = { ...TEST_BROKER_OPTIONS, broadcastAddress: 'test' }

/** A publish that a {@link FakeTopic} was given. */
export interface FakePublish {
  readonly topic: string
  readonly bodies: readonly string[]
  readonly delayMs: number | null
  /** Tells the session how it went. */
  succeed(): void
  fail(error: BrokerError): void
}

/** The engine's side of a session, as far as a session can see it. */
export class FakeBroker implements Broker {
  readonly options: BrokerOptions
  readonly clock = new FakeClock()
  readonly random = seededRandom(1)
  readonly logger = new TestLogger()
  authenticator: Authenticator | null = null
  readonly health = 'OK'
  readonly startedAtMs = 0
  readonly addresses: readonly ListenAddress[] = []
  readonly settings = new Map()
  pressure: Pressure = 'open'
  /** Whether publishes succeed by themselves at the end of the turn. */
  succeedsAtOnce = true
  readonly openedTopics: string[] = []
  readonly publishes: FakePublish[] = []
  readonly subscriptions: FakeSubscription[] = []
  /** What subscriptions know of messages from the start. */
  readonly settleResults = new Map<string, SettleResult>()
  readonly clients = new Set<Client>()
  chargedBytes = 0
  chargedBytesPeak = 0
  /** Thrown instead of doing what is asked. */
  openTopicError: BrokerError | null = null
  subscribeError: BrokerError | null = null
  /** Waits before a subscription is there. */
  subscribing: Promise<void> = Promise.resolve()
  #reliefs: (() => void)[] = []

  constructor(options: Partial<BrokerOptions> = {}) {
    this.options = { ...OPTIONS, ...options }
  }

  getTopic(): Topic | undefined {
    return undefined
  }

  openTopic(name: string): Topic {
    if (this.openTopicError !== null) throw this.openTopicError
    this.openedTopics.push(name)
    return new FakeTopic(this, name)
  }

  async subscribe(topic: string, channel: string, options: SubscribeOptions): Promise<Subscription> {
    await this.subscribing
    if (this.subscribeError !== null) throw this.subscribeError
    const subscription = new FakeSubscription(topic, channel, options)
    for (const [id, result] of this.settleResults) subscription.results.set(id, result)
    this.subscriptions.push(subscription)
    return subscription
  }

  onRelief(callback: () => void): void {
    this.#reliefs.push(callback)
  }

  relieve(): void {
    this.pressure = 'open'
    const reliefs = this.#reliefs
    this.#reliefs = []
    for (const relief of reliefs) relief()
  }

  chargeMemory(sizeBytes: number): void {
    this.chargedBytes += sizeBytes
    this.chargedBytesPeak = Math.max(this.chargedBytesPeak, this.chargedBytes)
  }

  addClient(client: Client): void {
    this.clients.add(client)
  }

  removeClient(client: Client): void {
    this.clients.delete(client)
  }

  stats(): BrokerStats {
    throw new Error('not for sessions')
  }
}

class FakeTopic implements Topic {
  readonly paused = false
  readonly #broker: FakeBroker

  constructor(
    broker: FakeBroker,
    readonly name: string,
  ) {
    this.#broker = broker
  }

  publish(bytes: Uint8Array, start: number, end: number, count: number, waiter: PublishWaiter, token: number): void {
    this.#publish(decodeMessages(bytes, start, end, count), null, waiter, token)
  }

  publishDeferred(
    bytes: Uint8Array,
    start: number,
    end: number,
    delayMs: number,
    waiter: PublishWaiter,
    token: number,
  ): void {
    this.#publish(decodeMessages(bytes, start, end, 1), delayMs, waiter, token)
  }

  #publish(bodies: readonly string[], delayMs: number | null, waiter: PublishWaiter, token: number): void {
    const publish: FakePublish = {
      topic: this.name,
      bodies,
      delayMs,
      succeed: () => waiter.published(token),
      fail: (error) => waiter.publishFailed(token, error),
    }
    this.#broker.publishes.push(publish)
    if (this.#broker.succeedsAtOnce) this.#broker.clock.atEndOfTurn(publish.succeed)
  }

  getChannel(): undefined {
    return undefined
  }
  whenDurable = refuse
  openChannel = refuse
  pause = refuse
  unpause = refuse
  empty = refuse
  delete = refuse
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('not for sessions'))
}

/** Also checks the promise of the contract: exactly `count` messages, each above 0 bytes, nothing else. */
function decodeMessages(bytes: Uint8Array, start: number, end: number, count: number): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const bodies: string[] = []
  let at = start
  while (at < end) {
    const sizeBytes = buffer.readInt32BE(at)
    assert.ok(sizeBytes > 0 && at + 4 + sizeBytes <= end)
    bodies.push(buffer.toString('latin1', at + 4, at + 4 + sizeBytes))
    at += 4 + sizeBytes
  }
  assert.equal(bodies.length, count)
  return bodies
}

export class FakeSubscription implements Subscription {
  ready = 0
  inFlight = 0
  messageCount = 0
  finishCount = 0
  requeueCount = 0
  resumeCount = 0
  isClosed = false
  /** What a settled message comes to, by id; others are not in flight. */
  readonly results = new Map<string, SettleResult>()
  readonly finished: string[] = []
  readonly requeued: { id: string; delayMs: number }[] = []
  readonly touched: string[] = []
  #sent = 0

  constructor(
    readonly topic: string,
    readonly channel: string,
    readonly options: SubscribeOptions,
  ) {}

  setReady(count: number): void {
    this.ready = count
  }

  finish(id: Uint8Array, at: number): SettleResult {
    return this.#settle(id, at, (text) => this.finished.push(text))
  }

  requeue(id: Uint8Array, at: number, delayMs: number): SettleResult {
    return this.#settle(id, at, (text) => this.requeued.push({ id: text, delayMs }))
  }

  touch(id: Uint8Array, at: number): SettleResult {
    return this.#settle(id, at, (text) => this.touched.push(text))
  }

  resume(): void {
    this.resumeCount++
  }

  close(): void {
    this.isClosed = true
  }

  /** Sends messages, as the engine does at the end of a turn. Returns their ids. */
  deliver(...bodies: string[]): string[] {
    const ids: string[] = []
    const frames: Buffer[] = []
    for (const body of bodies) {
      const id = (++this.#sent).toString(16).padStart(16, '0')
      this.results.set(id, Settled.ok)
      ids.push(id)
      frames.push(messageFrame(id, body))
    }
    const run = Buffer.concat(frames)
    this.inFlight += bodies.length
    this.options.sink.write(run, 0, run.length, bodies.length)
    return ids
  }

  #settle(id: Uint8Array, at: number, settle: (text: string) => void): SettleResult {
    const text = Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1', at, at + 16)
    const result = this.results.get(text) ?? Settled.notInFlight
    if (result === Settled.ok) settle(text)
    return result
  }
}

function messageFrame(id: string, body: string): Buffer {
  const frame = Buffer.alloc(34 + body.length)
  frame.writeInt32BE(frame.length - 4, 0)
  frame.writeInt32BE(2, 4)
  frame.writeBigInt64BE(1n, 8)
  frame.writeUInt16BE(1, 16)
  frame.write(id, 18, 'latin1')
  frame.write(body, 34, 'latin1')
  return frame
}

/** A peer's end of the line, in memory. */
export class FakeOutput implements SessionOutput {
  readonly chunks: Buffer[] = []
  tls: TlsPeer | null = null
  pendingBytes = 0
  isEncoding = false
  /** Whether the peer takes everything at once. */
  takes = true
  isPaused = false
  hasEnded = false
  isDestroyed = false
  upgrades: UpgradeSupport = NO_UPGRADES
  readonly upgraded: Upgrade[] = []
  upgradeError: Error | null = null
  /** Waits before the stream is changed. */
  upgrading: Promise<void> = Promise.resolve()
  /** What the peer has not taken, as it was given and as it was then. */
  #kept: { bytes: Uint8Array; copy: Buffer }[] = []

  /** What the kept buffers take in memory. */
  get keptBytes(): number {
    const memories = new Set(this.#kept.map(({ bytes }) => bytes.buffer))
    return [...memories].reduce((sum, memory) => sum + memory.byteLength, 0)
  }

  write(bytes: Uint8Array): boolean {
    assert.ok(!this.hasEnded, 'nothing is written after the end')
    const copy = Buffer.from(bytes)
    this.chunks.push(copy)
    if (this.takes) return true
    this.#kept.push({ bytes, copy })
    this.pendingBytes += bytes.length
    return false
  }

  /** The peer takes everything; also checks that what was kept for it was not written over. */
  takeAll(): void {
    this.takes = true
    for (const { bytes, copy } of this.#kept) assert.ok(copy.equals(bytes), 'a kept buffer was changed')
    this.#kept = []
    this.pendingBytes = 0
  }

  pauseReading(): void {
    this.isPaused = true
  }

  resumeReading(): void {
    this.isPaused = false
  }

  end(): void {
    assert.ok(!this.hasEnded, 'a connection ends once')
    this.hasEnded = true
  }

  destroy(): void {
    this.isDestroyed = true
  }

  async upgrade(upgrade: Upgrade): Promise<void> {
    await this.upgrading
    if (this.upgradeError !== null) throw this.upgradeError
    this.upgraded.push(upgrade)
    this.chunks.push(Buffer.from(`<${upgrade.kind}>`))
  }
}

/** A client of a session on a {@link FakeBroker}. */
export class TestClient {
  readonly broker: FakeBroker
  readonly output = new FakeOutput()
  readonly session: Session

  constructor(broker = new FakeBroker(), context = new SessionContext(broker)) {
    this.broker = broker
    this.session = new Session({ context, output: this.output, remoteAddress: '10.0.0.1:999', remoteIp: '10.0.0.1' })
  }

  get clock(): FakeClock {
    return this.broker.clock
  }

  /** The subscription made last. */
  get subscription(): FakeSubscription {
    return this.broker.subscriptions[this.broker.subscriptions.length - 1]
  }

  /** Sends byte strings and bytes in one go, and lets what follows happen. */
  async send(...parts: (string | Uint8Array)[]): Promise<void> {
    this.session.receive(bytesOf(...parts))
    await this.clock.settle()
  }

  async end(): Promise<void> {
    this.session.ended()
    await this.clock.settle()
  }

  /** What was received, each frame in words; forgets it. */
  take(): string[] {
    const frames = describeFrames(Buffer.concat(this.output.chunks))
    this.output.chunks.length = 0
    return frames
  }
}

/** A client that has sent the magic. */
export async function connect(broker = new FakeBroker()): Promise<TestClient> {
  const client = new TestClient(broker)
  await client.send('  V2')
  return client
}

/** A client that consumes `t`, channel `c`. */
export async function connectConsumer(broker = new FakeBroker(), ready = 100): Promise<TestClient> {
  const client = await connect(broker)
  await client.send(`SUB t c\nRDY ${ready}\n`)
  assert.deepEqual(client.take(), ['OK'])
  return client
}

/** Frames in words: responses as they are, errors too, messages as `message {id} {body}`. */
export function describeFrames(bytes: Buffer): string[] {
  const frames: string[] = []
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] === 0x3c) {
      const end = bytes.indexOf('>', at) + 1 // an upgrade, as FakeOutput notes it
      frames.push(bytes.toString('latin1', at, end))
      at = end
      continue
    }
    const sizeBytes = bytes.readInt32BE(at)
    const type = bytes.readInt32BE(at + 4)
    const data = bytes.subarray(at + 8, at + 4 + sizeBytes)
    assert.equal(data.length, sizeBytes - 4, 'a whole frame')
    if (type === 2) frames.push(`message ${data.toString('latin1', 10, 26)} ${data.toString('latin1', 26)}`)
    else frames.push(data.toString('latin1'))
    at += 4 + sizeBytes
  }
  return frames
}

export function bytesOf(...parts: (string | Uint8Array)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)))
}

/** A command with its body. */
export function withBody(line: string, body: string | Uint8Array): Buffer {
  const bytes = bytesOf(body)
  return bytesOf(`${line}\n`, int32(bytes.length), bytes)
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** The body of an MPUB. */
export function messages(...bodies: string[]): Buffer {
  return bytesOf(int32(bodies.length), ...bodies.flatMap((body) => [int32(body.length), body]))
}
