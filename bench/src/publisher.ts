import { buildBody, patchSerial } from './body.js'
import { type Connection, inputView, type Receiver, readReply } from './connection.js'

/** Serial numbers that several publishers share: each takes the next ones. */
export class Serials {
  next: number
  readonly end: number
  readonly #first: number
  #acknowledgedCount = 0

  constructor(first: number, count: number) {
    this.#first = first
    this.next = first
    this.end = first + count
  }

  get acknowledgedCount(): number {
    return this.#acknowledgedCount
  }

  acknowledge(count: number): void {
    this.#acknowledgedCount += count
  }

  /** Whether the broker has answered for all of them. */
  get acknowledged(): boolean {
    return this.#first + this.#acknowledgedCount === this.end
  }
}

/** PUB (one message) or MPUB (several), laid out once; only serial numbers change from one sending to the next. */
export interface PreparedCommand {
  readonly bytes: Buffer
  readonly view: DataView
  readonly firstBodyAt: number
  /** From one body to the next. */
  readonly strideSizeBytes: number
  readonly bodySizeBytes: number
  readonly count: number
}

export interface CommandOptions {
  readonly topic: string
  readonly tag: number
  readonly bodySizeBytes: number
  /** Messages in one command: 1 is a PUB, more an MPUB. */
  readonly count: number
}

export function prepareCommand({ topic, tag, bodySizeBytes, count }: CommandOptions): PreparedCommand {
  const body = buildBody(tag, bodySizeBytes)
  const strideSizeBytes = 4 + bodySizeBytes
  const multiple = count > 1
  const line = Buffer.from(multiple ? `MPUB ${topic}\n` : `PUB ${topic}\n`)
  const headSizeBytes = line.length + (multiple ? 8 : 0)
  const bytes = Buffer.alloc(headSizeBytes + count * strideSizeBytes)
  line.copy(bytes)
  if (multiple) {
    bytes.writeInt32BE(4 + count * strideSizeBytes, line.length)
    bytes.writeInt32BE(count, line.length + 4)
  }
  for (let i = 0; i < count; i++) {
    const at = headSizeBytes + i * strideSizeBytes
    bytes.writeInt32BE(bodySizeBytes, at)
    body.copy(bytes, at + 4)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return { bytes, view, firstBodyAt: headSizeBytes + 4, strideSizeBytes, bodySizeBytes, count }
}

const OK_FRAME_SIZE_BYTES = 10
const OK_DATA_SIZE_BYTES = 6

/** Sends its command over and over, the next one when the broker has answered `OK`, until the serials are used up. */
export class Publisher implements Receiver {
  readonly #connection: Connection
  readonly #command: PreparedCommand
  readonly #serials: Serials
  readonly #onDone: () => void
  #sentCount = 0

  constructor(connection: Connection, command: PreparedCommand, serials: Serials, onDone: () => void) {
    this.#connection = connection
    this.#command = command
    this.#serials = serials
    this.#onDone = onDone
    connection.receiver = this
  }

  /** Sends the next command; when no serials are left, nothing. */
  send(): void {
    const serials = this.#serials
    const command = this.#command
    this.#sentCount = Math.min(command.count, serials.end - serials.next)
    if (this.#sentCount === 0) return
    if (this.#sentCount < command.count) throw new Error(`the number of messages is not a multiple of ${command.count}`)
    let at = command.firstBodyAt
    for (let i = 0; i < command.count; i++) {
      patchSerial(command.view, at, command.bodySizeBytes, serials.next++)
      at += command.strideSizeBytes
    }
    // The broker has read all of the buffer once it has answered, so one buffer is enough.
    this.#connection.write(command.bytes)
  }

  receive(at: number, end: number): number {
    while (end - at >= OK_FRAME_SIZE_BYTES) {
      const sizeBytes = inputView.getInt32(at)
      if (end - at < 4 + sizeBytes) break
      const isOk = sizeBytes === OK_DATA_SIZE_BYTES && inputView.getInt32(at + 4) === 0
      if (isOk || readReply(this.#connection, at, sizeBytes) !== null) this.#acknowledged()
      at += 4 + sizeBytes
    }
    return at
  }

  #acknowledged(): void {
    const serials = this.#serials
    serials.acknowledge(this.#sentCount)
    if (serials.acknowledged) this.#onDone()
    else this.send()
  }
}
