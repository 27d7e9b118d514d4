import { AuthServer } from '../interop/auth-server.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import type { Case } from './case.js'
import type { Place } from './player.js'

/** In flags: the address of an auth server. */
const AUTH_PLACE = '{auth}'

/** One broker for all cases that want the same flags. */
export class Brokers {
  readonly #running = new Map<string, Promise<RunningBroker>>()
  readonly #command: string | undefined
  /** Runs as soon as flags ask for it. */
  #auth: Promise<AuthServer> | null = null

  /** @param command - another nsqd than ours */
  constructor(command?: string) {
    this.#command = command
  }

  async placeFor({ flags = [] }: Case): Promise<Place> {
    const name = flags.join(' ')
    let running = this.#running.get(name)
    if (running === undefined) {
      running = this.#start(flags)
      this.#running.set(name, running)
    }
    const { tcpPort, httpPort } = await running
    return { tcpPort, httpPort }
  }

  async #start(flags: readonly string[]): Promise<RunningBroker> {
    if (flags.some((flag) => flag.includes(AUTH_PLACE))) this.#auth ??= AuthServer.start()
    const authAddress = (await this.#auth)?.address ?? ''
    const given = ['--log-level=fatal', ...flags.map((flag) => flag.replace(AUTH_PLACE, authAddress))]
    return startBroker({ flags: given, ...(this.#command === undefined ? {} : { command: this.#command }) })
  }

  async stop(): Promise<void> {
    for (const running of this.#running.values()) await (await running).stop()
    this.#running.clear()
    await (await this.#auth)?.stop()
    this.#auth = null
  }
}
