import { connect, type Socket } from 'node:net'

const FRAME_RESPONSE = 0
const FRAME_ERROR = 1
const FRAME_MESSAGE = 2
/** int64 timestamp, uint16 attempts, 16-byte id: what comes before a body. */
const ATTEMPTS_AT = 8
const ID_AT = 10
const BODY_AT = 26
const HEARTBEAT = '_heartbeat_'

/** Takes what a connection receives. Called within the read that brought it. */
export interface V2Receiver {
  response(text: string): void
  error(text: string): void
  message(id: string, attempts: number, body: Buffer): void
  /** All whole frames of one read were given. */
  readDone(): void
}

/** A V2 client's connection that can take thousands of frames a second and is made to lose its broker. */
export class V2Connection {
  /** Resolves, never rejects, when nothing more can come: the broker ended it, or is gone. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  #receiver: V2Receiver | null = null
  #awaited: { resolve(text: string): void; reject(error: Error): void } | null = null
  #rest: Buffer = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (part: Buffer) => this.#read(part))
    // A broken connection shows as a closed one; which of the two it is depends on the moment of the kill.
    socket.on('error', () => undefined)
    this.closed = new Promise((resolve) =>
      socket.once('close', () => {
        this.#awaited?.reject(new Error('the connection was closed'))
        resolve()
      }),
    )
  }

  static async open(port: number, identify: Readonly<Record<string, unknown>>): Promise<V2Connection> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    const connection = new V2Connection(socket)
    const json = JSON.stringify({ feature_negotiation: true, ...identify })
    const size = Buffer.alloc(4)
    size.writeInt32BE(json.length)
    connection.write('  V2')
    await connection.ask(Buffer.concat([Buffer.from('IDENTIFY\n'), size, Buffer.from(json)]))
    return connection
  }

  /** Sends and waits for the answer; only before {@link receive}. An error frame rejects. */
  ask(command: string | Buffer): Promise<string> {
    const answer = new Promise<string>((resolve, reject) => {
      this.#awaited = { resolve, reject }
    })
    this.write(command)
    return answer
  }

  /** From here on, frames go to `receiver`. */
  receive(receiver: V2Receiver): void {
    this.#receiver = receiver
  }

  write(bytes: string | Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes)
  }

  /** Nothing more is given to the receiver. */
  destroy(): void {
    this.#receiver = null
    this.#socket.destroy()
  }

  #read(part: Buffer): void {
    const bytes = this.#rest.length === 0 ? part : Buffer.concat([this.#rest, part])
    let at = 0
    while (bytes.length - at >= 8) {
      const end = at + 4 + bytes.readInt32BE(at)
      if (end > bytes.length) break
      this.#frame(bytes.readInt32BE(at + 4), bytes.subarray(at + 8, end))
      at = end
    }
    this.#rest = bytes.subarray(at)
    this.#receiver?.readDone()
  }

  #frame(type: number, data: Buffer): void {
    if (type === FRAME_MESSAGE) {
      const id = data.toString('latin1', ID_AT, BODY_AT)
      this.#receiver?.message(id, data.readUInt16BE(ATTEMPTS_AT), data.subarray(BODY_AT))
      return
    }
    const text = data.toString('utf8')
    if (type === FRAME_RESPONSE && text === HEARTBEAT) this.write('NOP\n')
    else if (type !== FRAME_RESPONSE && type !== FRAME_ERROR) throw new Error(`frame of unknown type ${type}`)
    else if (this.#awaited !== null) this.#answer(type, text)
    else if (type === FRAME_RESPONSE) this.#receiver?.response(text)
    else this.#receiver?.error(text)
  }

  #answer(type: number, text: string): void {
    const awaited = this.#awaited
    this.#awaited = null
    if (type === FRAME_RESPONSE) awaited?.resolve(text)
    else awaited?.reject(new Error(`the broker answered ${text}`))
  }
}
