import type { BrokerError } from '../errors.js'
import type { Authenticator } from './authenticator.js'
import type { Clock, Random } from './clock.js'
import type { Logger } from './logger.js'
import type { BrokerOptions } from './options.js'
import type { Setting } from './setting.js'
import type { BrokerStats, ClientStats, StatsFilter } from './stats.js'
import type { ListenAddress } from './transport.js'

/** Told when what it published is safe, or is not. A connection is its own waiter: nothing is allocated per publish. */
export interface PublishWaiter {
  /** The publish that was made with `token` is as safe as the topic's durability says. */
  published(token: number): void
  /** It was refused, whole: `E_PUB_FAILED` with the reason. */
  publishFailed(token: number, error: BrokerError): void
}

/** Takes the messages of one subscription, and describes the connection behind it. */
export interface MessageSink {
  /**
   * Sends `count` whole message frames, `frames[start, end)`. The bytes never change; they may be kept without copying.
   * Called at the end of a turn of the event loop; a sink gathers what it gets in one turn into few writes.
   */
  write(frames: Uint8Array, start: number, end: number, count: number): void
  /**
   * How many bytes the sink takes at the moment. The engine sends one record whatever its size while this is above 0, and
   * nothing while it is 0; the sink then calls {@link Subscription.resume} once it takes more.
   */
  readonly writableBytes: number
  /** The channel or topic was deleted, or the broker stops: end the connection without a frame. */
  disconnect(): void
}

/** What came of FIN, REQ or TOUCH. */
export const SettleResult = { ok: 0, notInFlight: 1, notOwner: 2 } as const
export type SettleResult = (typeof SettleResult)[keyof typeof SettleResult]

/** One consumer on one channel. Synchronous throughout. After {@link close}, calls do nothing. */
export interface Subscription {
  readonly topic: string
  readonly channel: string
  readonly ready: number
  readonly inFlight: number
  /** Messages delivered, finished and requeued, since the subscription began. */
  readonly messageCount: number
  readonly finishCount: number
  readonly requeueCount: number
  /** RDY: at most `count` messages in flight at once; 0 stops the flow. */
  setReady(count: number): void
  /** FIN, REQ, TOUCH: the 16 bytes `id[at, at + 16)` name the message. Anything there that is not an id of this channel is `notInFlight`. */
  finish(id: Uint8Array, at: number): SettleResult
  /** `delayMs` is not clamped here. 0 puts it back at once. */
  requeue(id: Uint8Array, at: number, delayMs: number): SettleResult
  touch(id: Uint8Array, at: number): SettleResult
  /** The sink takes more again. */
  resume(): void
  /** The client is gone: nothing more is written to the sink. What is in flight waits for its deadline. */
  close(): void
}

export interface SubscribeOptions {
  readonly msgTimeoutMs: number
  /** 1 … 99: percentage of messages that is delivered, the rest counts as finished; 0 delivers all. */
  readonly sampleRate: number
  readonly sink: MessageSink
  /** For `/stats`. */
  readonly client: Client
}

/** A connection, as `/stats` shows it. */
export interface Client {
  stats(): ClientStats
}

/** A channel that exists. */
export interface Channel {
  readonly name: string
  readonly paused: boolean
  /** Each of these resolves when it would survive what the topic's durability survives. They take effect at once. */
  pause(): Promise<void>
  unpause(): Promise<void>
  /** Forgets every message of the channel: waiting, in flight and deferred. */
  empty(): Promise<void>
  /** Disconnects its consumers and forgets it. */
  delete(): Promise<void>
}

/** A topic that exists. A handle of a deleted topic refuses everything with `E_EXITING`. */
export interface Topic {
  readonly name: string
  readonly paused: boolean
  /** Resolves when the topic would survive what its durability survives. */
  whenDurable(): Promise<void>
  getChannel(name: string): Channel | undefined
  /** Gets or creates. Resolves when the channel is durable. @throws BrokerError `E_BAD_CHANNEL`, `E_EXITING`, a storage error. */
  openChannel(name: string): Promise<Channel>
  /**
   * Appends messages; each lies in `bytes` as it does in PUB and MPUB: an int32 big-endian size above 0, then that many bytes.
   * `bytes[start, end)` holds exactly `count` of them, which the caller has checked. All are stored, or none.
   * `bytes` is copied before this returns. The waiter is told later, never before this returns; publishes
   * to one topic are told in the order in which they were made.
   */
  publish(bytes: Uint8Array, start: number, end: number, count: number, waiter: PublishWaiter, token: number): void
  /** Like {@link publish}, for one message that channels give out `delayMs` after now. */
  publishDeferred(
    bytes: Uint8Array,
    start: number,
    end: number,
    delayMs: number,
    waiter: PublishWaiter,
    token: number,
  ): void
  pause(): Promise<void>
  unpause(): Promise<void>
  /** Forgets what waits at the topic itself: it is paused, or has no channel. Channels keep what they have. */
  empty(): Promise<void>
  /** Deletes its channels, then itself. Publishes under way fail with `E_PUB_FAILED`. */
  delete(): Promise<void>
}

/**
 * Whether publishers may go on.
 * - `open`: yes.
 * - `paused`: storage is behind. Stop reading from a publisher until {@link Broker.onRelief}, unless it has messages in
 *   flight (its FINs would wait behind its PUB).
 * - `full`: storage or memory has no room. Publishes are refused by the engine; there is nothing to check.
 */
export type Pressure = 'open' | 'paused' | 'full'

/** What a transport sees of the engine. Everything is synchronous unless it returns a promise. */
export interface Broker {
  readonly options: BrokerOptions
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** `null` when nobody needs to authenticate. */
  readonly authenticator: Authenticator | null
  /** `OK`, or what is wrong with the node in one line. */
  readonly health: string
  /** Wall-clock milliseconds. */
  readonly startedAtMs: number
  /** Where all transports listen; complete once the broker has started. */
  readonly addresses: readonly ListenAddress[]
  /** What `/config` shows, by name. */
  readonly settings: ReadonlyMap<string, Setting>

  getTopic(name: string): Topic | undefined
  /** Gets or creates; at once, since publishes wait for the topic to be durable by themselves. @throws BrokerError `E_BAD_TOPIC`, `E_EXITING`. */
  openTopic(name: string): Topic
  /**
   * Adds a consumer to a channel, creating topic and channel as needed. Resolves when the channel is durable; nothing
   * is delivered before the first `setReady`.
   * @throws BrokerError `E_SUB_FAILED` with the text that NSQ's clients get: `exiting`, or the limit on consumers.
   */
  subscribe(topic: string, channel: string, options: SubscribeOptions): Promise<Subscription>

  readonly pressure: Pressure
  /** Calls `callback` once, when {@link pressure} is no longer `paused`. */
  onRelief(callback: () => void): void
  /** Charges (or, below 0, gives back) memory that a connection holds for a body that it is still reading to the node's budget. */
  chargeMemory(sizeBytes: number): void

  /** A client has connected, or is gone. Only for `/stats`. */
  addClient(client: Client): void
  removeClient(client: Client): void
  stats(filter: StatsFilter): BrokerStats
}
