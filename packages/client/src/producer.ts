import { EventEmitter } from 'node:events'
import { type Surroundings, SYSTEM, type TimerHandle } from './clock.js'
import type { Connection } from './connection.js'
import { NsqError } from './errors.js'
import type { ConnectedEvent, ConnectFailedEvent, DisconnectedEvent } from './events.js'
import { Fifo } from './fifo.js'
import { badTopic, isValidName } from './names.js'
import { type ProducerOptions, type ProducerSettings, readProducerOptions } from './producer-options.js'
import { bodySizeBytes, encodeBatch, type MessageBody, Publish } from './publish.js'
import { PublishingConnection } from './publishing-connection.js'
import { ReconnectDelay, STABLE_MS } from './reconnect-delay.js'

/** What a {@link Producer} emits. Nothing has to be listened to. */
export interface ProducerEvents {
  connected: [event: ConnectedEvent]
  disconnected: [event: DisconnectedEvent]
  connectFailed: [event: ConnectFailedEvent]
}

/** Command lines of topics, kept: a topic costs its encoding once. */
const LINES_MAX = 4_096
const CLOSED = 'the producer is closed'

/**
 * Publishes messages.
 *
 * It connects when it has something to publish. One connection is open at a time, to the first of its nodes that can be
 * had. Publishes that were called one after the other are sent and published in that order; what is called within one
 * turn of the event loop leaves in one write. There need be no waiting between them:
 *
 * ```ts
 * await Promise.all(orders.map((order) => producer.publish('orders', JSON.stringify(order))))
 * ```
 *
 * A promise that resolves says that the node has the message. One that rejects says by its {@link NsqError.code} whether
 * it may have been published nevertheless: only with `E_FATE_UNKNOWN`, or with a failure of the node's own (`E_PUB_FAILED`).
 */
export class Producer extends EventEmitter<ProducerEvents> {
  readonly #settings: ProducerSettings
  readonly #surroundings: Surroundings
  readonly #delay: ReconnectDelay
  readonly #lines = new Map<string, Buffer>()
  readonly #batchLines = new Map<string, Buffer>()
  /** What there is no room or no connection for yet. */
  readonly #waiting = new Fifo<Publish>()
  #waitingBytes = 0
  readonly #pings: { resolve(): void; reject(error: NsqError): void; deadlineMs: number }[] = []
  #connection: PublishingConnection | null = null
  #opening: Connection | null = null
  #reconnectTimer: TimerHandle | null = null
  #deadlineTimer: TimerHandle | null = null
  #addressIndex = 0
  /** Nodes that failed one after the other; after all of them it waits. */
  #failedInRow = 0
  #lastError: NsqError | null = null
  /** Set with `failFast`, when every node has refused and none has been tried since. */
  #unconnected: NsqError | null = null
  #closing: Promise<void> | null = null
  #drained: (() => void) | null = null
  #isClosed = false

  /**
   * Connects to nobody yet.
   * @throws NsqError `E_INVALID_OPTION`, a line for each mistake
   */
  constructor(options: ProducerOptions, surroundings: Surroundings = SYSTEM) {
    super()
    this.#settings = readProducerOptions(options)
    this.#surroundings = surroundings
    const { reconnectDelayMs, reconnectDelayMsMax } = this.#settings.connection
    this.#delay = new ReconnectDelay(reconnectDelayMs, reconnectDelayMsMax, surroundings.random)
  }

  /** Publishes that were sent and are not answered yet. */
  get inFlightCount(): number {
    return this.#connection?.inFlightCount ?? 0
  }

  /** Publishes that are not sent yet. */
  get waitingCount(): number {
    return this.#waiting.length
  }

  /** The node that it is connected to; null: none. */
  get connectedTo(): string | null {
    return this.#connection?.address ?? null
  }

  /**
   * Publishes one message. When as many are in flight as may, it waits its turn.
   *
   * Rejects with {@link NsqError}: `E_BAD_TOPIC`, `E_BAD_MESSAGE`, `E_QUEUE_FULL`, `E_TIMEOUT`, `E_CLOSED`, `E_FATE_UNKNOWN`, or what the node answers.
   */
  publish(topic: string, body: MessageBody): Promise<void> {
    return new Promise((resolve, reject) => {
      const line = this.#lines.get(topic) ?? this.#makeLine(this.#lines, 'PUB', topic)
      this.#submit(line, body, this.#bodySize(body), resolve, reject)
    })
  }

  /** Publishes several messages as one command: all of them or none. Nothing to publish is published at once. Rejects as {@link publish}. */
  publishMany(topic: string, bodies: readonly MessageBody[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const line = this.#batchLines.get(topic) ?? this.#makeLine(this.#batchLines, 'MPUB', topic)
      if (bodies.length === 0) return resolve()
      for (const body of bodies) this.#bodySize(body)
      const batch = encodeBatch(bodies)
      this.#submit(line, batch, batch.length, resolve, reject)
    })
  }

  /**
   * Publishes a message that is delivered `delayMs` from now at the earliest; how long that may be is the node's business
   * (nsqd: an hour, `--max-req-timeout`). Rejects as {@link publish}.
   */
  publishDeferred(topic: string, body: MessageBody, delayMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!isValidName(topic)) throw badTopic(topic)
      if (!Number.isInteger(delayMs) || delayMs < 0) {
        throw new NsqError('E_INVALID_OPTION', `delayMs must be a whole number of 0 or more, not ${delayMs}`)
      }
      this.#submit(Buffer.from(`DPUB ${topic} ${delayMs}\n`), body, this.#bodySize(body), resolve, reject)
    })
  }

  /** Resolves when a node is connected and has taken a NOP; connects if need be. Rejects with `E_TIMEOUT` or `E_CLOSED`. */
  ping(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#refuseClosed()
      if (this.#connection === null) this.#refuseUnconnected()
      if (this.#pings.length >= this.#settings.waitingMax) throw new NsqError('E_QUEUE_FULL', 'too many pings')
      this.#pings.push({ resolve, reject, deadlineMs: this.#deadlineMs() })
      this.#awaitDeadline()
      if (this.#connection === null) this.#connect()
      else this.#answerPings(this.#connection)
    })
  }

  /**
   * Takes no more, waits until everything on its way is answered, at most `closeTimeoutMs`, and closes the connection.
   * What is left then is rejected: what was sent with `E_FATE_UNKNOWN`, the rest with `E_CLOSED`. Idempotent; never rejects.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#waiting.length > 0 || this.inFlightCount > 0) {
      const timer = this.#surroundings.clock.setTimer(this.#settings.closeTimeoutMs, () => this.#drained?.())
      await new Promise<void>((resolve) => {
        this.#drained = resolve
      })
      timer.cancel()
    }
    this.#isClosed = true
    this.#reconnectTimer?.cancel()
    this.#deadlineTimer?.cancel()
    const closed = new NsqError('E_CLOSED', CLOSED)
    for (const publish of this.#waiting.drain()) publish.giveUp(closed)
    for (const ping of this.#pings.splice(0)) ping.reject(closed)
    this.#opening?.destroy(closed)
    const connection = this.#connection
    if (connection === null) return
    // What a broken node has not answered it will not answer, and whoever it is that reads nothing must not keep us.
    if (connection.inFlightCount > 0) connection.destroy(closed)
    const timer = this.#surroundings.clock.setTimer(this.#settings.closeTimeoutMs, () => connection.destroy(closed))
    await connection.end()
    timer.cancel()
  }

  #refuseClosed(): void {
    if (this.#closing !== null) throw new NsqError('E_CLOSED', CLOSED)
  }

  /** Where nobody is to wait for a node, nobody waits for the next attempt either. @throws NsqError `E_CONNECT` */
  #refuseUnconnected(): void {
    if (this.#unconnected !== null && this.#reconnectTimer !== null) throw this.#unconnected
  }

  /** @throws NsqError `E_BAD_MESSAGE` */
  #bodySize(body: MessageBody): number {
    const sizeBytes = bodySizeBytes(body)
    const { messageSizeBytesMax } = this.#settings
    if (sizeBytes <= messageSizeBytesMax) return sizeBytes
    throw new NsqError(
      'E_BAD_MESSAGE',
      `a message of ${sizeBytes} bytes; messageSizeBytesMax is ${messageSizeBytesMax}`,
    )
  }

  #makeLine(lines: Map<string, Buffer>, command: string, topic: string): Buffer {
    if (!isValidName(topic)) throw badTopic(topic)
    const line = Buffer.from(`${command} ${topic}\n`)
    if (lines.size >= LINES_MAX) lines.clear()
    lines.set(topic, line)
    return line
  }

  #deadlineMs(): number {
    return this.#surroundings.clock.nowMs() + this.#settings.publishTimeoutMs
  }

  /** Sends it if there is room and nobody waits, else lets it wait. @throws NsqError */
  #submit(
    line: Buffer,
    body: MessageBody,
    sizeBytes: number,
    resolve: () => void,
    reject: (e: NsqError) => void,
  ): void {
    this.#refuseClosed()
    const publish = new Publish(line, body, sizeBytes, this.#deadlineMs(), resolve, reject)
    const connection = this.#connection
    if (connection !== null && this.#waiting.length === 0 && connection.hasRoomFor(sizeBytes)) {
      connection.send(publish)
    } else {
      const { waitingMax, waitingBytesMax } = this.#settings
      if (this.#waiting.length >= waitingMax || this.#waitingBytes + sizeBytes > waitingBytesMax) {
        const waiting = `${this.#waiting.length} publishes of ${this.#waitingBytes} bytes wait already`
        throw new NsqError(
          'E_QUEUE_FULL',
          `${waiting}; waitingMax is ${waitingMax}, waitingBytesMax ${waitingBytesMax}`,
        )
      }
      if (connection === null) this.#refuseUnconnected()
      this.#waiting.push(publish)
      this.#waitingBytes += sizeBytes
      if (connection === null) this.#connect()
    }
    if (this.#deadlineTimer === null) this.#awaitDeadline()
  }

  /** Sends as many of those that wait as there is room for. */
  #pump(connection: PublishingConnection): void {
    for (;;) {
      const publish = this.#waiting.peek()
      if (publish === undefined || !connection.hasRoomFor(publish.sizeBytes)) break
      this.#waiting.shift()
      this.#waitingBytes -= publish.sizeBytes
      connection.send(publish)
    }
    this.#checkDrained()
  }

  #checkDrained(): void {
    if (this.#drained !== null && this.#waiting.length === 0 && this.inFlightCount === 0) this.#drained()
  }

  /** Unless it is connecting already, or waits to. */
  #connect(): void {
    if (this.#connection !== null || this.#opening !== null || this.#reconnectTimer !== null || this.#isClosed) return
    const { connection: settings, addresses } = this.#settings
    const address = addresses[this.#addressIndex]
    const connection = new PublishingConnection(address, settings, this.#settings, this.#surroundings.clock, {
      answered: () => {
        if (this.#waiting.length > 0) this.#pump(connection)
        else if (this.#drained !== null) this.#checkDrained()
      },
      closed: (error, untouched, unknown) => this.#lost(connection, error, untouched, unknown),
    })
    this.#opening = connection.connection
    connection.open().then(
      () => this.#connected(connection),
      (error: NsqError) => this.#failed(address.text, error),
    )
  }

  #connected(connection: PublishingConnection): void {
    this.#opening = null
    this.#failedInRow = 0
    this.#connection = connection
    this.emit('connected', { address: connection.address, node: connection.connection.info })
    if (this.#connection !== connection) return
    this.#answerPings(connection)
    this.#pump(connection)
  }

  #answerPings(connection: PublishingConnection): void {
    for (const ping of this.#pings.splice(0)) connection.ping(ping.resolve, ping.reject)
  }

  #failed(address: string, error: NsqError): void {
    this.#opening = null
    if (this.#isClosed) return
    this.#lastError = error
    const { addresses, failFast } = this.#settings
    this.#addressIndex = (this.#addressIndex + 1) % addresses.length
    const haveAllFailed = ++this.#failedInRow % addresses.length === 0
    const retryInMs = haveAllFailed ? this.#delay.nextMs() : 0
    this.#connectIn(retryInMs)
    if (haveAllFailed && failFast) this.#giveUp(error)
    this.emit('connectFailed', { address, error, retryInMs })
  }

  #giveUp(error: NsqError): void {
    this.#unconnected = error
    for (const publish of this.#waiting.drain()) publish.giveUp(error)
    this.#waitingBytes = 0
    for (const ping of this.#pings.splice(0)) ping.reject(error)
    this.#checkDrained()
  }

  #connectIn(delayMs: number): void {
    this.#reconnectTimer = this.#surroundings.clock.setTimer(delayMs, () => {
      this.#reconnectTimer = null
      this.#unconnected = null
      if (this.#waiting.length > 0 || this.#pings.length > 0) this.#connect()
    })
  }

  /**
   * @param untouched - sent, but surely not taken: they stand behind one that the node has refused
   * @param unknown - sent and not answered
   */
  #lost(connection: PublishingConnection, error: NsqError, untouched: Publish[], unknown: Publish[]): void {
    this.#connection = null
    this.#lastError = error
    const { retry, addresses } = this.#settings
    const isSentAgain = retry && !this.#isClosed
    const again = isSentAgain ? [...unknown, ...untouched] : untouched
    if (isSentAgain) for (const publish of unknown) publish.isFateUnknown = true
    else {
      const detail = `sent to ${connection.address}, whose connection broke before the answer`
      for (const publish of unknown) publish.reject(new NsqError('E_FATE_UNKNOWN', detail, { cause: error }))
    }
    if (this.#isClosed) {
      for (const publish of untouched) publish.giveUp(new NsqError('E_CLOSED', CLOSED))
    } else {
      this.#waiting.unshift(again)
      for (const { sizeBytes } of again) this.#waitingBytes += sizeBytes
      this.#delay.wasOpenFor(connection.openMs)
      // A node that has refused something is none that has failed.
      const isRefusal = untouched.length > 0 || connection.hasRefused
      if (!isRefusal) this.#addressIndex = (this.#addressIndex + 1) % addresses.length
      const hasAnother = addresses.length > 1 && connection.openMs >= STABLE_MS
      this.#connectIn(isRefusal || hasAnother ? 0 : this.#delay.nextMs())
    }
    this.emit('disconnected', { address: connection.address, error: this.#isClosed ? null : error })
    this.#checkDrained()
  }

  /** One timer for all: the first in each queue is the first to expire. */
  #awaitDeadline(): void {
    if (this.#deadlineTimer !== null || this.#isClosed) return
    const firstMs = Math.min(
      this.#waiting.peek()?.deadlineMs ?? Number.POSITIVE_INFINITY,
      this.#connection?.oldest?.deadlineMs ?? Number.POSITIVE_INFINITY,
      this.#pings[0]?.deadlineMs ?? Number.POSITIVE_INFINITY,
    )
    if (firstMs === Number.POSITIVE_INFINITY) return
    const { clock } = this.#surroundings
    this.#deadlineTimer = clock.setTimer(Math.max(1, firstMs - clock.nowMs()), () => {
      this.#deadlineTimer = null
      this.#expire(clock.nowMs())
      this.#awaitDeadline()
    })
    this.#deadlineTimer.unref()
  }

  #expire(nowMs: number): void {
    const options = this.#lastError === null ? {} : { cause: this.#lastError }
    const { publishTimeoutMs } = this.#settings
    const error = new NsqError('E_TIMEOUT', `no node has taken it within ${publishTimeoutMs} ms`, options)
    while ((this.#waiting.peek()?.deadlineMs ?? nowMs + 1) <= nowMs) {
      const publish = this.#waiting.shift() as Publish
      this.#waitingBytes -= publish.sizeBytes
      publish.giveUp(error)
    }
    while (this.#pings.length > 0 && this.#pings[0].deadlineMs <= nowMs) this.#pings.shift()?.reject(error)
    const connection = this.#connection
    if (connection !== null && (connection.oldest?.deadlineMs ?? nowMs + 1) <= nowMs) {
      const detail = `${connection.address} has not answered a publish within ${publishTimeoutMs} ms`
      connection.destroy(new NsqError('E_CONNECTION_LOST', detail))
    }
    this.#checkDrained()
  }
}
