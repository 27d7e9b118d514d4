import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { INFO, identify, join, MAGIC, parseAnswers } from './bytes.js'

/** An nsqd's end of a connection, over a socket. */
export class V1Client {
  readonly socket: Socket
  readonly closed: Promise<unknown>
  readonly #answers: string[] = []
  #rest = Buffer.alloc(0)
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.socket = socket
    this.closed = once(socket, 'close')
    socket.on('error', () => {}) // a connection that breaks is closed as well
    socket.on('data', (part) => {
      this.#take(part)
      this.#wake()
    })
  }

  /** Connects and sends the magic. */
  static async connect(port: number): Promise<V1Client> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    socket.write(MAGIC)
    return new V1Client(socket)
  }

  /** Its address, as the other end sees it. */
  get address(): string {
    return `127.0.0.1:${this.socket.localPort}`
  }

  send(...parts: readonly (string | Buffer)[]): void {
    this.socket.write(join(...parts))
  }

  /** Sends, and takes the next answer. */
  async ask(...parts: readonly (string | Buffer)[]): Promise<string> {
    this.send(...parts)
    return this.answer()
  }

  identify(info: object = {}): Promise<string> {
    return this.ask(identify({ ...INFO, ...info }))
  }

  /** @throws Error when the connection is closed without one */
  async answer(): Promise<string> {
    for (;;) {
      const answer = this.#answers.shift()
      if (answer !== undefined) return answer
      const more = new Promise<'more'>((resolve) => {
        this.#wake = () => resolve('more')
      })
      const outcome = await Promise.race([more, this.closed.then(() => 'closed')])
      if (outcome === 'closed' && this.#answers.length === 0) throw new Error('closed without an answer')
    }
  }

  destroy(): void {
    this.socket.destroy()
  }

  #take(part: Buffer): void {
    const bytes = Buffer.concat([this.#rest, part])
    let at = 0
    while (bytes.length - at >= 4 && bytes.length - at >= 4 + bytes.readInt32BE(at)) {
      const end = at + 4 + bytes.readInt32BE(at)
      this.#answers.push(...parseAnswers(bytes.subarray(at, end)))
      at = end
    }
    this.#rest = bytes.subarray(at)
  }
}
