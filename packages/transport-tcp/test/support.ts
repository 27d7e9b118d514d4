import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectSocket, type NetConnectOpts, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { Engine } from '@spillway/core'
import { SystemClock } from '@spillway/core/node'
import { SimulatedStorage, seededRandom, TEST_BROKER_OPTIONS, TestLogger } from '@spillway/core/testing'
import { TlsCredentials } from '@spillway/tls'
import { TcpTransport, type TcpTransportOptions } from '../src/index.js'

/** A broker that listens. Everything is closed by {@link close}. */
export class TestServer {
  readonly clock = new SystemClock()
  readonly logger = new TestLogger()
  readonly storage = new SimulatedStorage({ clock: this.clock, random: seededRandom(1), latencyMs: () => 0 })
  readonly engine = new Engine({
    storage: this.storage,
    queueFactory: null,
    discoveries: [],
    authenticator: null,
    settings: [],
    telemetry: null,
    clock: this.clock,
    random: seededRandom(2),
    logger: this.logger,
    options: TEST_BROKER_OPTIONS,
  })
  readonly transport: TcpTransport
  readonly #clients: TestClient[] = []

  readonly credentials: TlsCredentials | null

  constructor(address: string, options: Partial<TcpTransportOptions>) {
    const all = { address, connectionsMax: 0, tlsRequired: false, snappy: true, deflate: true, ...options }
    this.credentials = all.tls === undefined ? null : new TlsCredentials(all.tls, process.cwd())
    this.transport = new TcpTransport(all, this.logger, process.cwd(), this.credentials)
  }

  static async start(address = '127.0.0.1:0', options: Partial<TcpTransportOptions> = {}): Promise<TestServer> {
    const server = new TestServer(address, options)
    await server.engine.open()
    await server.transport.start(server.engine)
    return server
  }

  /** A client whose connection stands. */
  async connect(host = '127.0.0.1'): Promise<TestClient> {
    const [{ address, port }] = this.transport.addresses
    const client = new TestClient(port < 0 ? { path: address } : { host, port })
    this.#clients.push(client)
    await once(client.socket, 'connect')
    return client
  }

  /** Those made so far are gone already. */
  forgetClients(): void {
    this.#clients.length = 0
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.socket.destroy()
    await this.transport.stop()
    await this.engine.close()
  }
}

/** A client that reads frames, one after the other. */
export class TestClient {
  readonly socket: Socket
  /** Where bytes go and come from: the socket, or what it was changed into. */
  #stream: Duplex
  #received = Buffer.alloc(0)
  #hasEnded = false
  #wake = () => {}

  constructor(options: NetConnectOpts) {
    this.socket = connectSocket({ ...options, allowHalfOpen: true })
    this.#stream = this.socket
    this.#listen()
  }

  #listen(): void {
    this.#stream
      .on('data', this.#onData)
      .on('end', this.#onEnd)
      .on('close', this.#onEnd)
      .on('error', () => {})
  }

  readonly #onEnd = (): void => {
    this.#hasEnded = true
    this.#wake()
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#received = Buffer.concat([this.#received, chunk])
    this.#wake()
  }

  /** Goes on over what `change` makes of the stream. */
  async change(change: (stream: Duplex) => Duplex | Promise<Duplex>): Promise<void> {
    this.#stream.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onEnd)
    this.#stream = await change(this.#stream)
    this.#listen()
  }

  get stream(): Duplex {
    return this.#stream
  }

  send(...parts: (string | Uint8Array)[]): void {
    for (const part of parts) this.#stream.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part)
  }

  /** Asks, and gives the JSON that was agreed on. */
  async identify(wishes: object): Promise<Record<string, unknown>> {
    this.send('  V2', withBody('IDENTIFY', JSON.stringify({ feature_negotiation: true, ...wishes })))
    return JSON.parse((await this.next()) ?? 'null')
  }

  /** The data of the next frame; `null` when the connection has ended without one. A message without its first ten bytes. */
  async next(): Promise<string | null> {
    for (;;) {
      const frame = this.#takeFrame()
      if (frame !== null) return frame
      if (this.#hasEnded) return null
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #takeFrame(): string | null {
    if (this.#received.length < 8) return null
    const end = 4 + this.#received.readInt32BE(0)
    if (this.#received.length < end) return null
    const isMessage = this.#received.readInt32BE(4) === 2
    const data = this.#received.toString('latin1', isMessage ? 18 : 8, end)
    this.#received = this.#received.subarray(end)
    return data
  }
}

export const pub = (topic: string, body: string | Uint8Array): Buffer => withBody(`PUB ${topic}`, body)

/** A command with a body. */
export function withBody(line: string, body: string | Uint8Array): Buffer {
  const bytes = Buffer.from(body)
  const size = Buffer.alloc(4)
  size.writeInt32BE(bytes.length)
  return Buffer.concat([Buffer.from(`${line}\n`), size, bytes])
}

/** A path for a Unix socket in a folder of its own, which is removed after `use`. */
export async function withSocketPath(use: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'spillway-tcp-'))
  try {
    await use(join(folder, 'nsqd.sock'))
  } finally {
    await rm(folder, { recursive: true })
  }
}
