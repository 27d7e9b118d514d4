import type { Socket } from 'node:net'
import type { Clock, Logger, TimerHandle } from '@spillway/core'
import { NO_UPGRADES, Session, type SessionContext, type SessionOutput } from '@spillway/protocol'
import { readShared } from './shared-read.js'

/** After everything was sent, the peer may read it for so long before the connection is cut. */
const LINGER_MS = 1_000
/** Sending the rest to a peer may take so long, if nothing else (a write deadline) ends it before. */
const END_MS_MAX = 30_000

/** One socket and the session on it. */
export class TcpConnection implements SessionOutput {
  readonly upgrades = NO_UPGRADES
  readonly tls = null
  readonly session: Session
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #onWritten = (): void => this.#written()
  #isBehind = false
  #endTimer: TimerHandle | null = null

  constructor(
    accepted: Socket,
    context: SessionContext,
    logger: Logger,
    onClosed: (connection: TcpConnection) => void,
  ) {
    const socket = readShared(accepted, (chunk) => this.session.receive(chunk))
    this.#socket = socket
    this.#clock = context.broker.clock
    this.session = new Session({ context, output: this, ...peerOf(socket) })
    socket.on('end', () => this.session.ended())
    // Peers vanish; the socket closes after this, and that is all there is to do.
    socket.on('error', (error) =>
      logger.debug('connection failed', { peer: this.session.remoteAddress, error: error.message }),
    )
    socket.on('close', () => {
      this.#endTimer?.cancel()
      this.session.closed()
      onClosed(this)
    })
  }

  write(bytes: Uint8Array): boolean {
    if (this.#socket.destroyed) return true
    this.#socket.write(bytes, this.#onWritten)
    // Node hands a write to the system at once when nothing is before it; what is not counted any more was taken.
    if (this.#socket.writableLength === 0) return true
    this.#isBehind = true
    return false
  }

  get pendingBytes(): number {
    return this.#socket.writableLength
  }

  pauseReading(): void {
    this.#socket.pause()
  }

  resumeReading(): void {
    this.#socket.resume()
  }

  end(): void {
    this.#closeWithin(END_MS_MAX)
    // Closing with unread input resets the connection, and a reset destroys what the peer has not read yet, the last error
    // among it. So what it still sends is read and thrown away for a while.
    this.#socket.end(() => this.#closeWithin(this.#socket.readableEnded ? 0 : LINGER_MS))
    this.#socket.resume()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  upgrade(): Promise<void> {
    return Promise.reject(new Error('streams stay as they are'))
  }

  #written(): void {
    if (!this.#isBehind) return
    this.#isBehind = this.#socket.writableLength > 0
    this.session.drained()
  }

  #closeWithin(delayMs: number): void {
    this.#endTimer?.cancel()
    if (this.#socket.destroyed) return
    this.#endTimer = this.#clock.setTimer(delayMs, () => this.destroy())
  }
}

/** IPv4 peers of a socket that listens for both kinds are shown as what they are. */
const V4_IN_V6 = '::ffff:'

function peerOf(socket: Socket): { remoteAddress: string; remoteIp: string } {
  const { remoteAddress, remotePort } = socket
  // Unix sockets have neither; so has a socket whose peer is gone already.
  if (remoteAddress === undefined) return { remoteAddress: '@', remoteIp: '' }
  const remoteIp = remoteAddress.startsWith(V4_IN_V6) ? remoteAddress.slice(V4_IN_V6.length) : remoteAddress
  const host = remoteIp.includes(':') ? `[${remoteIp}]` : remoteIp
  return { remoteAddress: `${host}:${remotePort}`, remoteIp }
}
