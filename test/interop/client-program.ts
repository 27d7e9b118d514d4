import { type Command, Program } from '../support/program.js'
import type { RunningBroker } from '../support/start-broker.js'
import { within } from '../support/within.js'
import { PLAIN, type Way } from './ways.js'

const CONNECTED = 'connected'

export interface ScenarioOptions {
  readonly topic: string
  readonly channel: string
  readonly messageCount?: number
  readonly msgTimeoutMs?: number
  /** Bounds each wait inside the program. */
  readonly limitMs?: number
  /** Plain without it. */
  readonly way?: Way
  /** Of the nsqlookupd that knows the brokers, for a scenario that asks one. */
  readonly lookupdHttpAddress?: string
}

/** Where a program finds its only broker; empty where it asks an nsqlookupd. */
type BrokerAddresses = Pick<RunningBroker, 'tcpAddress' | 'httpAddress'>

/** One run of a program that is built on a client library of another language; see `go/main.go` for what it promises. */
export class ClientProgram {
  readonly #program: Program
  readonly #limitMs: number

  constructor(command: Command, scenario: string, broker: BrokerAddresses, options: ScenarioOptions) {
    this.#limitMs = options.limitMs ?? 20_000
    const { tls, compression, secret } = options.way ?? PLAIN
    const flags = [
      `--scenario=${scenario}`,
      `--tcp-address=${broker.tcpAddress}`,
      `--http-address=${broker.httpAddress}`,
      `--topic=${options.topic}`,
      `--channel=${options.channel}`,
      `--messages=${options.messageCount ?? 0}`,
      `--msg-timeout-ms=${options.msgTimeoutMs ?? 60_000}`,
      `--limit-ms=${this.#limitMs}`,
      `--compression=${compression}`,
      `--auth-secret=${secret}`,
      `--lookupd-http-address=${options.lookupdHttpAddress ?? ''}`,
      ...(tls ? ['--tls'] : []),
    ]
    this.#program = new Program({ ...command, args: [...command.args, ...flags] })
  }

  /** One that asks nsqlookupd, and prints the body of every message until it is ended. */
  static ofCluster(command: Command, lookupdHttpAddress: string, options: ScenarioOptions): ClientProgram {
    return new ClientProgram(
      command,
      'cluster',
      { tcpAddress: '', httpAddress: '' },
      { ...options, lookupdHttpAddress },
    )
  }

  /** Gives each body that it prints to `take`. */
  onBody(take: (body: string) => void): void {
    this.#program.onLine((line) => {
      if (line !== CONNECTED) take(line)
    })
  }

  async end(): Promise<void> {
    await this.#program.stop()
  }

  /** Resolves when the program says that it has connected. */
  async connected(): Promise<void> {
    await this.#program.line(CONNECTED, this.#limitMs)
  }

  /** What the program printed when it ended well; rejects with what it complained of otherwise. */
  async result(): Promise<unknown> {
    const { code } = await within(this.#program.exited, 3 * this.#limitMs, 'the end of the program')
    if (code !== 0) throw new Error(`exit ${code}: ${this.#program.stderr}`)
    return JSON.parse(this.#program.stdout.trim().split('\n').at(-1) ?? '')
  }
}
