import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { HEADER_BYTES, isHeartbeat, maskFrame, messageIdOf } from './mask.js'
import { type Compression, makeCodec, type StreamCodec } from './stream-codecs.js'

const NOTHING = Buffer.alloc(0)

/**
 * A V2 connection of a case. Frames are cut off only when they are asked for: what comes behind the answer to IDENTIFY
 * may be compressed, and the connection learns of that only then.
 */
export class PlayedConnection {
  readonly #socket: Socket
  /** The socket, or TLS on it. */
  #stream: Socket
  #codec: StreamCodec | null = null
  /** Decoded, and not cut into frames yet. */
  #received: Buffer = NOTHING
  readonly #ids: string[] = []
  #isOver = false
  #wake = (): void => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#stream = socket
    this.#listen()
  }

  static async open(port: number): Promise<PlayedConnection> {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
    await once(socket, 'connect')
    return new PlayedConnection(socket)
  }

  /** The id of a message that came here, by how many came before it. */
  messageId(index: number): string {
    return this.#ids[index]
  }

  send(bytes: Buffer): void {
    this.#stream.write(this.#codec === null ? bytes : this.#codec.encode(bytes))
  }

  /** Past everything that the stream was changed into. */
  sendBeneath(data: string | Uint8Array): void {
    this.#socket.write(Buffer.from(data as string))
  }

  end(): void {
    this.#stream.end()
  }

  /** The socket ends, and TLS on it is not told. */
  endBeneath(): void {
    this.#socket.end()
  }

  close(): void {
    this.#stream.destroy()
    this.#socket.destroy()
  }

  /** @returns the version that was agreed on, or that there was no agreement */
  async encrypt(options: ConnectionOptions): Promise<string> {
    this.#stream.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close')
    const encrypted = connectTls({ ...options, socket: this.#socket })
    this.#stream = encrypted
    this.#listen()
    const isEncrypted = await hasHandshake(encrypted)
    if (!isEncrypted) this.#over()
    return isEncrypted ? (encrypted.getProtocol() as string) : 'no TLS'
  }

  compress(kind: Compression): void {
    const received = this.#received
    this.#received = NOTHING
    this.#codec = makeCodec(kind)
    this.#receive(received)
  }

  async frames(count: number): Promise<string[]> {
    const lines: string[] = []
    while (lines.length < count) {
      const line = await this.#next()
      lines.push(line ?? 'end')
      if (line === null) break
    }
    return lines
  }

  async rest(): Promise<string[]> {
    const lines: string[] = []
    for (;;) {
      const line = await this.#next()
      if (line === null) break
      lines.push(line)
    }
    if (this.#received.length > 0) lines.push(`${this.#received.length} bytes that are no frame`)
    return [...lines, 'end']
  }

  #listen(): void {
    const stream = this.#stream
    stream.on('data', (part: Buffer) => {
      this.#receive(part)
      this.#wake()
    })
    stream.on('error', () => {}) // shows as the end
    stream.once('end', () => this.#over())
    stream.once('close', () => this.#over())
  }

  /** What cannot be decoded ends the connection. */
  #receive(part: Buffer): void {
    try {
      this.#received = Buffer.concat([this.#received, this.#codec === null ? part : this.#codec.decode(part)])
    } catch {
      this.#stream.destroy()
      this.#over()
    }
  }

  #over(): void {
    this.#isOver = true
    this.#wake()
  }

  /** The next frame that is no heartbeat, as text; null when the connection has ended without one. */
  async #next(): Promise<string | null> {
    for (;;) {
      const frame = this.#takeFrame()
      if (frame === null) {
        if (this.#isOver) return null
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      } else if (isHeartbeat(frame)) {
        this.send(Buffer.from('NOP\n'))
      } else {
        const id = messageIdOf(frame)
        if (id !== null) this.#ids.push(id)
        return maskFrame(frame)
      }
    }
  }

  #takeFrame(): Buffer | null {
    if (this.#received.length < HEADER_BYTES) return null
    const end = 4 + this.#received.readInt32BE(0)
    if (end < HEADER_BYTES || this.#received.length < end) return null
    const frame = this.#received.subarray(0, end)
    this.#received = this.#received.subarray(end)
    return frame
  }
}

function hasHandshake(encrypted: TLSSocket): Promise<boolean> {
  return new Promise((resolve) => {
    encrypted.once('secureConnect', () => resolve(true))
    encrypted.once('error', () => resolve(false))
    encrypted.once('close', () => resolve(false))
  })
}
