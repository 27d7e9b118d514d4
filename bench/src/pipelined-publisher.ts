import { buildBody, patchSerial } from './body.js'
import { Connection, inputView, type Receiver, readReply } from './connection.js'
import { Serials } from './publisher.js'
import { perSecond, whileAlive } from './traffic.js'

/** Single publishes in one buffer, one after another. */
export interface CommandTrain {
  readonly bytes: Buffer
  readonly view: DataView
  /** Where each body is. */
  readonly bodyAt: readonly number[]
  readonly bodySizeBytes: number
}

/** One publish for each of `lines`, such as `PUB topic`. */
export function prepareTrain(lines: readonly string[], tag: number, bodySizeBytes: number): CommandTrain {
  const body = buildBody(tag, bodySizeBytes)
  const size = Buffer.alloc(4)
  size.writeInt32BE(bodySizeBytes)
  const bodyAt: number[] = []
  const parts: Buffer[] = []
  let at = 0
  for (const line of lines) {
    const head = Buffer.from(`${line}\n`)
    bodyAt.push(at + head.length + size.length)
    parts.push(head, size, body)
    at += head.length + size.length + bodySizeBytes
  }
  const bytes = Buffer.concat(parts)
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), bodyAt, bodySizeBytes }
}

const OK_DATA_SIZE_BYTES = 6

/** Sends a train of publishes at once, and the next one when the broker has answered `OK` to each. */
class PipelinedPublisher implements Receiver {
  readonly #connection: Connection
  readonly #nextTrain: () => CommandTrain
  readonly #serials: Serials
  readonly #onDone: () => void
  #awaitedCount = 0

  constructor(connection: Connection, nextTrain: () => CommandTrain, serials: Serials, onDone: () => void) {
    this.#connection = connection
    this.#nextTrain = nextTrain
    this.#serials = serials
    this.#onDone = onDone
    connection.receiver = this
  }

  send(): void {
    const serials = this.#serials
    if (serials.next === serials.end) return
    const { bytes, view, bodyAt, bodySizeBytes } = this.#nextTrain()
    const count = Math.min(bodyAt.length, serials.end - serials.next)
    for (let i = 0; i < count; i++) patchSerial(view, bodyAt[i], bodySizeBytes, serials.next++)
    this.#awaitedCount = count
    this.#connection.write(bytes.subarray(0, bodyAt[count - 1] + bodySizeBytes))
  }

  receive(at: number, end: number): number {
    while (end - at >= 8) {
      const sizeBytes = inputView.getInt32(at)
      if (end - at < 4 + sizeBytes) break
      const isOk = sizeBytes === OK_DATA_SIZE_BYTES && inputView.getInt32(at + 4) === 0
      if (isOk || readReply(this.#connection, at, sizeBytes) !== null) this.#acknowledged()
      at += 4 + sizeBytes
    }
    return at
  }

  #acknowledged(): void {
    this.#serials.acknowledge(1)
    if (--this.#awaitedCount > 0) return
    if (this.#serials.acknowledged) this.#onDone()
    else this.send()
  }
}

export interface PipelineOptions {
  readonly messageCount: number
  /** Serial number of the first message: 0 when absent. */
  readonly firstSerial?: number
  /** Gives each connection the trains that it sends; the buffer is free again when the broker has answered. */
  readonly trains: readonly (() => CommandTrain)[]
}

/** Publishes one message a command, a train of them in flight on each connection. Returns messages a second. */
export async function publishPipelined(tcpPort: number, options: PipelineOptions): Promise<number> {
  const { messageCount, trains } = options
  const serials = new Serials(options.firstSerial ?? 0, messageCount)
  const connections = await Promise.all(trains.map(() => Connection.open(tcpPort)))
  const startedAtMs = performance.now()
  const done = new Promise<void>((resolve) => {
    connections.forEach((connection, i) => {
      new PipelinedPublisher(connection, trains[i], serials, resolve).send()
    })
  })
  await whileAlive(connections, () => serials.acknowledgedCount, done)
  const rate = perSecond(messageCount, performance.now() - startedAtMs)
  for (const connection of connections) connection.close()
  return rate
}
