import { BrokerError } from '@spillway/core'

const COUNT_SIZE_BYTES = 4
const PREFIX_SIZE_BYTES = 4
/** The smallest message: its size and one byte. */
const MESSAGE_SIZE_BYTES_MIN = PREFIX_SIZE_BYTES + 1

export interface MpubLimits {
  readonly bodySizeBytesMax: number
  readonly msgSizeBytesMax: number
}

/**
 * Checks the body of an MPUB while it arrives, so that a bad count or size is refused as soon as its bytes are there.
 *
 * ```
 *   | int32 count | int32 size | message | int32 size | message | …     ends where the declared length says
 * ```
 *
 * Linear: each size is looked at once, and message bytes never.
 */
export class MpubScanner {
  readonly #limits: MpubLimits
  #bodySizeBytes = 0
  /** Messages that the body says it has; -1 until that is known. */
  #count = -1
  /** Messages whose size was seen and is good. */
  #seen = 0
  /** Where the next size begins, from the start of the body. */
  #next = 0

  constructor(limits: MpubLimits) {
    this.#limits = limits
  }

  get count(): number {
    return this.#count
  }

  /** A new body of `bodySizeBytes` begins. */
  begin(bodySizeBytes: number): void {
    this.#bodySizeBytes = bodySizeBytes
    this.#count = -1
    this.#seen = 0
    this.#next = 0
  }

  /**
   * Looks at what has arrived: the first `haveBytes` of the body, from `bytes[start]`. The last call is the one with all of it.
   * @throws BrokerError `E_BAD_BODY`, `E_BAD_MESSAGE`
   */
  advance(bytes: Buffer, start: number, haveBytes: number): void {
    if (this.#count < 0 && !this.#readCount(bytes, start, haveBytes)) return
    let next = this.#next
    let seen = this.#seen
    const { msgSizeBytesMax } = this.#limits
    for (; seen < this.#count && next + PREFIX_SIZE_BYTES <= haveBytes; seen++) {
      const at = start + next
      const sizeBytes = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]
      if (sizeBytes <= 0) throw badMessage(`invalid message(${seen}) body size ${sizeBytes}`)
      if (sizeBytes > msgSizeBytesMax) throw badMessage(`message too big ${sizeBytes} > ${msgSizeBytesMax}`)
      next += PREFIX_SIZE_BYTES + sizeBytes
      if (next > this.#bodySizeBytes) throw badMessage('failed to read message body')
    }
    this.#next = next
    this.#seen = seen
    this.#checkRoom(seen)
  }

  /** What NSQ says when the peer goes away after `haveBytes` of the body. */
  endError(haveBytes: number): BrokerError {
    if (haveBytes < COUNT_SIZE_BYTES) return noCount()
    if (haveBytes < this.#next) return badMessage('failed to read message body')
    return badMessage(`failed to read message(${this.#seen}) body size`)
  }

  #readCount(bytes: Buffer, start: number, haveBytes: number): boolean {
    if (this.#bodySizeBytes < COUNT_SIZE_BYTES) throw noCount()
    if (haveBytes < COUNT_SIZE_BYTES) return false
    const count = bytes.readInt32BE(start)
    const countMax = Math.floor((this.#limits.bodySizeBytesMax - COUNT_SIZE_BYTES) / MESSAGE_SIZE_BYTES_MIN)
    if (count <= 0 || count > countMax) throw new BrokerError('E_BAD_BODY', `MPUB invalid message count ${count}`)
    this.#count = count
    this.#next = COUNT_SIZE_BYTES
    return true
  }

  /**
   * The declared length must end exactly where the messages do. nsqd does not check this, and takes what is left
   * over for the next command.
   */
  #checkRoom(seen: number): void {
    if (seen < this.#count && this.#next + PREFIX_SIZE_BYTES > this.#bodySizeBytes) {
      throw badMessage(`failed to read message(${seen}) body size`)
    }
    if (seen === this.#count && this.#next < this.#bodySizeBytes) {
      throw new BrokerError('E_BAD_BODY', `MPUB invalid body size ${this.#bodySizeBytes}`)
    }
  }
}

function noCount(): BrokerError {
  return new BrokerError('E_BAD_BODY', 'MPUB failed to read message count')
}

function badMessage(detail: string): BrokerError {
  return new BrokerError('E_BAD_MESSAGE', `MPUB ${detail}`)
}
