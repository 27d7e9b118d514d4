import { type Connection, FRAME_MESSAGE, input, inputView, type Receiver, readReply } from './connection.js'

const ID_AT = 18
const ID_SIZE_BYTES = 16

/** A consumer that takes one message and keeps it, until it is told to give it back. */
export class Holder implements Receiver {
  readonly #connection: Connection
  #held: (id: string) => void = () => undefined
  readonly #id = new Promise<string>((resolve) => {
    this.#held = resolve
  })

  constructor(connection: Connection) {
    this.#connection = connection
    connection.receiver = this
    connection.setReady(1)
  }

  receive(at: number, end: number): number {
    while (end - at >= 8) {
      const sizeBytes = inputView.getInt32(at)
      if (end - at < 4 + sizeBytes) break
      if (inputView.getInt32(at + 4) === FRAME_MESSAGE) {
        this.#connection.setReady(0)
        this.#held(input.toString('latin1', at + ID_AT, at + ID_AT + ID_SIZE_BYTES))
      } else {
        readReply(this.#connection, at, sizeBytes)
      }
      at += 4 + sizeBytes
    }
    return at
  }

  /** Returns once it holds a message. */
  async hold(): Promise<void> {
    await this.#id
  }

  /** Puts the message back, for others to take at once. */
  async release(): Promise<void> {
    this.#connection.write(Buffer.from(`REQ ${await this.#id} 0\n`))
  }
}
