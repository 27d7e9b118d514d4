import { eventually } from '../support/eventually.js'
import { HttpClient } from '../support/http-client.js'
import { lastingPorts } from '../support/lasting-ports.js'
import type { Program } from '../support/program.js'
import type { NsqPrograms } from './nsq-programs.js'

const LIMIT_MS = 10_000

/** A running nsqlookupd of NSQ's. */
export class NsqLookupd {
  readonly tcpAddress: string
  readonly httpAddress: string
  readonly http: HttpClient
  readonly #programs: NsqPrograms
  #program: Program | null = null

  private constructor(programs: NsqPrograms, tcpPort: number, httpPort: number) {
    this.#programs = programs
    this.tcpAddress = `127.0.0.1:${tcpPort}`
    this.httpAddress = `127.0.0.1:${httpPort}`
    this.http = new HttpClient({ host: '127.0.0.1', port: httpPort })
  }

  static async start(programs: NsqPrograms): Promise<NsqLookupd> {
    const [tcpPort = 0, httpPort = 0] = await lastingPorts(2)
    const lookupd = new NsqLookupd(programs, tcpPort, httpPort)
    await lookupd.start()
    return lookupd
  }

  /** On the ports that it has. */
  async start(): Promise<void> {
    const addresses = [`--tcp-address=${this.tcpAddress}`, `--http-address=${this.httpAddress}`]
    this.#program = this.#programs.start('nsqlookupd', [...addresses, '--broadcast-address=127.0.0.1'])
    await eventually(
      async () => ((await this.http.get('/ping')).text === 'OK' ? true : undefined),
      LIMIT_MS,
      'nsqlookupd',
    )
  }

  /** As the machine's crash would be: SIGKILL. */
  async kill(): Promise<void> {
    this.#program?.signal('SIGKILL')
    await this.#program?.exited
  }

  async stop(): Promise<void> {
    if (this.#program?.exit === undefined) await this.#program?.stop()
  }

  /** What is registered of a topic, with the HTTP ports of the nodes: `topic`, and `channel/NAME`. */
  async registrations(topic: string): Promise<Record<string, number[]>> {
    const { text } = await this.http.get('/debug')
    const all = JSON.parse(text) as Record<string, { http_port: number }[]>
    const found: Record<string, number[]> = {}
    for (const [key, producers] of Object.entries(all)) {
      const [category, name, channel] = key.split(':')
      if (name !== topic || category === 'client') continue
      const ports = producers.map(({ http_port }) => http_port).sort((a, b) => a - b)
      found[category === 'topic' ? 'topic' : `channel/${channel}`] = ports
    }
    return found
  }

  /** Resolves when exactly this is registered of a topic. */
  async has(topic: string, expected: Readonly<Record<string, number[]>>): Promise<void> {
    const wanted = sorted(expected)
    let last = ''
    try {
      await eventually(
        async () => {
          last = sorted(await this.registrations(topic))
          return last === wanted ? true : undefined
        },
        LIMIT_MS,
        wanted,
      )
    } catch (error) {
      throw new Error(`registered of ${topic}: ${last}`, { cause: error })
    }
  }
}

function sorted(registrations: Readonly<Record<string, number[]>>): string {
  return JSON.stringify(Object.entries(registrations).sort(([a], [b]) => (a < b ? -1 : 1)))
}
