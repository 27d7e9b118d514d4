import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.js'
import { HttpClient } from './http-client.js'
import { lastingPorts } from './lasting-ports.js'
import { type Exit, Program } from './program.js'
import { RawClient } from './raw-client.js'

/** The program. */
export const SPILLWAY = fileURLToPath(new URL('../../../packages/cli/bin/spillway.js', import.meta.url))
const START_LIMIT_MS = 60_000
const HOST = '127.0.0.1'

export interface SpillwaySetup {
  readonly dataPath: string
  /** Of RocksDB storage. */
  readonly storage?: Readonly<Record<string, unknown>>
  readonly node?: Readonly<Record<string, unknown>>
  readonly discovery?: readonly { readonly use: string; readonly options: object }[]
  /** A program and its arguments that the broker is started with, `prlimit` say. */
  readonly launcher?: readonly string[]
}

/** `spillway start` on a data path of the test's, with RocksDB storage. */
export class SpillwayBroker {
  readonly program: Program
  readonly http: HttpClient
  readonly #tcpPort: number
  readonly #httpPort: number
  readonly #folder: string

  private constructor(program: Program, folder: string, tcpPort: number, httpPort: number) {
    this.program = program
    this.#folder = folder
    this.#tcpPort = tcpPort
    this.#httpPort = httpPort
    this.http = new HttpClient({ host: HOST, port: httpPort })
  }

  /** Starts it, and does not wait. */
  static async launch(setup: SpillwaySetup): Promise<SpillwayBroker> {
    const [tcpPort = 0, httpPort = 0] = await lastingPorts(2)
    const folder = mkdtempSync(join(tmpdir(), 'spillway-config-'))
    const config = {
      node: { dataPath: setup.dataPath, ...setup.node },
      storage: {
        use: '@spillway/storage-rocksdb',
        options: { freeDiskBytesMin: 0, ballastSizeBytes: 0, ...setup.storage },
      },
      transports: [
        { use: '@spillway/transport-tcp', options: { address: `${HOST}:${tcpPort}` } },
        { use: '@spillway/transport-http', options: { address: `${HOST}:${httpPort}` } },
      ],
      discovery: setup.discovery ?? [],
    }
    const path = join(folder, 'spillway.json')
    writeFileSync(path, JSON.stringify(config))
    const start = [process.execPath, SPILLWAY, 'start', '--config', path, '--log-format=text']
    const [command, ...args] = [...(setup.launcher ?? []), ...start]
    return new SpillwayBroker(new Program({ command, args }), folder, tcpPort, httpPort)
  }

  /** Starts it, and waits until it accepts. @throws Error when it ends instead */
  static async start(setup: SpillwaySetup): Promise<SpillwayBroker> {
    const broker = await SpillwayBroker.launch(setup)
    try {
      for (const port of [broker.#tcpPort, broker.#httpPort]) await broker.#accepts(port)
    } catch (error) {
      broker.discard()
      throw error
    }
    return broker
  }

  async #accepts(port: number): Promise<void> {
    const outcome = await eventually(() => this.#tryOnce(port), START_LIMIT_MS, `a listener at ${port}`)
    if (outcome instanceof Error) throw outcome
  }

  /** Rejects when there is nobody yet; an answer, good or bad, is final. */
  async #tryOnce(port: number): Promise<'accepted' | Error> {
    if (this.program.exit !== undefined) return new Error(`it ended: ${this.program.stderr}`)
    const socket = connect({ host: HOST, port })
    try {
      await once(socket, 'connect')
      return 'accepted'
    } finally {
      socket.destroy()
    }
  }

  connect(): Promise<RawClient> {
    return RawClient.connect({ host: HOST, port: this.#tcpPort })
  }

  /** SIGTERM, and the end. */
  async stop(): Promise<Exit> {
    const exit = this.program.exit ?? (await this.program.stop())
    this.discard()
    return exit
  }

  async kill(): Promise<void> {
    this.program.signal('SIGKILL')
    await this.program.exited
    this.discard()
  }

  /** Whatever state it is in: nothing of it is left. */
  discard(): void {
    if (this.program.exit === undefined) this.program.signal('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
