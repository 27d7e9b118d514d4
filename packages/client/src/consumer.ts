import { EventEmitter } from 'node:events'
import { type Address, parseAddress } from './address.js'
import { Backoff } from './backoff.js'
import { type Surroundings, SYSTEM, type TimerHandle } from './clock.js'
import { ConsumerNode, type ConsumerNodeOwner } from './consumer-node.js'
import { type ConsumerOptions, type ConsumerSettings, readConsumerOptions } from './consumer-options.js'
import { Discovery } from './discovery.js'
import { asError, NsqError } from './errors.js'
import type {
  BackoffEvent,
  ConnectedEvent,
  ConnectFailedEvent,
  DiscardedEvent,
  DisconnectedEvent,
  HandlerFailedEvent,
  LookupFailedEvent,
  SettleFailedEvent,
} from './events.js'
import { HandlerCaller } from './handler-caller.js'
import { HandlerRunner, type MessageHandler, type MessageSink } from './handler-runner.js'
import type { Message } from './message.js'
import { MessageQueue } from './message-queue.js'
import { ReadyShare } from './ready-share.js'
import type { Subscription } from './subscription.js'

/** What a {@link Consumer} emits. Nothing has to be listened to; failures of handlers that nobody listens to are warned of, once. */
export interface ConsumerEvents {
  connected: [event: ConnectedEvent]
  disconnected: [event: DisconnectedEvent]
  connectFailed: [event: ConnectFailedEvent]
  lookupFailed: [event: LookupFailedEvent]
  backoff: [event: BackoffEvent]
  handlerFailed: [event: HandlerFailedEvent]
  discarded: [event: DiscardedEvent]
  settleFailed: [event: SettleFailedEvent]
}

/** Of a node's ready count, in flight; go-nsq's. */
const STARVED_PART = 0.85

/** How {@link Consumer.run} runs. */
export interface RunOptions {
  /** Handlers that run at once, when they return promises. Default: `maxInFlight`. */
  readonly concurrency?: number
  /**
   * `false`: the handler, or whoever it hands the message to, finishes or requeues it, when it likes; what the handler returns is
   * not looked at, and when it throws the message is requeued. For messages that are settled many at once. Default true.
   */
  readonly autoSettle?: boolean
}

/**
 * Consumes the messages of one channel of one topic, from all nodes that have it.
 *
 * Either a handler gets them:
 *
 * ```ts
 * const consumer = new Consumer({ topic: 'orders', channel: 'mail', address: '127.0.0.1:4150', maxInFlight: 100 })
 * await consumer.run(async (message) => send(message.json()))
 * ```
 *
 * or a loop does, and settles them itself:
 *
 * ```ts
 * for await (const message of consumer) {
 *   console.log(message.text())
 *   message.finish()
 * }
 * ```
 *
 * Every message comes at least once; it comes again when it is requeued, when it is not settled in time, and when its
 * connection breaks. It connects by itself and again, for as long as it is not closed.
 */
export class Consumer extends EventEmitter<ConsumerEvents> implements AsyncIterable<Message> {
  readonly #settings: ConsumerSettings
  readonly #surroundings: Surroundings
  readonly #nodes = new Map<string, ConsumerNode>()
  readonly #nodeOwner: ConsumerNodeOwner
  readonly #share: ReadyShare
  readonly #backoff: Backoff
  readonly #discovery: Discovery
  #sink: MessageSink | null = null
  #turnTimer: TimerHandle | null = null
  #hasStarted = false
  #isPaused = false
  #maxInFlight: number
  #connecting: { resolve(): void; reject(error: NsqError): void }[] = []
  #closing: Promise<void> | null = null
  #closed: (() => void) | null = null
  #isWarned = false

  /**
   * Connects to nobody yet.
   * @throws NsqError `E_INVALID_OPTION`, a line for each mistake
   */
  constructor(options: ConsumerOptions, surroundings: Surroundings = SYSTEM) {
    super()
    const settings = readConsumerOptions(options)
    const { clock, random } = surroundings
    this.#settings = settings
    this.#surroundings = surroundings
    this.#maxInFlight = settings.maxInFlight
    this.#share = new ReadyShare(0, {
      idleTimeoutMs: settings.lowRdyIdleTimeoutMs,
      turnTimeoutMs: settings.lowRdyTimeoutMs,
      nowMs: () => clock.nowMs(),
      random,
    })
    this.#backoff = new Backoff({
      delayMs: settings.backoffDelayMs,
      delayMsMax: settings.backoffDelayMsMax,
      jitter: settings.backoffJitter,
      clock,
      random,
      changed: (level, delayMs) => {
        this.#share.mode = level === 0 ? 'full' : 'stopped'
        this.emit('backoff', { level, delayMs })
      },
      probe: () => {
        this.#share.mode = 'probing'
      },
    })
    this.#discovery = new Discovery(settings, surroundings, {
      found: (addresses, isComplete) => this.#found(addresses, isComplete),
      lookupFailed: (address, error) => this.emit('lookupFailed', { address, error }),
    })
    this.#nodeOwner = this.#makeNodeOwner()
  }

  #makeNodeOwner(): ConsumerNodeOwner {
    return {
      connected: (subscription) => this.#connected(subscription),
      delivered: (message) => this.#delivered(message),
      finished: () => {
        if (this.#backoff.level > 0) this.#backoff.succeeded()
      },
      requeued: (isFailure) => {
        if (this.#closing !== null) return
        if (isFailure) this.#backoff.failed()
        else this.#backoff.kept()
      },
      settleFailed: (address, error) => this.emit('settleFailed', { address, error }),
      disconnected: (subscription, error) => this.#disconnected(subscription, error),
      connectFailed: (address, error, retryInMs) => {
        this.#discovery.ask()
        this.emit('connectFailed', { address, error, retryInMs })
      },
    }
  }

  /** The nodes that it is subscribed at. */
  get connectedTo(): readonly string[] {
    return this.#subscriptions().map(({ address }) => address)
  }

  /** Messages that have come and are not settled. */
  get inFlightCount(): number {
    return this.#subscriptions().reduce((count, { inFlightCount }) => count + inFlightCount, 0)
  }

  get maxInFlight(): number {
    return this.#maxInFlight
  }

  /** A node has few messages left that it may send before some are settled: 15 % of its part of `maxInFlight`, or fewer. Whoever settles many at once does it now. */
  get isStarved(): boolean {
    return this.#subscriptions().some(({ inFlightCount, readyCount }) => {
      return inFlightCount > 0 && inFlightCount >= Math.floor(readyCount * STARVED_PART)
    })
  }

  /** 0: as many as there should be come; above that, it holds back after failures. */
  get backoffLevel(): number {
    return this.#backoff.level
  }

  /** Connects, which {@link run} and iterating do by themselves. Resolves once it is subscribed at one node. Rejects with `E_CLOSED`. */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closing !== null) throw new NsqError('E_CLOSED', 'the consumer is closed')
      if (this.#subscriptions().length > 0) return resolve()
      this.#connecting.push({ resolve, reject })
      this.#start()
    })
  }

  /**
   * Gives every message to `handler`. What returns, or resolves, finishes it; what throws, or rejects, requeues it and makes
   * the consumer back off. A handler may settle its message itself. One that returns no promise costs none.
   *
   * @returns a promise that resolves once the consumer is closed
   * @throws NsqError `E_INVALID_STATE` when something else gets the messages already, `E_CLOSED`, `E_INVALID_OPTION`
   */
  run(handler: MessageHandler, { concurrency, autoSettle = true }: RunOptions = {}): Promise<void> {
    if (typeof handler !== 'function') throw new NsqError('E_INVALID_OPTION', 'a handler is a function')
    if (concurrency !== undefined && !(concurrency >= 1))
      throw new NsqError('E_INVALID_OPTION', `concurrency must be 1 or more, not ${concurrency}`)
    const limit = (): number => concurrency ?? this.#maxInFlight
    const failed = (message: Message, error: Error): void => this.#handlerFailed(message, error)
    this.#consumeWith(autoSettle ? new HandlerRunner(handler, limit, failed) : new HandlerCaller(handler, failed))
    return new Promise((resolve) => {
      this.#closed = resolve
    })
  }

  /**
   * Gives the messages one by one; the loop settles them. Leaving the loop closes the consumer: what it has been given
   * can still be settled, for `closeTimeoutMs`.
   * @throws NsqError `E_INVALID_STATE` when something else gets the messages already, `E_CLOSED`
   */
  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    const queue = new MessageQueue(() => void this.close())
    this.#consumeWith(queue)
    return queue
  }

  /** Takes nothing more until {@link resume}. What is in flight goes on. */
  pause(): void {
    this.#isPaused = true
    this.#updateShare()
  }

  resume(): void {
    this.#isPaused = false
    this.#updateShare()
  }

  /** Changes `maxInFlight` from now on. @throws NsqError `E_INVALID_OPTION` */
  setMaxInFlight(count: number): void {
    if (!Number.isInteger(count) || count < 0) {
      throw new NsqError('E_INVALID_OPTION', `maxInFlight must be a whole number of 0 or more, not ${count}`)
    }
    this.#maxInFlight = count
    this.#updateShare()
  }

  /**
   * Takes no more messages, gives back those that nobody has begun with, waits until the others are settled, at most
   * `closeTimeoutMs`, and closes the connections. What is left then comes again elsewhere. Idempotent; never rejects.
   *
   * A handler must not wait for it: it waits for the handler.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#discovery.close()
    this.#turnTimer?.cancel()
    this.#backoff.close()
    const error = new NsqError('E_CLOSED', 'the consumer is closed')
    for (const { reject } of this.#connecting.splice(0)) reject(error)
    // Whoever reads `#closing` in what follows must find it set.
    await Promise.resolve()
    this.#sink?.close()
    const nodes = [...this.#nodes.values()]
    const timer = this.#surroundings.clock.setTimer(this.#settings.closeTimeoutMs, () => {
      for (const node of nodes) node.destroy()
    })
    await Promise.all(nodes.map((node) => node.close()))
    timer.cancel()
    this.#closed?.()
  }

  #consumeWith(sink: MessageSink): void {
    if (this.#closing !== null) throw new NsqError('E_CLOSED', 'the consumer is closed')
    if (this.#sink !== null) throw new NsqError('E_INVALID_STATE', 'a handler or a loop gets the messages already')
    this.#sink = sink
    this.#updateShare()
    this.#start()
  }

  /** Nothing comes before there is somebody to take it. */
  #updateShare(): void {
    this.#share.maxInFlight = this.#sink === null || this.#isPaused ? 0 : this.#maxInFlight
  }

  #start(): void {
    if (this.#hasStarted) return
    this.#hasStarted = true
    for (const address of this.#settings.addresses) this.#addNode(address)
    this.#discovery.start()
    this.#takeTurns()
  }

  #takeTurns(): void {
    this.#turnTimer = this.#surroundings.clock.setTimer(this.#settings.rdyRedistributeIntervalMs, () => {
      this.#share.takeTurns()
      this.#takeTurns()
    })
  }

  #addNode(address: Address): void {
    const node = new ConsumerNode(address, this.#settings, this.#surroundings, this.#nodeOwner)
    this.#nodes.set(address.text, node)
    node.connect()
  }

  /** Nodes that are connected stay, whatever nsqlookupd says; others are tried only while it names them. */
  #found(texts: readonly string[], isComplete: boolean): void {
    for (const text of texts) {
      const address = parseAddress(text)
      if (address !== null && !this.#nodes.has(text)) this.#addNode(address)
    }
    if (!isComplete) return
    const wanted = new Set([...texts, ...this.#settings.addresses.map(({ text }) => text)])
    for (const [text, node] of this.#nodes) {
      if (wanted.has(text) || node.subscription !== null) continue
      this.#nodes.delete(text)
      node.destroy()
    }
  }

  #subscriptions(): Subscription[] {
    return [...this.#nodes.values()].map(({ subscription }) => subscription).filter((each) => each !== null)
  }

  #connected(subscription: Subscription): void {
    this.#share.add(subscription)
    for (const { resolve } of this.#connecting.splice(0)) resolve()
    this.emit('connected', { address: subscription.address, node: subscription.connection.info })
  }

  #disconnected(subscription: Subscription, error: NsqError): void {
    this.#share.remove(subscription)
    if (this.#closing === null) this.#discovery.ask()
    this.emit('disconnected', { address: subscription.address, error: this.#closing === null ? error : null })
  }

  #delivered(message: Message): void {
    const { maxAttempts } = this.#settings
    if (maxAttempts > 0 && message.attempts > maxAttempts) void this.#discard(message)
    else this.#sink?.take(message)
  }

  /** Never rejects. */
  async #discard(message: Message): Promise<void> {
    try {
      this.emit('discarded', { message })
      await this.#settings.onDiscarded?.(message)
      message.finish()
    } catch (error) {
      message.requeue()
      this.#handlerFailed(message, asError(error))
    }
  }

  #handlerFailed(message: Message, error: Error): void {
    if (this.emit('handlerFailed', { message, error }) || this.#isWarned) return
    this.#isWarned = true
    const { topic, channel } = this.#settings
    const advice = "listen to 'handlerFailed' to see them all"
    process.emitWarning(`a handler of ${topic}/${channel} has failed: ${error.stack ?? error.message}\n(${advice})`)
  }
}
