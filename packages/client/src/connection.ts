import type { NetConnectOpts } from 'node:net'
import type { Address } from './address.js'
import { ByteStream, type ByteStreamOwner } from './byte-stream.js'
import type { Clock, TimerHandle } from './clock.js'
import type { ConnectionSettings } from './connection-options.js'
import { asError, NsqError, nodeError } from './errors.js'
import { FrameReader, type FrameSink } from './frame-reader.js'
import { authCommand, identifyCommand, type NodeInfo, parseIdentifyReply } from './identify.js'
import { Outgoing } from './outgoing.js'

const MAGIC = '  V2'
const CLOGGED_BYTES = 1024 * 1024

/** Gets what an open connection brings. */
export interface ConnectionOwner {
  /** `bytes[at, end)` is timestamp, attempts, id and body; it may be kept. */
  onMessage(bytes: Buffer, at: number, end: number): void
  onOk(): void
  /** Any other response, but heartbeats. */
  onResponse(text: string): void
  onError(error: NsqError): void
  /** Once, last, and only after {@link Connection.open} has resolved. */
  onClose(error: NsqError): void
}

/**
 * One connection to one node: opened and negotiated, kept alive, its frames handed on in order.
 *
 * ```
 *   dial | "  V2" IDENTIFY → JSON | TLS → OK | deflate or snappy → OK | AUTH → JSON | SUB … → OK | open
 * ```
 * While it is being opened frames are read one at a time, since what follows a reply may be encoded in another way.
 */
export class Connection implements FrameSink, ByteStreamOwner {
  readonly address: Address
  readonly outgoing: Outgoing
  readonly #settings: ConnectionSettings
  readonly #owner: ConnectionOwner
  readonly #clock: Clock
  readonly #reader: FrameReader
  readonly #stream: ByteStream
  #info: NodeInfo | null = null
  #state: 'opening' | 'open' | 'closed' = 'opening'
  /** Why it is closed, when that was found here. */
  #reason: NsqError | null = null
  /** Who waits for the next reply while it is being opened. */
  #awaiting: { resolve(text: string): void; reject(error: Error): void } | null = null
  /** Received behind the last reply that was awaited. */
  #rest: Buffer[] = []
  #timer: TimerHandle
  #onClosed: (() => void)[] = []
  /** When the last bytes came. */
  lastReadMs: number

  /** Begins to dial. */
  constructor(address: Address, settings: ConnectionSettings, owner: ConnectionOwner, clock: Clock) {
    this.address = address
    this.#settings = settings
    this.#owner = owner
    this.#clock = clock
    this.lastReadMs = clock.nowMs()
    this.#reader = new FrameReader(this, settings.frameSizeBytesMax)
    this.#reader.isStopped = true
    this.#stream = new ByteStream(connectOptions(address, settings), this)
    this.outgoing = new Outgoing(this.#stream)
    this.#timer = clock.setTimer(settings.connectTimeoutMs, () =>
      this.destroy(
        new NsqError('E_CONNECT', `${address.text} has not answered within ${settings.connectTimeoutMs} ms`),
      ),
    )
  }

  /** Once open. */
  get info(): NodeInfo {
    if (this.#info === null) throw new NsqError('E_INVALID_STATE', 'not connected yet')
    return this.#info
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** What was sent is not leaving: the node does not read. */
  get isClogged(): boolean {
    return this.#stream.pendingBytes > CLOGGED_BYTES
  }

  /**
   * Resolves once everything is negotiated and `lastCommand`, if there is one, was answered with OK.
   * @throws NsqError what the node has answered, or `E_CONNECT`, `E_PROTOCOL`
   */
  async open(lastCommand?: Buffer): Promise<void> {
    try {
      await this.#reply()
      this.#stream.write(Buffer.concat([Buffer.from(MAGIC), identifyCommand(this.#settings)]))
      const info = parseIdentifyReply(await this.#reply())
      this.#info = info
      await this.#encrypt(info)
      await this.#compress(info)
      await this.#authenticate(info)
      if (lastCommand !== undefined) {
        this.#stream.write(lastCommand)
        await this.#ok('the subscription')
      }
    } catch (error) {
      const reason = this.#asReason(asError(error))
      this.destroy(reason)
      throw reason
    }
    this.#state = 'open'
    this.#timer.cancel()
    this.#watch()
    this.#readOn()
  }

  async #encrypt({ isEncrypted }: NodeInfo): Promise<void> {
    const { tls } = this.#settings
    if (tls === null) return
    if (!isEncrypted)
      throw new NsqError('E_CONNECT', `${this.address.text} does not offer TLS, and \`tls\` asks for it`)
    if (this.#rest.length > 0) throw new NsqError('E_PROTOCOL', 'bytes before the TLS handshake')
    await this.#stream.encrypt(tls, this.address.host)
    await this.#ok('TLS')
  }

  async #compress({ compression }: NodeInfo): Promise<void> {
    if (compression === 'none') return
    const raw = this.#rest
    this.#rest = []
    this.#stream.compress(compression, this.#settings.deflateLevel)
    for (const chunk of raw) this.#stream.received(chunk)
    await this.#ok(compression)
  }

  async #authenticate({ isAuthRequired }: NodeInfo): Promise<void> {
    if (!isAuthRequired) return
    const { authSecret } = this.#settings
    if (authSecret === '') throw new NsqError('E_AUTH_FIRST', `${this.address.text} asks for AUTH: set \`authSecret\``)
    this.#stream.write(authCommand(authSecret))
    await this.#reply()
  }

  async #ok(what: string): Promise<void> {
    const text = await this.#reply()
    if (text !== 'OK') throw new NsqError('E_PROTOCOL', `the answer to ${what} is not OK but ${JSON.stringify(text)}`)
  }

  /** The next reply while it is being opened; the first is that the socket is connected. */
  #reply(): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#state === 'closed') return reject(this.#reason)
      this.#awaiting = { resolve, reject }
      this.#readOn()
    })
  }

  #readOn(): void {
    this.#reader.isStopped = false
    const rest = this.#rest
    this.#rest = []
    for (const chunk of rest) this.received(chunk)
  }

  connected(): void {
    this.#settle('')
  }

  #settle(text: string): void {
    this.#reader.isStopped = true
    this.#awaiting?.resolve(text)
    this.#awaiting = null
  }

  received(chunk: Buffer): void {
    this.lastReadMs = this.#clock.nowMs()
    if (this.#state === 'closed') return
    if (this.#reader.isStopped) {
      this.#rest.push(chunk)
      return
    }
    try {
      const at = this.#reader.read(chunk)
      if (at < chunk.length) this.#rest.push(chunk.subarray(at))
    } catch (error) {
      // Anything else is a listener's own mistake, and is for the process to see.
      if (!(error instanceof NsqError)) throw error
      this.destroy(error)
    }
  }

  message(bytes: Buffer, at: number, end: number): void {
    if (this.#state === 'opening') throw new NsqError('E_PROTOCOL', 'a message before the subscription was answered')
    this.#owner.onMessage(bytes, at, end)
  }

  ok(): void {
    if (this.#state === 'opening') this.#settle('OK')
    else this.#owner.onOk()
  }

  response(text: string): void {
    if (this.#state === 'opening') this.#settle(text)
    else this.#owner.onResponse(text)
  }

  /** While it is being opened nothing may come between a request and its reply, and the node waits long enough. */
  heartbeat(): void {
    if (this.#state === 'open') this.outgoing.nop()
  }

  error(text: string): void {
    const error = nodeError(text, this.address.text)
    if (this.#state === 'opening') this.destroy(error)
    else this.#owner.onError(error)
  }

  /** Gives the connection up when it is silent for two heartbeats. */
  #watch(): void {
    const limitMs = 2 * this.#settings.heartbeatIntervalMs
    const silentMs = this.#clock.nowMs() - this.lastReadMs
    if (silentMs >= limitMs) {
      this.destroy(new NsqError('E_STALE', `${this.address.text} has been silent for ${Math.round(silentMs)} ms`))
      return
    }
    this.#timer = this.#clock.setTimer(Math.max(1, limitMs - silentMs), () => this.#watch())
  }

  /** Sends what has gathered, then closes. Idempotent. Resolves once it is closed. */
  end(): Promise<void> {
    if (this.#state === 'opening') this.destroy(new NsqError('E_CLOSED', 'closed'))
    if (this.#state === 'open') {
      this.outgoing.flush()
      this.outgoing.end()
      this.#stream.end()
    }
    return this.whenClosed
  }

  /** Resolves once it is closed. */
  get whenClosed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#state === 'closed') resolve()
      else this.#onClosed.push(resolve)
    })
  }

  /** Closes at once. Idempotent. */
  destroy(reason: NsqError): void {
    this.#reason ??= reason
    this.#stream.destroy()
    // Whoever asks is told at once, not when the socket's handle is gone.
    this.closed(null)
  }

  closed(error: Error | null): void {
    if (this.#state === 'closed') return
    const wasOpen = this.#state === 'open'
    this.#reason ??= this.#asReason(error)
    this.#state = 'closed'
    this.#timer.cancel()
    this.#reader.isStopped = true
    this.#rest = []
    this.outgoing.end()
    this.#awaiting?.reject(this.#reason)
    this.#awaiting = null
    for (const resolve of this.#onClosed) resolve()
    this.#onClosed = []
    if (wasOpen) this.#owner.onClose(this.#reason)
  }

  #asReason(error: Error | null): NsqError {
    if (error instanceof NsqError) return error
    const { text } = this.address
    if (this.#state === 'open') {
      const detail = error === null ? `${text} has closed the connection` : `${text}: ${error.message}`
      return new NsqError('E_CONNECTION_LOST', detail, error === null ? {} : { cause: error })
    }
    if (error === null) return new NsqError('E_CONNECT', `${text} has closed the connection`)
    return new NsqError('E_CONNECT', `${text}: ${describe(error)}`, { cause: error })
  }
}

/** A Unix socket has no local address. */
function connectOptions({ connect }: Address, { localAddress }: ConnectionSettings): NetConnectOpts {
  return localAddress === '' || 'path' in connect ? connect : { ...connect, localAddress }
}

/** With several addresses behind a name, Node puts the reasons into an error without a text. */
function describe(error: Error): string {
  if (error.message !== '') return error.message
  return error instanceof AggregateError ? error.errors.map(({ message }) => message).join(', ') : String(error)
}
