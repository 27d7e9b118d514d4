import type { Socket } from 'node:net'
import { type Clock, type Logger, peerAddressOf, peerIpOf, type TimerHandle } from '@spillway/core'
import {
  Session,
  type SessionContext,
  type SessionOutput,
  type TlsPeer,
  type Upgrade,
  type UpgradeSupport,
} from '@spillway/protocol'
import type { Codec, CodecEnds } from './codec.js'
import { readShared } from './shared-read.js'
import type { Upgrades } from './upgrades.js'

/** After everything was sent, the peer may read it for so long before the connection is cut. */
const LINGER_MS = 1_000
/** Sending the rest to a peer may take so long, if nothing else (a write deadline) ends it before. */
const END_MS_MAX = 30_000

/**
 * One socket and the session on it.
 *
 * ```
 *   socket ──► (TLS) ──► (snappy or deflate) ──► session       each only once the client has asked for it
 * ```
 */
export class TcpConnection implements SessionOutput {
  readonly session: Session
  /** The socket, or TLS on it. */
  #stream: Socket
  #codec: Codec | null = null
  #tls: TlsPeer | null = null
  readonly #upgrades: Upgrades
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #onWritten = (): void => this.#written()
  readonly #onRead = (chunk: Buffer): void => this.#read(chunk)
  #isBehind = false
  /** The session wants nothing more for now. */
  #isPaused = false
  #endTimer: TimerHandle | null = null

  constructor(
    accepted: Socket,
    context: SessionContext,
    upgrades: Upgrades,
    logger: Logger,
    onClosed: (connection: TcpConnection) => void,
  ) {
    const socket = readShared(accepted, this.#onRead)
    this.#stream = socket
    this.#upgrades = upgrades
    this.#clock = context.broker.clock
    this.#logger = logger
    this.session = new Session({
      context,
      output: this,
      remoteAddress: peerAddressOf(socket),
      remoteIp: peerIpOf(socket),
    })
    this.#watch(socket)
    socket.on('close', () => {
      this.#endTimer?.cancel()
      this.#codec?.destroy()
      this.session.closed()
      onClosed(this)
    })
  }

  write(bytes: Uint8Array): boolean {
    if (this.#stream.destroyed) return true
    if (this.#codec === null) return this.#send(bytes)
    const isFree = this.#codec.encode(bytes)
    if (this.pendingBytes > 0) this.#isBehind = true
    return isFree
  }

  get pendingBytes(): number {
    const { writableLength } = this.#stream
    return this.#codec === null ? writableLength : writableLength + this.#codec.pendingBytes
  }

  get isEncoding(): boolean {
    return this.#codec !== null && this.#codec.pendingBytes > 0
  }

  pauseReading(): void {
    this.#isPaused = true
    this.#codec?.pause()
    this.#stream.pause()
  }

  resumeReading(): void {
    this.#isPaused = false
    this.#codec?.resume()
    // What the codec had in hand may have been as much as the session takes.
    if (!this.#isPaused) this.#stream.resume()
  }

  end(): void {
    this.#closeWithin(END_MS_MAX)
    if (this.#codec === null) this.#endStream()
    else this.#codec.end(() => this.#endStream())
  }

  destroy(): void {
    this.#stream.destroy()
  }

  get tls(): TlsPeer | null {
    return this.#tls
  }

  get upgrades(): UpgradeSupport {
    return this.#upgrades.support
  }

  async upgrade({ kind, level }: Upgrade): Promise<void> {
    if (kind === 'tls') {
      const { stream, peer, refusal } = await this.#upgrades.encrypt(this.#stream, this.#clock)
      this.#stream = stream
      this.#tls = peer
      this.#watch(stream)
      stream.on('data', this.#onRead)
      if (refusal !== null) throw new Error(refusal)
    } else {
      this.#codec = this.#upgrades.compress(kind, level, this.#codecEnds())
    }
    // The session goes on by itself when it is told that all is done.
    if (this.#isPaused) this.pauseReading()
  }

  #codecEnds(): CodecEnds {
    return {
      send: (bytes) => void (this.#stream.destroyed || this.#send(bytes)),
      received: (chunk) => this.session.receive(chunk),
      readingWanted: (isWanted) => {
        if (!isWanted) this.#stream.pause()
        else if (!this.#isPaused) this.#stream.resume()
      },
      encoded: this.#onWritten,
      ended: (error) => {
        if (error !== null) this.#note(error)
        this.session.ended()
      },
      failed: (error) => this.#failed(error),
    }
  }

  #watch(stream: Socket): void {
    stream.on('end', () => {
      if (this.#codec === null) this.session.ended()
      else this.#codec.inputEnded()
    })
    // Peers vanish; the socket closes after this, and that is all there is to do.
    stream.on('error', (error) => this.#failed(error))
  }

  #failed(error: Error): void {
    this.#note(error)
    this.destroy()
  }

  #note(error: Error): void {
    this.#logger.debug('connection failed', { peer: this.session.remoteAddress, error: error.message })
  }

  #read(chunk: Buffer): void {
    if (this.#codec === null) this.session.receive(chunk)
    else this.#codec.decode(chunk)
  }

  #send(bytes: Uint8Array): boolean {
    this.#stream.write(bytes, this.#onWritten)
    // Node hands a write to the system at once when nothing is before it; what is not counted any more was taken.
    if (this.#stream.writableLength === 0) return true
    this.#isBehind = true
    return false
  }

  #written(): void {
    if (!this.#isBehind) return
    this.#isBehind = this.pendingBytes > 0
    this.session.drained()
  }

  #endStream(): void {
    // Closing with unread input resets the connection, and a reset destroys what the peer has not read yet, the last error
    // among it. So what it still sends is read and thrown away for a while.
    this.#stream.end(() => this.#closeWithin(this.#stream.readableEnded ? 0 : LINGER_MS))
    this.#stream.resume()
  }

  #closeWithin(delayMs: number): void {
    this.#endTimer?.cancel()
    if (this.#stream.destroyed) return
    this.#endTimer = this.#clock.setTimer(delayMs, () => this.destroy())
  }
}
