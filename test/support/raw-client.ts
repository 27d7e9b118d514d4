import { once } from 'node:events'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { within } from './within.js'

const DEFAULT_LIMIT_MS = 30_000
const FRAME_RESPONSE = 0
const FRAME_ERROR = 1
const FRAME_MESSAGE = 2
const HEARTBEAT = '_heartbeat_'

export type Frame =
  | { readonly type: 'response'; readonly text: string }
  | { readonly type: 'error'; readonly text: string }
  | { readonly type: 'message'; readonly attempts: number; readonly id: string; readonly body: Buffer }

/** A V2 client that sends exactly the bytes it is told to and hands out the frames in order; it answers heartbeats. */
export class RawClient {
  readonly socket: Socket
  /** Resolves when the broker has ended the connection or it broke. */
  readonly closed: Promise<void>
  readonly #frames: Frame[] = []
  #received: Buffer = Buffer.alloc(0)
  #wake: (() => void) | undefined
  #isClosed = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (part: Buffer) => this.#take(part))
    // A broken connection shows as a closed one; which of the two it is does not matter to any test.
    socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => {
      socket.once('end', resolve)
      socket.once('close', resolve)
    })
    void this.closed.then(() => {
      this.#isClosed = true
      this.#wake?.()
    })
  }

  /** Connects and sends the magic. */
  static async connect(where: NetConnectOpts): Promise<RawClient> {
    const socket = connect(where)
    await once(socket, 'connect')
    const client = new RawClient(socket)
    socket.setNoDelay(true).write('  V2')
    return client
  }

  /** Sends a command line and, if there is one, its body behind its length. */
  send(line: string, body?: string | Buffer): void {
    if (body === undefined) {
      this.socket.write(`${line}\n`)
      return
    }
    const bytes = Buffer.from(body)
    const size = Buffer.alloc(4)
    size.writeInt32BE(bytes.length)
    this.socket.write(Buffer.concat([Buffer.from(`${line}\n`), size, bytes]))
  }

  /** Sends and takes the answer, which must be a response. */
  async ask(line: string, body?: string | Buffer): Promise<string> {
    this.send(line, body)
    const frame = await this.frame()
    if (frame.type !== 'response') throw new Error(`${line}: expected a response, got ${JSON.stringify(frame)}`)
    return frame.text
  }

  /** The next frame that is not a heartbeat. */
  async frame(limitMs = DEFAULT_LIMIT_MS): Promise<Frame> {
    const next = (async () => {
      for (;;) {
        const frame = this.#frames.shift()
        if (frame !== undefined) return frame
        if (this.#isClosed) throw new Error('the connection was closed')
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    })()
    return within(next, limitMs, 'a frame')
  }

  /** The next frame, which must be a message. */
  async message(limitMs = DEFAULT_LIMIT_MS): Promise<Frame & { type: 'message' }> {
    const frame = await this.frame(limitMs)
    if (frame.type !== 'message') throw new Error(`expected a message, got ${JSON.stringify(frame)}`)
    return frame
  }

  close(): void {
    this.socket.destroy()
  }

  #take(part: Buffer): void {
    this.#received = this.#received.length === 0 ? part : Buffer.concat([this.#received, part])
    let offset = 0
    while (this.#received.length - offset >= 8) {
      const sizeBytes = this.#received.readInt32BE(offset)
      if (this.#received.length - offset < 4 + sizeBytes) break
      const type = this.#received.readInt32BE(offset + 4)
      this.#accept(type, this.#received.subarray(offset + 8, offset + 4 + sizeBytes))
      offset += 4 + sizeBytes
    }
    this.#received = this.#received.subarray(offset)
    this.#wake?.()
  }

  #accept(type: number, data: Buffer): void {
    if (type === FRAME_MESSAGE) {
      // timestamp int64, attempts uint16, id 16 bytes, body
      const attempts = data.readUInt16BE(8)
      this.#frames.push({ type: 'message', attempts, id: data.toString('latin1', 10, 26), body: data.subarray(26) })
      return
    }
    const text = data.toString('utf8')
    if (type === FRAME_RESPONSE && text === HEARTBEAT) this.socket.write('NOP\n')
    else if (type === FRAME_RESPONSE) this.#frames.push({ type: 'response', text })
    else if (type === FRAME_ERROR) this.#frames.push({ type: 'error', text })
    else throw new Error(`unknown frame type ${type}`)
  }
}
