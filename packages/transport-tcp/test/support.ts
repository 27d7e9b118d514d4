import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectSocket, type NetConnectOpts, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Engine } from '@spillway/core'
import { SystemClock } from '@spillway/core/node'
import { SimulatedStorage, seededRandom, TEST_BROKER_OPTIONS, TestLogger } from '@spillway/core/testing'
import { TcpTransport } from '../src/index.js'

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

  constructor(address: string, connectionsMax: number) {
    this.transport = new TcpTransport({ address, connectionsMax }, this.logger, process.cwd())
  }

  static async start(address = '127.0.0.1:0', connectionsMax = 0): Promise<TestServer> {
    const server = new TestServer(address, connectionsMax)
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
  #received = Buffer.alloc(0)
  #hasEnded = false
  #wake = () => {}

  constructor(options: NetConnectOpts) {
    this.socket = connectSocket({ ...options, allowHalfOpen: true })
    this.socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake()
    })
    const ended = () => {
      this.#hasEnded = true
      this.#wake()
    }
    this.socket
      .on('end', ended)
      .on('close', ended)
      .on('error', () => {})
  }

  send(...parts: (string | Uint8Array)[]): void {
    for (const part of parts) this.socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part)
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

export function pub(topic: string, body: string | Uint8Array): Buffer {
  const bytes = Buffer.from(body)
  const size = Buffer.alloc(4)
  size.writeInt32BE(bytes.length)
  return Buffer.concat([Buffer.from(`PUB ${topic}\n`), size, bytes])
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
