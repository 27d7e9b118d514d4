import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.js'
import { HttpClient } from './http-client.js'
import { type Exit, Program } from './program.js'

const OURS = fileURLToPath(new URL('../../../packages/cli/bin/nsqlookupd.js', import.meta.url))
const LIMIT_MS = 10_000
const HOST = '127.0.0.1'

/** HTTP ports of the nodes that are registered for a topic, by `topic` and `channel/NAME`. */
export type Registered = Readonly<Record<string, readonly number[]>>

export interface NsqlookupdOptions {
  readonly flags?: readonly string[]
  /** Of NSQ's nsqlookupd; without it, ours is started. */
  readonly executable?: string | undefined
  /** For TCP and HTTP. Without them they are free ones, which somebody else may have while it is away. */
  readonly ports?: readonly number[]
}

/** Starts an nsqlookupd, which accepts connections then. */
export async function startNsqlookupd(options: NsqlookupdOptions = {}): Promise<RunningLookupd> {
  const program = startProgram(options)
  const ports = [await portOf(program, 'TCP'), await portOf(program, 'HTTP')] as const
  return new RunningLookupd(program, options, ports)
}

/** An `nsqlookupd` process. */
export class RunningLookupd {
  readonly tcpPort: number
  /** Where brokers register: `host:port`. */
  readonly tcpAddress: string
  readonly httpPort: number
  readonly httpAddress: string
  readonly http: HttpClient
  readonly #options: NsqlookupdOptions
  #program: Program

  constructor(program: Program, options: NsqlookupdOptions, [tcpPort, httpPort]: readonly [number, number]) {
    this.tcpPort = tcpPort
    this.tcpAddress = `${HOST}:${tcpPort}`
    this.httpPort = httpPort
    this.httpAddress = `${HOST}:${httpPort}`
    this.http = new HttpClient({ host: HOST, port: httpPort })
    this.#options = options
    this.#program = program
  }

  /** SIGTERM, then the end of the process. May be called again. */
  async stop(): Promise<Exit> {
    return this.#program.exit ?? (await this.#program.stop())
  }

  /** As the machine's crash would be: SIGKILL. */
  async kill(): Promise<void> {
    this.#program.signal('SIGKILL')
    await this.#program.exited
  }

  /** On the ports that it had. */
  async startAgain(): Promise<void> {
    this.#program = startProgram({ ...this.#options, ports: [this.tcpPort, this.httpPort] })
    await portOf(this.#program, 'TCP')
    await portOf(this.#program, 'HTTP')
  }

  /** Resolves when exactly this is registered of a topic. */
  async has(topic: string, expected: Registered): Promise<void> {
    const wanted = sorted(expected)
    let last = ''
    try {
      await eventually(
        async () => {
          last = sorted(await this.#registered(topic))
          return last === wanted ? true : undefined
        },
        LIMIT_MS,
        wanted,
      )
    } catch (error) {
      throw new Error(`registered of ${topic}: ${last}`, { cause: error })
    }
  }

  async #registered(topic: string): Promise<Registered> {
    const { text } = await this.http.get('/debug')
    const found: Record<string, number[]> = {}
    for (const [key, producers] of Object.entries(JSON.parse(text) as Record<string, { http_port: number }[]>)) {
      const [category, name, channel] = key.split(':')
      if (name !== topic || category === 'client') continue
      const ports = producers.map(({ http_port }) => http_port).sort((a, b) => a - b)
      found[category === 'topic' ? 'topic' : `channel/${channel}`] = ports
    }
    return found
  }
}

function startProgram({ flags = [], executable, ports: [tcpPort = 0, httpPort = 0] = [] }: NsqlookupdOptions): Program {
  const addresses = [`--tcp-address=${HOST}:${tcpPort}`, `--http-address=${HOST}:${httpPort}`]
  const args = [...addresses, `--broadcast-address=${HOST}`, ...flags]
  return new Program(
    executable === undefined ? { command: process.execPath, args: [OURS, ...args] } : { command: executable, args },
  )
}

/** Where it says that it listens, once it does. */
function portOf(program: Program, protocol: 'TCP' | 'HTTP'): Promise<number> {
  return eventually(
    () => {
      program.assertRunning()
      const port = new RegExp(`${protocol}: listening on 127\\.0\\.0\\.1:(\\d+)`).exec(program.stderr)?.[1]
      return port === undefined ? undefined : Number(port)
    },
    LIMIT_MS,
    `nsqlookupd's ${protocol} listener`,
  )
}

function sorted(registered: Registered): string {
  return JSON.stringify(Object.entries(registered).sort(([a], [b]) => (a < b ? -1 : 1)))
}
