import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { frame, type MessageFields, messageFrame } from './frames.js'
import { Queue } from './queue.js'

export interface Command {
  readonly name: string
  readonly args: readonly string[]
  readonly body: Buffer
}

const WITH_BODY = new Set(['IDENTIFY', 'AUTH', 'PUB', 'MPUB', 'DPUB'])

export interface NodeScript {
  /** What IDENTIFY is answered with; the test answers it itself when this is null. */
  readonly identify?: Readonly<Record<string, unknown>> | null
  /** Whether SUB and CLS are answered. Default true. */
  readonly subscribes?: boolean
  readonly port?: number
}

/** A node whose answers the test gives, on a real socket. */
export class ScriptedNode {
  readonly #server: Server
  readonly #open = new Set<ScriptedConnection>()
  readonly connections = new Queue<ScriptedConnection>()
  connectionCount = 0

  private constructor(server: Server, script: NodeScript) {
    this.#server = server
    server.on('connection', (socket) => {
      const connection = new ScriptedConnection(socket, script)
      this.connectionCount++
      this.#open.add(connection)
      socket.once('close', () => this.#open.delete(connection))
      this.connections.push(connection)
    })
  }

  static async start(script: NodeScript = {}): Promise<ScriptedNode> {
    const server = createServer({ noDelay: true }).listen(script.port ?? 0, '127.0.0.1')
    await once(server, 'listening')
    return new ScriptedNode(server, script)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** The next one that is made. */
  connection(): Promise<ScriptedConnection> {
    return this.connections.shift()
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return
    for (const connection of this.#open) connection.destroy()
    await once(this.#server.close(), 'close')
  }
}

/** The node's end of a connection. */
export class ScriptedConnection {
  readonly #socket: Socket
  readonly #script: NodeScript
  readonly #commands = new Queue<Command>()
  readonly #nops = new Queue<null>()
  readonly closed: Promise<unknown>
  #input = Buffer.alloc(0)
  #hasMagic = false
  /** Reads that brought something since the connection was negotiated. */
  readCount = 0
  isClosed = false

  constructor(socket: Socket, script: NodeScript) {
    this.#socket = socket
    this.#script = script
    this.closed = new Promise((resolve) => socket.once('close', resolve))
    socket.once('close', () => {
      this.isClosed = true
      this.#commands.push({ name: 'closed', args: [], body: Buffer.alloc(0) })
    })
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      this.readCount++
      this.#input = Buffer.concat([this.#input, chunk])
      this.#parse()
    })
  }

  #parse(): void {
    if (!this.#hasMagic) {
      if (this.#input.length < 4) return
      this.#hasMagic = this.#input.toString('latin1', 0, 4) === '  V2'
      if (!this.#hasMagic) throw new Error(`no magic: ${this.#input}`)
      this.#input = this.#input.subarray(4)
    }
    for (;;) {
      const newline = this.#input.indexOf(10)
      if (newline === -1) return
      const [name, ...args] = this.#input.toString('latin1', 0, newline).split(' ')
      let end = newline + 1
      let body = Buffer.alloc(0)
      if (WITH_BODY.has(name)) {
        if (this.#input.length < end + 4) return
        const sizeBytes = this.#input.readInt32BE(end)
        if (this.#input.length < end + 4 + sizeBytes) return
        body = Buffer.from(this.#input.subarray(end + 4, end + 4 + sizeBytes))
        end += 4 + sizeBytes
      }
      this.#input = this.#input.subarray(end)
      this.#take({ name, args, body })
    }
  }

  #take(command: Command): void {
    const { identify, subscribes = true } = this.#script
    if (command.name === 'NOP') this.#nops.push(null)
    else if (command.name === 'IDENTIFY' && identify !== null) {
      this.readCount = 0
      this.reply(JSON.stringify({ max_rdy_count: 2500, msg_timeout: 60_000, max_msg_timeout: 900_000, ...identify }))
    } else if (command.name === 'SUB' && subscribes) this.ok()
    else if (command.name === 'CLS' && subscribes) {
      this.reply('CLOSE_WAIT')
      this.#commands.push(command)
    } else this.#commands.push(command)
  }

  /** Where it comes from. */
  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? ''
  }

  /** The next command that is not NOP and was not answered by the script; `closed` at the end. */
  next(): Promise<Command> {
    return this.#commands.shift()
  }

  /** The next NOP. */
  async nop(): Promise<void> {
    await this.#nops.shift()
  }

  /** The next commands as text: `RDY 5`, `PUB orders body`. */
  async texts(count: number): Promise<string[]> {
    const texts: string[] = []
    while (texts.length < count) {
      const { name, args, body } = await this.next()
      texts.push([name, ...args, ...(body.length > 0 ? [body.toString()] : [])].join(' '))
    }
    return texts
  }

  /** Whether nothing has come that nobody has asked for. */
  get isQuiet(): boolean {
    return this.#commands.length === 0
  }

  ok(count = 1): void {
    this.raw(Buffer.concat(Array.from({ length: count }, () => frame(0, 'OK'))))
  }

  reply(text: string): void {
    this.raw(frame(0, text))
  }

  error(text: string): void {
    this.raw(frame(1, text))
  }

  heartbeat(): void {
    this.reply('_heartbeat_')
  }

  message(...messages: MessageFields[]): void {
    this.raw(Buffer.concat(messages.map(messageFrame)))
  }

  raw(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Closes after what was sent, as a node does behind a fatal error. */
  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** As a process that is killed. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }
}
