import { AuthServer } from '../interop/auth-server.js'
import { lastingPorts } from '../support/lasting-ports.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import type { Case } from './case.js'
import { Credentials } from './credentials.js'
import type { Place } from './player.js'

/** In flags: the address of an auth server, and a free one. */
const AUTH_PLACE = '{auth}'
const HTTPS_PLACE = '{https}'

/** Certificates and an auth server, for all brokers of a run: their clients have to do with the same. */
export class Surroundings {
  #credentials: Promise<Credentials> | null = null
  /** Runs as soon as flags ask for it. */
  #auth: Promise<AuthServer> | null = null

  get credentials(): Promise<Credentials> {
    this.#credentials ??= Credentials.make()
    return this.#credentials
  }

  async authAddress(): Promise<string> {
    this.#auth ??= AuthServer.start()
    return (await this.#auth).address
  }

  async stop(): Promise<void> {
    await (await this.#credentials)?.remove()
    await (await this.#auth)?.stop()
  }
}

/** One broker for all cases that want the same flags. */
export class Brokers {
  readonly #running = new Map<string, Promise<{ broker: RunningBroker; place: Place }>>()
  readonly #surroundings: Surroundings
  readonly #command: string | undefined

  /** @param command - another nsqd than ours */
  constructor(surroundings: Surroundings, command?: string) {
    this.#surroundings = surroundings
    this.#command = command
  }

  async placeFor({ flags = [] }: Pick<Case, 'flags'>): Promise<Place> {
    const name = flags.join(' ')
    let running = this.#running.get(name)
    if (running === undefined) {
      running = this.#start(flags)
      this.#running.set(name, running)
    }
    return (await running).place
  }

  /** @throws Error with what it wrote, when one has ended */
  async assertRunning(): Promise<void> {
    for (const running of this.#running.values()) (await running).broker.program.assertRunning()
  }

  async #start(flags: readonly string[]): Promise<{ broker: RunningBroker; place: Place }> {
    const credentials = await this.#surroundings.credentials
    const usesHttps = flags.some((flag) => flag.includes(HTTPS_PLACE))
    const [httpsPort] = usesHttps ? await lastingPorts(1) : [0]
    const given = ['--log-level=fatal']
    for (const flag of flags) {
      const auth = flag.includes(AUTH_PLACE) ? await this.#surroundings.authAddress() : ''
      given.push(credentials.fill(flag).replace(AUTH_PLACE, auth).replace(HTTPS_PLACE, `127.0.0.1:${httpsPort}`))
    }
    const command = this.#command === undefined ? {} : { command: this.#command }
    const broker = await startBroker({ flags: given, ...command })
    return { broker, place: { tcpPort: broker.tcpPort, httpPort: broker.httpPort, httpsPort, credentials } }
  }

  async stop(): Promise<void> {
    for (const running of this.#running.values()) await (await running).broker.stop()
    this.#running.clear()
  }
}
