import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { eventually } from '../support/eventually.js'
import { HttpClient } from '../support/http-client.js'
import { lastingPorts } from '../support/lasting-ports.js'
import { Program } from '../support/program.js'

const SPILLWAY = fileURLToPath(new URL('../../../packages/cli/bin/spillway.js', import.meta.url))
const SYNC_RECORDER = new URL('./sync-recorder.js', import.meta.url)
const LISTENING_LIMIT_MS = 30_000
/** Longer than any life: whatever comes again without a crash is then wrong. */
const MSG_TIMEOUT_MS = 600_000

/** The storage under test, as a configuration file names it. */
export interface StorageUse {
  readonly use: string
  readonly options: Readonly<Record<string, unknown>>
}

export interface BrokerSetup {
  /** Where the configuration, the data and the record of syncs are; it must exist. */
  readonly directory: string
  readonly storage: StorageUse
  /** Whether the broker's syncs are recorded, so that the rest can be dropped. */
  readonly recordsSyncs: boolean
}

/** One data path and two ports, and the broker processes that have them one after the other. */
export class BrokerProcess {
  readonly dataPath: string
  /** Written by the broker when syncs are recorded. */
  readonly syncRecordPath: string
  readonly tcpPort: number
  readonly http: HttpClient
  readonly #configPath: string
  readonly #httpPort: number
  readonly #recordsSyncs: boolean
  #program: Program | null = null

  private constructor(setup: BrokerSetup, tcpPort: number, httpPort: number) {
    this.tcpPort = tcpPort
    this.http = new HttpClient({ host: '127.0.0.1', port: httpPort })
    this.dataPath = join(setup.directory, 'data')
    this.syncRecordPath = join(setup.directory, 'syncs')
    this.#httpPort = httpPort
    this.#recordsSyncs = setup.recordsSyncs
    this.#configPath = join(setup.directory, 'spillway.json')
    mkdirSync(this.dataPath, { recursive: true })
    const config = {
      node: { dataPath: this.dataPath, msgTimeoutMs: MSG_TIMEOUT_MS },
      storage: setup.storage,
      transports: [
        { use: '@spillway/transport-tcp', options: { address: `127.0.0.1:${tcpPort}` } },
        { use: '@spillway/transport-http', options: { address: `127.0.0.1:${httpPort}` } },
      ],
    }
    writeFileSync(this.#configPath, `${JSON.stringify(config, null, 2)}\n`)
  }

  static async prepare(setup: BrokerSetup): Promise<BrokerProcess> {
    const [tcpPort = 0, httpPort = 0] = await lastingPorts(2)
    return new BrokerProcess(setup, tcpPort, httpPort)
  }

  /** Starts a process, and does not wait for it. The delay of syncs has an effect only when they are recorded. */
  spawn(syncDelayMs = 0): void {
    const env: Record<string, string> = this.#recordsSyncs
      ? {
          NODE_OPTIONS: `--import ${SYNC_RECORDER.href}`,
          SPILLWAY_TEST_SYNC_RECORD: this.syncRecordPath,
          SPILLWAY_TEST_SYNC_DELAY_MS: String(syncDelayMs),
        }
      : {}
    const args = [SPILLWAY, 'start', '--config', this.#configPath]
    this.#program = new Program({ command: process.execPath, args, env })
  }

  /** Starts a process; returns how long it took until both listeners accepted. Rejects when it ends instead. */
  async start(syncDelayMs = 0): Promise<number> {
    const startedAtMs = performance.now()
    this.spawn(syncDelayMs)
    await this.#accepts(this.tcpPort)
    await this.#accepts(this.#httpPort)
    return performance.now() - startedAtMs
  }

  /** kill -9; returns when the process is gone. */
  async kill(): Promise<void> {
    const program = this.#program
    if (program === null) return
    this.#program = null
    if (program.exit === undefined) program.signal('SIGKILL')
    await program.exited
  }

  /** How it has ended, if it has ended by itself. */
  get unexpectedExit(): string | null {
    const exit = this.#program?.exit
    return exit === undefined ? null : `${JSON.stringify(exit)}\n${this.output}`
  }

  /** The end of what the current process has written. */
  get output(): string {
    const { stdout = '', stderr = '' } = this.#program ?? {}
    return `${stdout}${stderr}`.slice(-4000)
  }

  async #accepts(port: number): Promise<void> {
    const program = this.#program
    const accepted = await eventually(
      async () => {
        // That it has ended is an answer too: there is nothing left to wait for.
        if (program === null || program.exit !== undefined) return false
        const socket = connect({ host: '127.0.0.1', port })
        try {
          await once(socket, 'connect')
          return true
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error
          return undefined
        } finally {
          socket.destroy()
        }
      },
      LISTENING_LIMIT_MS,
      `a listener at port ${port}`,
    )
    if (!accepted) throw new Error(`the broker ended before it listened: ${this.unexpectedExit}`)
  }
}
