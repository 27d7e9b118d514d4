import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Producer } from '@spillway/client'
import { eventually } from '../support/eventually.js'
import { OurPrograms } from '../support/our-programs.js'
import type { Exit, Program } from '../support/program.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import { within } from '../support/within.js'

export const LIMIT_MS = 8_000
const NOTHING = { message_count: 0, depth: 0, in_flight_count: 0, deferred_count: 0 }

export interface ToolEnd extends Exit {
  readonly stdout: string
  readonly stderr: string
}

/** One of our tools against one of our brokers; what a test leaves running is killed after it. */
export class ToolSuite {
  readonly #name: string
  readonly #programs = new OurPrograms()
  #broker: RunningBroker | null = null
  #producer: Producer | null = null
  /** Of each test; removed after it. */
  folder = ''

  /** Inside a `describe`. */
  constructor(name: string) {
    this.#name = name
    before(async () => {
      this.#broker = await startBroker()
      this.#producer = new Producer({ address: this.#broker.tcpAddress })
    })
    after(async () => {
      await this.#producer?.close()
      await this.#broker?.stop()
    })
    beforeEach(async () => {
      this.folder = await mkdtemp(join(tmpdir(), 'spillway-tool-'))
    })
    afterEach(async () => {
      this.#programs.killForgotten()
      await rm(this.folder, { recursive: true, force: true })
    })
  }

  get broker(): RunningBroker {
    if (this.#broker === null) throw new Error('not started')
    return this.#broker
  }

  get direct(): string {
    return `--nsqd-tcp-address=${this.broker.tcpAddress}`
  }

  async publish(topic: string, bodies: readonly string[]): Promise<void> {
    await this.#producer?.publishMany(topic, bodies)
  }

  start(...args: readonly string[]): Program {
    return this.#programs.start(this.#name, args)
  }

  /** To its end. */
  async run(...args: readonly string[]): Promise<ToolEnd> {
    const program = this.start(...args)
    const exit = await within(program.exited, LIMIT_MS, `the end of ${this.#name}`)
    return { ...exit, stdout: program.stdout, stderr: program.stderr }
  }

  async counts(topic: string, channel: string): Promise<{ finished: number; left: number; inFlight: number }> {
    const stats = (await this.broker.http.channelStats(topic, channel)) ?? NOTHING
    const left = stats.depth + stats.in_flight_count + stats.deferred_count
    return { finished: stats.message_count - left, left, inFlight: stats.in_flight_count }
  }

  /** Resolves once so many messages are finished, at least. */
  async finished(topic: string, channel: string, count: number): Promise<void> {
    await eventually(
      async () => ((await this.counts(topic, channel)).finished >= count ? true : undefined),
      LIMIT_MS,
      `${count} messages of ${topic}/${channel} finished`,
    )
  }
}

/** `message 0` and on. */
export const numbered = (count: number): string[] => Array.from({ length: count }, (_, number) => `message ${number}`)
