import { createSocket, type Socket } from 'node:dgram'
import { BrokerError, type Logger, parseHostAndPort } from '@spillway/core'

/** Finds the IP address of a host, as `lookup` of `node:dns/promises` does. */
export type Lookup = (host: string) => Promise<{ readonly address: string; readonly family: number }>

/** The statsd daemon, as far as UDP knows of it. That it is not there is logged once, and costs nothing else. */
export class Destination {
  readonly #address: string
  readonly #host: string
  readonly #port: number
  readonly #lookup: Lookup
  readonly #logger: Logger
  /** Its IP address, once it was found. */
  #ip: string | null = null
  #socket: Socket | null = null
  #family = 0
  #isClosed = false
  #unsentCount = 0
  #wake: (() => void) | null = null
  /** Since the host was looked up last; and whether there were any before. */
  #failureCount = 0
  #isKnownToFail = false

  /** @throws BrokerError `E_INVALID_OPTION` when the address is none */
  constructor(address: string, lookup: Lookup, logger: Logger) {
    const parts = parseHostAndPort(address)
    if (parts === null) {
      throw new BrokerError(
        'E_INVALID_OPTION',
        `reporter-statsd: address ${JSON.stringify(address)}, expected host:port with a port from 1 to 65535`,
      )
    }
    this.#address = address
    this.#host = parts.host === '' ? '127.0.0.1' : parts.host
    this.#port = parts.port
    this.#lookup = lookup
    this.#logger = logger
  }

  get isFound(): boolean {
    return this.#ip !== null
  }

  /** Looks the host up, so that packets need not: a name server that does not answer takes its time. @returns whether it was found */
  async find(): Promise<boolean> {
    this.#isKnownToFail = this.#failureCount > 0
    this.#failureCount = 0
    try {
      const { address, family } = await this.#lookup(this.#host)
      if (this.#isClosed) return false
      this.#open(family)
      this.#ip = address
      return true
    } catch (error) {
      this.#failed(error as Error)
      return false
    }
  }

  /** Only after {@link find} has found it. */
  send(packet: string): void {
    const socket = this.#socket
    if (socket === null || this.#ip === null) return
    this.#unsentCount++
    try {
      socket.send(packet, this.#port, this.#ip, this.#sent)
    } catch (error) {
      this.#sent(error as Error)
    }
  }

  /** Resolves when everything has been handed over to the system. */
  async flushed(): Promise<void> {
    if (this.#unsentCount === 0) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true
    const socket = this.#socket
    this.#socket = null
    if (socket !== null) await new Promise<void>((resolve) => socket.close(() => resolve()))
  }

  readonly #sent = (error: Error | null): void => {
    this.#unsentCount--
    if (error !== null) this.#failed(error)
    if (this.#unsentCount > 0) return
    this.#wake?.()
    this.#wake = null
  }

  #open(family: number): void {
    if (this.#socket !== null && this.#family === family) return
    this.#socket?.close()
    this.#family = family
    this.#socket = createSocket(family === 6 ? 'udp6' : 'udp4')
    this.#socket.on('error', (error) => this.#failed(error))
    this.#socket.unref()
  }

  #failed(error: Error): void {
    if (!this.#isKnownToFail && this.#failureCount === 0) {
      this.#logger.error(`statsd at ${this.#address} failed`, { error: error.message })
    }
    this.#failureCount++
  }
}
