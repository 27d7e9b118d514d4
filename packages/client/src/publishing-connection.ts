import type { Address } from './address.js'
import type { Clock } from './clock.js'
import { Connection, type ConnectionOwner } from './connection.js'
import type { ConnectionSettings } from './connection-options.js'
import { NsqError } from './errors.js'
import { Fifo } from './fifo.js'
import type { Publish } from './publish.js'

const NOP = Buffer.from('NOP\n')

/**
 * Codes that a node gives after it has gone on to later commands of the connection: it answers in order, but stores
 * whenever the storage is ready. All others it gives before it looks at anything behind.
 */
const FOUND_LATE = new Set(['E_PUB_FAILED', 'E_MPUB_FAILED', 'E_DPUB_FAILED'])

export interface InFlightLimits {
  readonly maxInFlight: number
  readonly inFlightBytesMax: number
}

export interface PublishingOwner {
  /** There is room again. */
  answered(): void
  /** Once, last. What was not answered is either surely not taken, or its fate is unknown; both in the order in which they were sent. */
  closed(error: NsqError, untouched: Publish[], unknown: Publish[]): void
}

/** A connection that publishes go over: what was sent is answered in order. */
export class PublishingConnection implements ConnectionOwner {
  readonly connection: Connection
  readonly #clock: Clock
  readonly #limits: InFlightLimits
  readonly #owner: PublishingOwner
  readonly #inFlight = new Fifo<Publish>()
  #inFlightBytes = 0
  #openedMs = 0
  /** The last publish that was answered was refused, and nothing behind it was looked at. */
  #isRestUntouched = false
  hasRefused = false

  constructor(
    address: Address,
    settings: ConnectionSettings,
    limits: InFlightLimits,
    clock: Clock,
    owner: PublishingOwner,
  ) {
    this.#clock = clock
    this.#limits = limits
    this.#owner = owner
    this.connection = new Connection(address, settings, this, clock)
  }

  async open(): Promise<void> {
    await this.connection.open()
    this.#openedMs = this.#clock.nowMs()
  }

  get address(): string {
    return this.connection.address.text
  }

  get openMs(): number {
    return this.#clock.nowMs() - this.#openedMs
  }

  get inFlightCount(): number {
    return this.#inFlight.length
  }

  get oldest(): Publish | undefined {
    return this.#inFlight.peek()
  }

  hasRoomFor(sizeBytes: number): boolean {
    const { maxInFlight, inFlightBytesMax } = this.#limits
    const count = this.#inFlight.length
    return count === 0 || (count < maxInFlight && this.#inFlightBytes + sizeBytes <= inFlightBytesMax)
  }

  send(publish: Publish): void {
    this.#inFlight.push(publish)
    this.#inFlightBytes += publish.sizeBytes
    publish.writeTo(this.connection.outgoing)
  }

  ping(taken: () => void, failed: (error: NsqError) => void): void {
    this.connection.outgoing.written(NOP, (error) => {
      if (error === null) taken()
      else failed(new NsqError('E_CONNECTION_LOST', `${this.address}: ${error.message}`, { cause: error }))
    })
  }

  onOk(): void {
    const publish = this.#inFlight.shift()
    if (publish === undefined) throw new NsqError('E_PROTOCOL', `${this.address} has answered what nobody asked`)
    this.#inFlightBytes -= publish.sizeBytes
    publish.resolve()
    this.#owner.answered()
  }

  onError(error: NsqError): void {
    const publish = this.#inFlight.shift()
    if (publish !== undefined) {
      this.#inFlightBytes -= publish.sizeBytes
      this.hasRefused = true
      this.#isRestUntouched = !FOUND_LATE.has(error.code)
      publish.reject(error)
    }
    this.connection.destroy(error)
  }

  onResponse(text: string): void {
    throw new NsqError('E_PROTOCOL', `${this.address} has answered ${JSON.stringify(text.slice(0, 100))} to a publish`)
  }

  onMessage(): void {
    throw new NsqError('E_PROTOCOL', `${this.address} has sent a message to a producer`)
  }

  onClose(error: NsqError): void {
    const left = this.#inFlight.drain()
    this.#inFlightBytes = 0
    if (this.#isRestUntouched) this.#owner.closed(error, left, [])
    else this.#owner.closed(error, [], left)
  }

  end(): Promise<void> {
    return this.connection.end()
  }

  destroy(error: NsqError): void {
    this.connection.destroy(error)
  }
}
