import type { LookupFunction } from 'node:net'
import type { Clock, LogFields, Logger, Random, TimerHandle } from '@spillway/core'
import type { ChannelQueries } from './channel-queries.js'
import { type LookupdHttp, parseIdentifyAnswer, quoted } from './identify.js'
import { LookupdConnection } from './lookupd-connection.js'
import type { NsqlookupdOptions } from './options.js'
import { ReconnectDelay } from './reconnect-delay.js'
import type { Registrations } from './registrations.js'

/** Commands that an nsqlookupd has not answered yet; the next ones wait here. */
const UNANSWERED_MAX = 256
/** When there are so few, more are sent: together, for answers come one by one. */
const UNANSWERED_FEW = UNANSWERED_MAX / 2
/** Changes that may wait here for one that is slow. With more it is told from the beginning, over a new connection. */
const CHANGES_MAX = 10_000

/** What all peers share. */
export interface PeerParts {
  readonly options: NsqlookupdOptions
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly registrations: Registrations
  readonly queries: ChannelQueries
  readonly lookup: LookupFunction
  /** IDENTIFY with what this node says of itself. */
  readonly identify: Buffer
}

/**
 * One nsqlookupd, and the connection to it, which is made again for as long as the peer is not closed.
 *
 * ```
 *   connecting ──► identifying ──► telling: topics that are still to be told, then what happens
 *       ▲                                │
 *       └──────── a while later ◄────────┘  anything wrong
 * ```
 *
 * While it is not connected nothing is queued for it: it is told what there is when it is back.
 */
export class LookupdPeer {
  readonly #address: string
  readonly #host: string
  readonly #port: number
  readonly #parts: PeerParts
  readonly #delay: ReconnectDelay
  #connection: LookupdConnection | null = null
  #isIdentified = false
  /** Topics that are still to be told. What happens to one of them is told with it. */
  #untold = new Set<string>()
  /** Goes through them. Each time from the beginning would be past all that were told, once for each. */
  #nextUntold = this.#untold.values()
  /** The rest of the topic that is being told; it goes first. */
  #topicLines: string[] = []
  /** What has happened to topics that are told; it goes before the next topic. */
  #changeLines: string[] = []
  #timer: TimerHandle | null = null
  /** When it had been told everything over this connection; infinite before. */
  #toldMs = Number.POSITIVE_INFINITY
  /** As it said when it answered last, perhaps over an earlier connection. */
  #http: LookupdHttp | null = null
  /** Whether the first try to reach it is over; and who waits for that. */
  #wasTried = false
  #waiters: (() => void)[] = []
  /** What the log says of it at the moment. */
  #logged: 'nothing' | 'registered' | 'failing' = 'nothing'
  #isQueryFailing = false
  #isClosed = false

  constructor(address: string, { host, port }: { readonly host: string; readonly port: number }, parts: PeerParts) {
    this.#address = address
    this.#host = host
    this.#port = port
    this.#parts = parts
    this.#delay = new ReconnectDelay(parts.options.reconnectDelayMsMax, parts.random)
    this.#connect()
  }

  /** Something has happened to a topic: `lines` tell it. */
  tell(topic: string, lines: readonly string[]): void {
    if (!this.#isIdentified || this.#untold.has(topic)) return
    if (this.#changeLines.length >= CHANGES_MAX) {
      this.#connection?.fail(`more than ${CHANGES_MAX} changes wait for it`)
      return
    }
    for (const line of lines) this.#changeLines.push(line)
    this.#send()
  }

  /** The channels that a topic has, as far as it knows; none when it cannot be asked. */
  async channelsOf(topic: string): Promise<readonly string[]> {
    // Where to ask is known only once it has answered: a node that has just started waits for that.
    if (!this.#wasTried) await new Promise<void>((resolve) => this.#waiters.push(resolve))
    if (this.#http === null || this.#isClosed) return []
    try {
      const channels = await this.#parts.queries.ask(this.#http, topic)
      this.#isQueryFailing = false
      return channels
    } catch (error) {
      const { host, port } = this.#http
      if (!this.#isClosed) this.#queryFailed(`at ${host}:${port}`, { topic, error: (error as Error).message })
      return []
    }
  }

  #queryFailed(where: string, fields?: LogFields): void {
    if (!this.#isQueryFailing) this.#parts.logger.warn(`${this.#name}: cannot be asked for channels, ${where}`, fields)
    this.#isQueryFailing = true
  }

  /** Resolves when nothing of it is left. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#tried()
    await this.#connection?.close()
  }

  get #name(): string {
    return `LOOKUPD(${this.#address})`
  }

  #connect(): void {
    const { connectTimeoutMs, answerTimeoutMs } = this.#parts.options
    const connection = new LookupdConnection({
      host: this.#host,
      port: this.#port,
      connectTimeoutMs,
      answerTimeoutMs,
      clock: this.#parts.clock,
      lookup: this.#parts.lookup,
      connected: () => connection.send(this.#parts.identify, 1),
      answered: (text) => this.#answered(connection, text),
      lost: (reason) => this.#lost(reason),
    })
    this.#connection = connection
  }

  #answered(connection: LookupdConnection, text: string): void {
    if (this.#isIdentified) {
      // nsqlookupd ends the connection after an error.
      if (text.startsWith('E_')) connection.fail(`it answered ${quoted(text)}`)
      else if (connection.unansweredCount <= UNANSWERED_FEW) this.#send()
      return
    }
    try {
      this.#http = parseIdentifyAnswer(text)
    } catch (error) {
      connection.fail((error as Error).message)
      return
    }
    if (this.#http === null) this.#queryFailed('for it does not say where')
    this.#isIdentified = true
    this.#untold = new Set(this.#parts.registrations.topics)
    this.#nextUntold = this.#untold.values()
    this.#tried()
    this.#pingLater()
    this.#send()
  }

  #send(): void {
    const connection = this.#connection as LookupdConnection
    let room = UNANSWERED_MAX - connection.unansweredCount
    while (room > 0) {
      if (this.#topicLines.length === 0 && this.#changeLines.length === 0 && !this.#takeTopic()) break
      const next = this.#topicLines.length > 0 ? this.#topicLines : this.#changeLines
      const lines = next.splice(0, room)
      room -= lines.length
      connection.send(lines.join(''), lines.length)
    }
    if (connection.unansweredCount === 0) this.#toldAll()
  }

  /** @returns whether there was one that is still to be told */
  #takeTopic(): boolean {
    const next = this.#nextUntold.next()
    if (next.done) return false
    this.#untold.delete(next.value)
    this.#topicLines = this.#parts.registrations.linesOf(next.value)
    return true
  }

  #toldAll(): void {
    if (this.#logged !== 'registered') this.#parts.logger.info(`${this.#name}: registered`)
    this.#logged = 'registered'
    if (this.#toldMs === Number.POSITIVE_INFINITY) this.#toldMs = this.#parts.clock.monotonicMs()
  }

  #pingLater(): void {
    this.#timer = this.#parts.clock.setTimer(this.#parts.options.pingIntervalMs, () => {
      this.#connection?.send('PING\n', 1)
      this.#pingLater()
    })
  }

  #lost(reason: string): void {
    this.#timer?.cancel()
    this.#isIdentified = false
    this.#untold.clear()
    this.#topicLines = []
    this.#changeLines = []
    this.#tried()
    if (this.#logged !== 'failing') {
      this.#parts.logger.warn(`${this.#name}: this node is not registered, and tries again`, { error: reason })
    }
    this.#logged = 'failing'
    const goodForMs = Math.max(0, this.#parts.clock.monotonicMs() - this.#toldMs)
    this.#toldMs = Number.POSITIVE_INFINITY
    this.#timer = this.#parts.clock.setTimer(this.#delay.next(goodForMs), () => this.#connect())
  }

  #tried(): void {
    this.#wasTried = true
    for (const resolve of this.#waiters) resolve()
    this.#waiters = []
  }
}
