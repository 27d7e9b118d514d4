import { type Broker, BrokerError } from '@spillway/core'

/** A buffer up to this size is not worth a charge, and is made in one go. */
const UNCHARGED_BYTES = 16 * 1024

const SIZE_BYTES_MIN = 1024

/** Gathers a body. It doubles as bytes arrive, so that a large Content-Length alone costs nothing, and charges what it takes. */
export class GrowingBuffer {
  /** What was gathered is `bytes[0, length)`. Another buffer after each growth. */
  bytes: Buffer
  length = 0
  readonly #broker: Broker
  readonly #sizeBytesExpected: number
  #chargedBytes = 0

  /** @param sizeBytesExpected - as announced by the client; 0 when it was not */
  constructor(broker: Broker, sizeBytesExpected: number) {
    this.#broker = broker
    this.#sizeBytesExpected = sizeBytesExpected
    this.bytes = Buffer.allocUnsafe(Math.min(sizeBytesExpected, UNCHARGED_BYTES))
  }

  /** @throws BrokerError `E_MEMORY_FULL`, or `E_STORAGE_FULL`, when the node takes nothing more. */
  append(part: Uint8Array, start: number, end: number): void {
    const length = this.length + end - start
    if (length > this.bytes.length) this.#grow(length)
    this.bytes.set(start === 0 && end === part.length ? part : part.subarray(start, end), this.length)
    this.length = length
  }

  /** Leaves `sizeBytes` for the caller to fill in, and returns where they begin. @throws BrokerError like {@link append}. */
  reserve(sizeBytes: number): number {
    const start = this.length
    if (start + sizeBytes > this.bytes.length) this.#grow(start + sizeBytes)
    this.length = start + sizeBytes
    return start
  }

  release(): void {
    if (this.#chargedBytes > 0) this.#broker.chargeMemory(-this.#chargedBytes)
    this.#chargedBytes = 0
    this.length = 0
  }

  #grow(sizeBytesMin: number): void {
    const sizeBytes = this.#nextSizeBytes(sizeBytesMin)
    if (sizeBytes > UNCHARGED_BYTES) {
      // A body that is not here yet is the last thing to find room for.
      if (this.#broker.pressure === 'full') throw this.#noRoom()
      this.#broker.chargeMemory(sizeBytes - this.#chargedBytes)
      this.#chargedBytes = sizeBytes
    }
    const grown = Buffer.allocUnsafe(sizeBytes)
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }

  #noRoom(): BrokerError {
    const { health } = this.#broker
    if (health !== 'OK') return new BrokerError('E_STORAGE_FULL', health)
    return new BrokerError('E_MEMORY_FULL', `no room in memory for a body of ${this.#sizeBytesExpected} bytes`)
  }

  /** Twice as much, but not more than is expected, as long as the client keeps to that. */
  #nextSizeBytes(sizeBytesMin: number): number {
    const doubled = Math.max(sizeBytesMin, 2 * this.bytes.length, SIZE_BYTES_MIN)
    return sizeBytesMin <= this.#sizeBytesExpected ? Math.min(doubled, this.#sizeBytesExpected) : doubled
  }
}
