import { connect, type Socket } from 'node:net'
import { changeStream } from './changed-stream.js'

/**
 * A V2 connection that costs as little as one in Node can: all connections read into one buffer that stays in the
 * processor's cache, and nothing is allocated for a read.
 *
 * ```
 *   input: | headroom: what was left of a frame, copied in front | read area |
 * ```
 */
const HEADROOM_SIZE_BYTES = 64 * 1024
const READ_SIZE_BYTES = 192 * 1024

export const input = Buffer.alloc(HEADROOM_SIZE_BYTES + READ_SIZE_BYTES)
export const inputView = new DataView(input.buffer, input.byteOffset, input.length)
const readArea = input.subarray(HEADROOM_SIZE_BYTES)

export const FRAME_RESPONSE = 0
export const FRAME_ERROR = 1
export const FRAME_MESSAGE = 2

const HEARTBEAT = '_heartbeat_'
const NOP = Buffer.from('NOP\n')

/** Takes what a connection reads. */
export interface Receiver {
  /** Takes the whole frames of `input[at, end)`; returns where the first incomplete one begins, or `end`. */
  receive(at: number, end: number): number
}

/** Says what a frame that is not a message means: nothing, when it was a heartbeat. */
export function readReply(connection: Connection, at: number, sizeBytes: number): string | null {
  const type = inputView.getInt32(at + 4)
  const text = input.toString('latin1', at + 8, at + 4 + sizeBytes)
  if (type === FRAME_ERROR) throw new Error(`the broker answered ${text}`)
  if (type !== FRAME_RESPONSE) throw new Error(`frame of unknown type ${type}`)
  if (text !== HEARTBEAT) return text
  connection.write(NOP)
  return null
}

/** What a connection is changed into once it is open. */
export type StreamChange = 'tls' | 'deflate' | 'snappy'

export class Connection implements Receiver {
  readonly #socket: Socket
  /** Where bytes are written to: the socket, or what it was changed into. */
  #output: Pick<Socket, 'write'>
  /** What the reply to IDENTIFY changes the stream into. */
  #change: StreamChange | null = null
  /** Read behind that reply. */
  #rest: Buffer | null = null
  /** Takes what the socket reads, once the stream was changed. */
  #decode: ((bytes: Buffer) => void) | null = null
  #carry = Buffer.alloc(512)
  #carrySizeBytes = 0
  readonly #awaited: ((text: string) => void)[] = []
  /** Who gets the frames: the connection itself while it is being set up. */
  receiver: Receiver = this
  /** Called at most once, when the connection is gone although nobody closed it, or when a receiver has thrown. */
  onFailure: (error: Error) => void = () => undefined

  private constructor(port: number, opened: () => void) {
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer: readArea,
        callback: (sizeBytes) => {
          if (this.#decode === null) this.#read(sizeBytes)
          else this.#decode(Buffer.from(readArea.subarray(0, sizeBytes)))
          return true
        },
      },
    })
    this.#output = this.#socket
    this.#socket.once('connect', opened)
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.once('close', () => this.#fail(new Error('the broker closed the connection')))
    this.#socket.once('end', () => this.#socket.destroy())
  }

  /** Connects, says which protocol it speaks, and sends IDENTIFY when there is something to negotiate. */
  static async open(
    port: number,
    identify?: Readonly<Record<string, unknown>>,
    change?: StreamChange,
  ): Promise<Connection> {
    const connection = await new Promise<Connection>((resolve, reject) => {
      const opening: Connection = new Connection(port, () => resolve(opening))
      opening.onFailure = reject
    })
    connection.write(Buffer.from('  V2'))
    connection.#change = change ?? null
    if (identify !== undefined || change !== undefined) {
      const wish = change === undefined ? {} : { [change === 'tls' ? 'tls_v1' : change]: true }
      const json = Buffer.from(JSON.stringify({ feature_negotiation: true, ...identify, ...wish }))
      const size = Buffer.alloc(4)
      size.writeInt32BE(json.length)
      const replied = connection.request(Buffer.concat([Buffer.from('IDENTIFY\n'), size, json]))
      if (change !== undefined) await connection.#confirmation(change)
      await replied
    }
    return connection
  }

  /** Waits for the `OK`, after the reply to IDENTIFY, that comes through the changed stream. */
  async #confirmation(change: StreamChange): Promise<void> {
    const answer = await new Promise<string>((resolve) => this.#awaited.push(resolve))
    if (answer !== 'OK') throw new Error(`the broker does not confirm ${change}: ${answer}`)
  }

  /** What follows the reply to IDENTIFY is changed already, even in the same read. */
  #changeStream(change: StreamChange, rest: Buffer): void {
    const { output, decode } = changeStream(change, this.#socket, (bytes) => this.#take(bytes))
    this.#change = null
    this.#output = output
    this.#decode = decode
    this.#rest = rest
  }

  /** Bytes that were decoded go the way of those that are read. */
  #take(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += READ_SIZE_BYTES) {
      const part = bytes.subarray(at, at + READ_SIZE_BYTES)
      part.copy(readArea)
      this.#read(part.length)
    }
  }

  /** Sends a command and waits for its reply. Only before a receiver of its own was set. */
  request(command: Buffer): Promise<string> {
    return new Promise((resolve, reject) => {
      this.onFailure = reject
      this.#awaited.push(resolve)
      this.write(command)
    })
  }

  async subscribe(topic: string, channel: string): Promise<void> {
    await this.request(Buffer.from(`SUB ${topic} ${channel}\n`))
  }

  setReady(count: number): void {
    this.write(Buffer.from(`RDY ${count}\n`))
  }

  /** `bytes` belong to the connection until `written` is called, or, without it, until the broker has answered. */
  write(bytes: Uint8Array, written?: () => void): void {
    this.#output.write(bytes, written)
  }

  pauseReading(): void {
    this.#socket.pause()
  }

  close(): void {
    this.onFailure = () => undefined
    this.#socket.destroy()
  }

  /** Frames while the connection is being set up: replies to {@link request}. */
  receive(at: number, end: number): number {
    while (end - at >= 8) {
      const sizeBytes = inputView.getInt32(at)
      if (end - at < 4 + sizeBytes) break
      const text = readReply(this, at, sizeBytes)
      if (text !== null) this.#awaited.shift()?.(text)
      at += 4 + sizeBytes
      if (this.#change !== null) {
        this.#changeStream(this.#change, Buffer.from(input.subarray(at, end)))
        return end
      }
    }
    return at
  }

  #read(sizeBytes: number): void {
    let at = HEADROOM_SIZE_BYTES
    if (this.#carrySizeBytes > 0) {
      at -= this.#carrySizeBytes
      this.#carry.copy(input, at, 0, this.#carrySizeBytes)
    }
    const end = HEADROOM_SIZE_BYTES + sizeBytes
    try {
      this.#keep(this.receiver.receive(at, end), end)
      const rest = this.#rest
      this.#rest = null
      if (rest !== null) this.#decode?.(rest)
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)))
      this.close()
    }
  }

  #keep(from: number, end: number): void {
    const sizeBytes = end - from
    if (sizeBytes > HEADROOM_SIZE_BYTES) throw new Error(`a frame is larger than ${HEADROOM_SIZE_BYTES} bytes`)
    if (sizeBytes > this.#carry.length) this.#carry = Buffer.alloc(sizeBytes * 2)
    if (sizeBytes > 0) input.copy(this.#carry, 0, from, end)
    this.#carrySizeBytes = sizeBytes
  }

  #fail(error: Error): void {
    const report = this.onFailure
    this.onFailure = () => undefined
    report(error)
  }
}
