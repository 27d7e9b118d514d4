import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './eventually.js'
import { HttpClient } from './http-client.js'
import { lastingPorts } from './lasting-ports.js'
import { nsqdCommand } from './nsqd-command.js'
import { Program } from './program.js'

const START_LIMIT_MS = 60_000

/** An `nsqd` that can be killed and started again where it was: on its ports and its data path. */
export class RestartableBroker {
  readonly #flags: readonly string[]
  readonly #directory: string
  readonly #ports: readonly [tcp: number, http: number]
  #program: Program | null = null

  private constructor(directory: string, ports: readonly [tcp: number, http: number], flags: readonly string[]) {
    this.#directory = directory
    this.#ports = ports
    this.#flags = [
      `--tcp-address=127.0.0.1:${ports[0]}`,
      `--http-address=127.0.0.1:${ports[1]}`,
      `--data-path=${directory}`,
      ...flags,
    ]
  }

  static async start(flags: readonly string[] = []): Promise<RestartableBroker> {
    const directory = await mkdtemp(join(tmpdir(), 'spillway-test-'))
    const broker = new RestartableBroker(directory, await tcpAndHttp(), flags)
    await broker.start()
    return broker
  }

  get address(): string {
    return `127.0.0.1:${this.#ports[0]}`
  }

  get http(): HttpClient {
    return new HttpClient({ host: '127.0.0.1', port: this.#ports[1] })
  }

  async start(): Promise<void> {
    const program = new Program(nsqdCommand(this.#flags))
    this.#program = program
    // HTTP is the second of the two to listen.
    await eventually(
      async () => {
        program.assertRunning()
        return (await this.http.get('/ping')).status === 200 ? true : undefined
      },
      START_LIMIT_MS,
      `an answer from ${this.address}`,
    )
  }

  async kill(): Promise<void> {
    this.#program?.signal('SIGKILL')
    await this.#program?.exited
  }

  async discard(): Promise<void> {
    await this.kill()
    await rm(this.#directory, { recursive: true, force: true })
  }
}

async function tcpAndHttp(): Promise<[tcp: number, http: number]> {
  const [tcp, http] = await lastingPorts(2)
  return [tcp, http]
}
