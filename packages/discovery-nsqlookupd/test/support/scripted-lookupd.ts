import { once } from 'node:events'
import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/** What a command is answered with: a text, bytes as they are, or nothing. */
export type Answer = string | Buffer | null

/** One connection of a node, as an nsqlookupd sees it. */
export class ScriptedConnection {
  /** What came first. */
  magic = ''
  /** What the node said of itself. */
  identity = ''
  /** Commands in order, without IDENTIFY. */
  readonly commands: string[] = []
  readonly socket: Socket
  isClosed = false
  #held = Buffer.alloc(0)
  readonly #answer: (command: string, connection: ScriptedConnection) => Answer

  constructor(socket: Socket, answer: (command: string, connection: ScriptedConnection) => Answer) {
    this.socket = socket
    this.#answer = answer
    socket.on('data', (bytes: Buffer) => this.#received(bytes))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.isClosed = true
    })
  }

  answer(answer: Answer): void {
    if (answer === null || this.socket.destroyed) return
    this.socket.write(typeof answer === 'string' ? frame(answer) : answer)
  }

  #received(bytes: Buffer): void {
    this.#held = Buffer.concat([this.#held, bytes])
    for (;;) {
      const command = this.#next()
      if (command === null) return
      if (command !== 'IDENTIFY') this.commands.push(command)
      this.answer(this.#answer(command, this))
    }
  }

  #next(): string | null {
    if (this.magic === '') {
      if (this.#held.length < 4) return null
      this.magic = this.#held.toString('latin1', 0, 4)
      this.#held = this.#held.subarray(4)
    }
    const end = this.#held.indexOf('\n')
    if (end < 0) return null
    const command = this.#held.toString('latin1', 0, end)
    let next = end + 1
    if (command === 'IDENTIFY') {
      if (this.#held.length < next + 4) return null
      const size = this.#held.readInt32BE(next)
      if (this.#held.length < next + 4 + size) return null
      this.identity = this.#held.toString('utf8', next + 4, next + 4 + size)
      next += 4 + size
    }
    this.#held = this.#held.subarray(next)
    return command
  }
}

export function frame(text: string): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(Buffer.byteLength(text))
  return Buffer.concat([size, Buffer.from(text)])
}

/** An nsqlookupd that does what a test wants, and otherwise what a good one does. */
export class ScriptedLookupd {
  readonly connections: ScriptedConnection[] = []
  /** Paths that were asked over HTTP, with their Accept header. */
  readonly questions: { readonly path: string; readonly accept: string | undefined }[] = []
  /** Channels by topic, as `/channels` answers. */
  channels: Readonly<Record<string, readonly string[]>> = {}
  /** Answers a command; `IDENTIFY` without its body. */
  onCommand: (command: string, connection: ScriptedConnection) => Answer = (command) => this.goodAnswer(command)
  /** Sends connections away, say. */
  onConnection: (connection: ScriptedConnection) => void = () => {}
  onQuestion: (request: IncomingMessage, response: ServerResponse) => void = (request, response) =>
    this.answerQuestion(request, response)
  #server: Server | null = null
  #http: HttpServer | null = null
  #port = 0
  #httpPort = 0

  /** On the ports that it had before, if it had any. */
  async start(): Promise<void> {
    this.#server = createServer((socket) => {
      const connection = new ScriptedConnection(socket, (command, from) => this.onCommand(command, from))
      this.connections.push(connection)
      this.onConnection(connection)
    })
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
    this.#http = createHttpServer((request, response) => {
      this.questions.push({ path: request.url ?? '', accept: request.headers.accept })
      this.onQuestion(request, response)
    })
    this.#http.listen(this.#httpPort, '127.0.0.1')
    await once(this.#http, 'listening')
    this.#httpPort = (this.#http.address() as AddressInfo).port
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** The connection that was made last. */
  get last(): ScriptedConnection {
    return this.connections[this.connections.length - 1]
  }

  /** Those that are open. */
  get openCount(): number {
    return this.connections.filter(({ isClosed }) => !isClosed).length
  }

  goodAnswer(command: string): string {
    return command === 'IDENTIFY' ? this.identity() : 'OK'
  }

  identity(more: object = {}): string {
    const own = { broadcast_address: '127.0.0.1', hostname: 'x', http_port: this.#httpPort, tcp_port: this.#port }
    return JSON.stringify({ ...own, version: '1.3.0', ...more })
  }

  answerQuestion(request: IncomingMessage, response: ServerResponse): void {
    const topic = new URL(request.url ?? '', 'http://x').searchParams.get('topic') ?? ''
    const channels = Object.hasOwn(this.channels, topic) ? this.channels[topic] : []
    response.end(JSON.stringify({ channels }))
  }

  async stop(): Promise<void> {
    const [server, http] = [this.#server, this.#http]
    if (server === null || http === null) return
    this.#server = null
    this.#http = null
    for (const { socket } of this.connections) socket.destroy()
    http.closeAllConnections()
    await Promise.all([server, http].map((each) => new Promise<void>((resolve) => each.close(() => resolve()))))
  }
}
