import { setTimeout as sleep } from 'node:timers/promises'
import { Connection, type StreamChange } from './connection.js'
import { Consumer, type LatencySink, type Requeueing } from './consumer.js'
import type { Ledger } from './ledger.js'
import { Publisher, prepareCommand, Serials } from './publisher.js'
import type { RunningSubject } from './subject.js'

/** A run that makes no progress for this long has lost messages. */
const SILENCE_MS_MAX = 20_000
/** After the last message, this long is waited for one too many. */
const LINGER_MS = 100
const REACHED_POLL_MS = 2

/** Draws what sets the messages and topics of one run apart from others. */
export const drawTag = (): number => Math.floor(Math.random() * 0x7fffffff)

/** Waits for `done`; fails when a connection fails, or when `progressCount` stands still. */
export async function whileAlive<T>(
  connections: readonly Connection[],
  progressCount: () => number,
  done: Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const trouble = new Promise<never>((_, reject) => {
    for (const connection of connections) connection.onFailure = reject
    let before = -1
    timer = setInterval(() => {
      const now = progressCount()
      if (now === before) reject(new Error(`nothing happened for ${SILENCE_MS_MAX / 1000} s, after ${now} messages`))
      before = now
    }, SILENCE_MS_MAX)
  })
  try {
    return await Promise.race([done, trouble])
  } finally {
    clearInterval(timer)
  }
}

export interface PublishOptions {
  readonly topic: string
  readonly tag: number
  readonly bodySizeBytes: number
  readonly messageCount: number
  /** Serial number of the first message: 0 when absent. */
  readonly firstSerial?: number
  readonly connectionCount: number
  /** Messages in one command; 1 sends PUB, more MPUB. */
  readonly batchCount: number
}

/** Publishers that are connected and wait for {@link Publishing.run}. */
export class Publishing {
  readonly #connections: Connection[]
  readonly #options: PublishOptions

  private constructor(connections: Connection[], options: PublishOptions) {
    this.#connections = connections
    this.#options = options
  }

  static async open(subject: Pick<RunningSubject, 'tcpPort'>, options: PublishOptions): Promise<Publishing> {
    const opening = Array.from({ length: options.connectionCount }, () => Connection.open(subject.tcpPort))
    return new Publishing(await Promise.all(opening), options)
  }

  /** Publishes everything, and returns how long it took from the first command to the last `OK`. */
  async run(): Promise<number> {
    const { messageCount, batchCount, firstSerial } = this.#options
    const serials = new Serials(firstSerial ?? 0, messageCount)
    const startedAtMs = performance.now()
    let endedAtMs = 0
    const done = new Promise<void>((resolve) => {
      const finish = () => {
        endedAtMs = performance.now()
        resolve()
      }
      for (const connection of this.#connections) {
        const command = prepareCommand({ ...this.#options, count: batchCount })
        new Publisher(connection, command, serials, finish).send()
      }
    })
    await whileAlive(this.#connections, () => serials.acknowledgedCount, done)
    for (const connection of this.#connections) connection.close()
    return endedAtMs - startedAtMs
  }
}

export interface ConsumeOptions {
  readonly topic: string
  readonly channel: string
  readonly connectionCount: number
  readonly ready: number
  readonly ledger: Ledger
  readonly latency?: LatencySink
  readonly requeueing?: Requeueing
  readonly identify?: Readonly<Record<string, unknown>>
  readonly change?: StreamChange
}

/** Consumers of one channel that are subscribed and wait for {@link Consuming.run}. */
export class Consuming {
  readonly #connections: Connection[]
  readonly #options: ConsumeOptions

  private constructor(connections: Connection[], options: ConsumeOptions) {
    this.#connections = connections
    this.#options = options
  }

  /** Subscribes, which creates topic and channel; nothing is delivered yet. */
  static async open(subject: Pick<RunningSubject, 'tcpPort'>, options: ConsumeOptions): Promise<Consuming> {
    const opening = Array.from({ length: options.connectionCount }, async () => {
      const connection = await Connection.open(subject.tcpPort, options.identify, options.change)
      await connection.subscribe(options.topic, options.channel)
      return connection
    })
    return new Consuming(await Promise.all(opening), options)
  }

  /** Receives and finishes every message that the ledger expects, and returns how long that took. */
  async run(): Promise<number> {
    const { ledger } = this.#options
    const startedAtMs = performance.now()
    let endedAtMs = 0
    const done = new Promise<void>((resolve) => {
      this.#begin(() => {
        endedAtMs = performance.now()
        resolve()
      })
    })
    await whileAlive(this.#connections, () => ledger.receivedCount, done)
    await sleep(LINGER_MS)
    this.close()
    return endedAtMs - startedAtMs
  }

  /** Runs consumers of several channels that share one ledger. */
  static async runAll(all: readonly Consuming[], ledger: Ledger): Promise<void> {
    const connections = all.flatMap((one) => one.#connections)
    const done = new Promise<void>((resolve) => {
      for (const one of all) one.#begin(resolve)
    })
    await whileAlive(connections, () => ledger.receivedCount, done)
    await sleep(LINGER_MS)
    for (const one of all) one.close()
  }

  /** Goes on until the ledger has so many messages, and then until {@link close}, or until the broker is killed. */
  async runUntil(receivedCount: number): Promise<void> {
    const { ledger } = this.#options
    let timer: NodeJS.Timeout | undefined
    const reached = new Promise<void>((resolve) => {
      timer = setInterval(() => {
        if (ledger.receivedCount >= receivedCount) resolve()
      }, REACHED_POLL_MS)
    })
    this.#begin(() => undefined)
    try {
      await whileAlive(this.#connections, () => ledger.receivedCount, reached)
    } finally {
      clearInterval(timer)
    }
    for (const connection of this.#connections) connection.onFailure = () => undefined
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
  }

  #begin(complete: () => void): void {
    const { ledger, ready, latency, requeueing } = this.#options
    for (const connection of this.#connections) new Consumer(connection, ledger, complete, { latency, requeueing })
    for (const connection of this.#connections) connection.setReady(ready)
  }
}

/** Processor time of the broker and of this client over a stretch of work. */
export class CpuMeter {
  readonly #subject: RunningSubject
  readonly #brokerMs: number
  readonly #client: NodeJS.CpuUsage

  constructor(subject: RunningSubject) {
    this.#subject = subject
    this.#brokerMs = subject.process.readCpuMs()
    this.#client = process.cpuUsage()
  }

  /** Milliseconds that the broker has worked since. */
  brokerMs(): number {
    return this.#subject.process.readCpuMs() - this.#brokerMs
  }

  /** Share of one processor that this process has used over `elapsedMs`. */
  clientLoad(elapsedMs: number): number {
    const { user, system } = process.cpuUsage(this.#client)
    return (user + system) / 1000 / elapsedMs
  }
}

/** Seconds per million messages from milliseconds for `messageCount`. */
export const perMillion = (cpuMs: number, messageCount: number): number => (cpuMs * 1000) / messageCount
export const perSecond = (messageCount: number, elapsedMs: number): number => (messageCount * 1000) / elapsedMs
