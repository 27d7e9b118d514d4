import {
  type Broker,
  BrokerError,
  type BrokerOptions,
  type Client,
  type ClientStats,
  type MessageSink,
  type PublishWaiter,
  SettleResult,
  type Subscription,
  type TlsStats,
} from '@spillway/core'
import { Authorization } from './authorization.js'
import { type ClientSettings, defaultSettings, holdsMessages } from './client-settings.js'
import { clientStats } from './client-stats.js'
import { type Command, type CommandBody, requireArgs } from './command.js'
import type { CommandLine } from './command-line.js'
import { CommandReader } from './command-reader.js'
import { findCommand } from './commands/index.js'
import { type DeadlineSubject, Deadlines } from './deadlines.js'
import { encodeError, HEARTBEAT_FRAME } from './frames.js'
import { HoldTimer } from './hold-timer.js'
import { IdentifyDecoder, type IdentifyRequest } from './identify-request.js'
import { MpubScanner } from './mpub-scanner.js'
import { OUTPUT_SIZE_BYTES_MAX, Outbox } from './outbox.js'
import { type PublishCommand, Publisher, publishError } from './publisher.js'
import { ReplyQueue } from './reply-queue.js'
import type { SessionContext } from './session-context.js'
import type { SessionOutput, Upgrade, UpgradeSupport } from './session-output.js'
import { SessionState } from './session-state.js'
import type { TurnTask } from './turn-queue.js'

/** A peer that pipelines more publishes than this waits until half of them are answered. */
const REPLIES_MAX = 10_000

/** Why no further command is run; several may hold at once. */
const Halt = {
  /** A command is under way that later ones must wait for. */
  command: 1,
  /** Storage is behind, and the next command publishes. */
  pressure: 2,
  /** Too many replies wait for storage. */
  replies: 4,
  /** The peer does not take its replies. */
  output: 8,
  /** The broker stops. */
  draining: 16,
  /** The connection ends as soon as what is owed has been sent. */
  over: 32,
} as const

export interface SessionOptions {
  readonly context: SessionContext
  readonly output: SessionOutput
  /** `ip:port`; `@` on a Unix socket. */
  readonly remoteAddress: string
  /** Empty on a Unix socket. */
  readonly remoteIp: string
}

/**
 * One connection that speaks V2: bytes in, bytes out. The transport tells it what happens ({@link receive},
 * {@link ended}, {@link drained}, {@link closed}); it answers through its {@link SessionOutput}.
 *
 * It is itself what the engine sends messages to, tells of finished publishes and shows in `/stats`, so that nothing is
 * allocated per message or per publish.
 */
export class Session implements MessageSink, PublishWaiter, Client, DeadlineSubject, TurnTask {
  readonly broker: Broker
  readonly options: BrokerOptions
  readonly authorization: Authorization
  readonly remoteAddress: string
  readonly connectedAtMs: number
  readonly publisher: Publisher
  state: SessionState = SessionState.init
  settings: ClientSettings
  isQueued = false
  compression: 'none' | 'deflate' | 'snappy' = 'none'
  /** From the answer to IDENTIFY to the `OK` of the last change of the stream: what else went out would break into it. */
  isUpgrading = false

  readonly #context: SessionContext
  readonly #output: SessionOutput
  readonly #outbox: Outbox
  readonly #replies: ReplyQueue
  readonly #reader: CommandReader
  readonly #deadlines: Deadlines
  readonly #hold: HoldTimer
  #scanner: MpubScanner | null = null
  /** Only while the body of an IDENTIFY arrives. */
  #identifyDecoder: IdentifyDecoder | null = null
  #subscription: Subscription | null = null
  #halts = 0
  /** The asynchronous command under way. */
  #work: Promise<void> = Promise.resolve()
  #isReadingPaused = false
  #holdsMessages = false
  /** The engine found no room for messages, and waits to be told of some. */
  #isBlocked = false
  #isKnown = false
  #hasPeerEnded = false
  /** The log has been told. */
  #isRefused = false
  #hasEnded = false
  #isClosed = false
  #idleWaiters: (() => void)[] = []

  constructor({ context, output, remoteAddress, remoteIp }: SessionOptions) {
    const { broker } = context
    this.broker = broker
    this.options = broker.options
    this.remoteAddress = remoteAddress
    this.connectedAtMs = broker.clock.wallMs()
    this.authorization = new Authorization(broker.authenticator, broker.clock, remoteIp, output)
    this.settings = defaultSettings(broker.options, remoteIp)
    this.#context = context
    this.#output = output
    this.#outbox = new Outbox(output, context.blocks, context.turns, this)
    this.#replies = new ReplyQueue(this.#outbox)
    this.publisher = new Publisher(broker, this.#replies, this)
    this.#reader = new CommandReader(this, broker.options, (sizeBytes) => broker.chargeMemory(sizeBytes))
    this.#deadlines = new Deadlines(broker.clock, this)
    this.#hold = new HoldTimer(broker.clock, () => this.#holdEnded())
  }

  // What the transport tells.

  /** Bytes from the peer. `chunk` may be used again afterwards. */
  receive(chunk: Uint8Array): void {
    if (this.isOver) return
    this.#deadlines.noteRead()
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    try {
      this.#reader.receive(bytes)
    } catch (error) {
      this.#fail(error)
    }
    this.#pauseIfHalted()
  }

  /** The peer sends nothing more, but may still read. */
  ended(): void {
    this.#hasPeerEnded = true
    if ((this.#halts & Halt.draining) !== 0) this.hangUp()
    if (this.#halts === 0 && !this.#reader.hasBacklog) this.#readEnd()
  }

  /** The operating system has taken something that had to wait. */
  drained(): void {
    this.#outbox.noteDrain()
    this.#context.turns.add(this)
  }

  /** The connection is gone. */
  closed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#hasEnded = true
    this.#halts |= Halt.over
    this.#deadlines.stop()
    this.#hold.stop()
    this.#closeSubscription()
    this.#reader.release()
    this.#outbox.release()
    this.#leave()
    this.#wakeIdleWaiters()
  }

  /** Runs no further command and takes no further message; resolves when everything that was asked for has been answered. */
  async drain(): Promise<void> {
    this.#halts |= Halt.draining
    this.#pauseIfHalted()
    this.#subscription?.setReady(0)
    this.#holdsMessages = false
    this.#context.turns.add(this)
    // A failed one is answered where it failed.
    await this.#work.catch(() => {})
    await this.#whenIdle()
  }

  // What the engine tells.

  write(frames: Uint8Array, start: number, end: number): void {
    if (this.isOver) return
    this.#outbox.writeMessages(frames, start, end)
  }

  get writableBytes(): number {
    if (this.isOver) return 0
    const writableBytes = OUTPUT_SIZE_BYTES_MAX - this.#outbox.outstandingBytes
    if (writableBytes > 0) return writableBytes
    this.#isBlocked = true
    return 0
  }

  disconnect(): void {
    this.hangUp()
  }

  published(token: number): void {
    if (!this.#isClosed) this.#replies.settleOk(token)
  }

  publishFailed(token: number, error: BrokerError): void {
    if (this.#isClosed) return
    const failure = this.publisher.failureOf(token, error)
    this.#noteRefusal(failure)
    const frame = encodeError(failure.message)
    this.#replies.dropAfter(token)
    this.hangUp()
    this.#replies.settle(token, frame)
  }

  stats(): ClientStats {
    return clientStats(this, this.publisher.counts, this.#subscription)
  }

  // What the reader and the commands use.

  /** Whether no further command is run for now. */
  get isHalted(): boolean {
    return this.#halts !== 0
  }

  /** Whether no further command will ever be run. */
  get isOver(): boolean {
    return (this.#halts & Halt.over) !== 0
  }

  /** The subscription of a session that is subscribed or closing. */
  get subscription(): Subscription {
    return this.#subscription as Subscription
  }

  get tls(): TlsStats | null {
    return this.#output.tls
  }

  get upgrades(): UpgradeSupport {
    return this.#output.upgrades
  }

  get mpubScanner(): MpubScanner {
    this.#scanner ??= new MpubScanner(this.options)
    return this.#scanner
  }

  get identifyDecoder(): IdentifyDecoder {
    this.#identifyDecoder ??= new IdentifyDecoder()
    return this.#identifyDecoder
  }

  /** What the IDENTIFY at hand says, all of it having arrived. @throws BrokerError `E_BAD_BODY` */
  takeIdentifyRequest(): IdentifyRequest {
    const decoder = this.identifyDecoder
    this.#identifyDecoder = null
    return decoder.finish()
  }

  /** The peer has shown that it speaks V2. */
  begun(): void {
    this.#isKnown = true
    this.broker.addClient(this)
    this.#deadlines.start(this.settings.heartbeatIntervalMs)
  }

  /** FIN without a line: whether a message in flight here has the id at `bytes[at]`. */
  finish(bytes: Buffer, at: number): boolean {
    return this.#subscription !== null && this.#subscription.finish(bytes, at) === SettleResult.ok
  }

  /**
   * The command that `line` names, or `null` when its time has not come: the session is then halted, and the line is to
   * be read again afterwards. @throws BrokerError `E_INVALID`
   */
  admit(line: CommandLine): Command | null {
    const command = findCommand(line)
    if (this.#context.requiresTls && command?.name !== 'IDENTIFY' && this.#output.tls === null) {
      throw new BrokerError('E_INVALID', `cannot ${line.name} in current state (TLS required)`)
    }
    if (command === undefined) throw new BrokerError('E_INVALID', `invalid command ${line.name}`)
    if (!command.states.includes(this.state)) {
      throw new BrokerError('E_INVALID', `cannot ${command.name} in current state`)
    }
    if (command.access === 'none') return command
    if (this.authorization.mustRefresh()) {
      this.suspendFor(this.authorization.refresh())
      return null
    }
    return command.access === 'publish' && this.#waitsForRelief() ? null : command
  }

  runLine(command: Command, line: CommandLine): void {
    requireArgs(command, line, command.argCountMin)
    command.begin(this, line)
  }

  /** A command has been run. */
  commandDone(): void {
    if (this.#replies.size >= REPLIES_MAX) this.#halts |= Halt.replies
    if (this.#outbox.replyBytes >= OUTPUT_SIZE_BYTES_MAX) this.#halts |= Halt.output
  }

  /** Refuses to hold more of a body than the node has room for. @throws BrokerError */
  requireRoom(command: Command, haveBytes: number): void {
    if (this.broker.pressure !== 'full') return
    if (command.access === 'publish') {
      throw publishError(command.name as PublishCommand, new BrokerError('E_MEMORY_FULL', 'no room for the body'))
    }
    throw (command.body as CommandBody).endError(this, haveBytes)
  }

  /** Runs no further command until `work` has settled; a BrokerError is the connection's last reply. */
  suspendFor(work: Promise<void>): void {
    this.#halts |= Halt.command
    this.#work = work
    work.then(
      () => this.#unhalt(Halt.command),
      (error) => this.#fail(error),
    )
  }

  /** Sends `frame` after the replies to all earlier commands. */
  reply(frame: Uint8Array): void {
    if (!this.isOver) this.#replies.push(frame)
  }

  /** Ends the connection without a word, once what is owed has been sent. */
  hangUp(): void {
    if (this.isOver) return
    this.#halts |= Halt.over
    // Not closed before what was asked is answered: an ephemeral topic goes with its last consumer, and takes publishes with it.
    this.#subscription?.setReady(0)
    this.#reader.release()
    this.#context.turns.add(this)
  }

  applySettings(settings: ClientSettings): void {
    this.settings = settings
    this.#holdsMessages = holdsMessages(settings, this.options)
    this.#deadlines.start(settings.heartbeatIntervalMs)
  }

  /** Changes the stream, once everything that is owed has been sent. */
  async upgrade(upgrade: Upgrade): Promise<void> {
    await this.#whenIdle()
    // What came in before is not what the peer says under the new protection: it is thrown away, as nsqd does.
    this.#reader.dropBacklog()
    if (this.isOver) return
    await this.#output.upgrade(upgrade)
    if (upgrade.kind !== 'tls') this.compression = upgrade.kind
  }

  subscribed(subscription: Subscription): void {
    this.#subscription = subscription
    if (this.isOver) this.#closeSubscription()
    else this.state = SessionState.subscribed
  }

  setReady(count: number): void {
    this.subscription.setReady(count)
    // Held messages go out when the client is not ready for more.
    if (this.#holdsMessages) this.#context.turns.add(this)
  }

  // What the deadlines ask.

  get pendingBytes(): number {
    return this.#output.pendingBytes
  }

  get takenBytes(): number {
    return this.#outbox.takenBytes
  }

  get isReading(): boolean {
    return this.#halts === 0
  }

  heartbeatDue(): void {
    // One that is missed meanwhile is not made up for: the `OK` that follows is as good a sign of life.
    if (!this.isOver && !this.isUpgrading) this.#outbox.reply(HEARTBEAT_FRAME)
  }

  deadlinePassed(which: 'read' | 'write'): void {
    if (which === 'read') {
      this.hangUp()
    } else {
      this.#deadlines.stop()
      this.#output.destroy()
    }
  }

  /** The end of a turn in which something happened here. */
  endTurn(): void {
    if (this.#isClosed) return
    this.#flush()
    if (this.isOver) this.#endOnceAnswered()
    else this.#goOn()
    if (this.#isIdle) this.#wakeIdleWaiters()
  }

  get #isIdle(): boolean {
    return this.#replies.size === 0 && this.#outbox.outstandingBytes === 0
  }

  /** Sends what is staged, or leaves it for a while when the client wants it so. */
  #flush(): void {
    if (this.#output.isEncoding) return
    if (this.#mayHold()) {
      if (this.#outbox.stagedBytes > 0) this.#hold.start(this.settings.outputBufferTimeoutMs)
      return
    }
    this.#hold.stop()
    this.#outbox.flush()
  }

  #holdEnded(): void {
    this.#outbox.flush()
    this.#context.turns.add(this)
  }

  #mayHold(): boolean {
    if (!this.#holdsMessages || this.#outbox.isUrgent || this.#subscription === null) return false
    if (this.#outbox.stagedBytes >= this.settings.outputBufferSizeBytes) return false
    return this.#subscription.inFlight < this.#subscription.ready
  }

  #goOn(): void {
    if (this.#replies.size <= REPLIES_MAX / 2) this.#halts &= ~Halt.replies
    if (this.#outbox.replyBytes < OUTPUT_SIZE_BYTES_MAX) this.#halts &= ~Halt.output
    if (this.#isReadingPaused && this.#halts === 0) this.#resumeReading()
    if (this.#isBlocked && this.#outbox.outstandingBytes < OUTPUT_SIZE_BYTES_MAX) {
      this.#isBlocked = false
      this.#subscription?.resume()
    }
  }

  #resumeReading(): void {
    this.#deadlines.noteRead()
    try {
      this.#reader.resume()
    } catch (error) {
      this.#fail(error)
    }
    if (this.#halts !== 0) return
    this.#isReadingPaused = false
    this.#output.resumeReading()
    if (this.#hasPeerEnded) this.#readEnd()
  }

  #pauseIfHalted(): void {
    if (this.#halts === 0 || this.#isReadingPaused || this.isOver) return
    this.#isReadingPaused = true
    this.#output.pauseReading()
  }

  #unhalt(halt: number): void {
    this.#halts &= ~halt
    this.#context.turns.add(this)
  }

  /** Publishers wait while storage is behind; but not those whose FINs would wait with them. */
  #waitsForRelief(): boolean {
    if (this.broker.pressure !== 'paused') return false
    if (this.#subscription !== null && this.#subscription.inFlight > 0) return false
    this.#halts |= Halt.pressure
    this.broker.onRelief(() => this.#unhalt(Halt.pressure))
    return true
  }

  #readEnd(): void {
    try {
      this.#reader.end()
      this.hangUp()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Makes `error` the last reply. */
  #fail(error: unknown): void {
    if (!(error instanceof BrokerError)) throw error
    this.#noteRefusal(error)
    if (this.isOver) return
    this.#replies.push(encodeError(error.message))
    this.hangUp()
  }

  /** One line for a connection, since what follows an error is thrown away. */
  #noteRefusal(error: BrokerError): void {
    if (!this.#isRefused) this.#context.refusals.noteError(this.remoteAddress, error)
    this.#isRefused = true
  }

  #endOnceAnswered(): void {
    if (this.#hasEnded || this.#replies.size > 0) return
    this.#hasEnded = true
    this.#closeSubscription()
    this.#leave() // the peer may take its time to see the end; nobody asks for it any more
    this.#outbox.flush()
    this.#output.end()
  }

  /** The broker knows it no longer. */
  #leave(): void {
    if (this.#isKnown) this.broker.removeClient(this)
    this.#isKnown = false
  }

  #closeSubscription(): void {
    this.#subscription?.close()
  }

  async #whenIdle(): Promise<void> {
    if (this.#isClosed || this.#isIdle) return
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
  }

  #wakeIdleWaiters(): void {
    if (this.#idleWaiters.length === 0) return
    for (const resolve of this.#idleWaiters) resolve()
    this.#idleWaiters = []
  }
}
