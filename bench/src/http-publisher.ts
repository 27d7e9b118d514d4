import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { buildBody, patchSerial } from './body.js'
import type { Serials } from './publisher.js'

const OK_END = Buffer.from('\r\n\r\nOK')
const STATUS = Buffer.from('HTTP/1.1 200 ')

/** One keep-alive connection that posts to `/pub`, the next message when the last one was answered with `OK`. */
export class HttpPublisher {
  readonly #socket: Socket
  readonly #request: Buffer
  readonly #bodyAt: number
  readonly #bodySizeBytes: number
  readonly #serials: Serials
  readonly #done: (error?: Error) => void
  #answer = Buffer.alloc(0)

  private constructor(
    socket: Socket,
    topic: string,
    tag: number,
    bodySizeBytes: number,
    serials: Serials,
    done: (error?: Error) => void,
  ) {
    const head = Buffer.from(
      `POST /pub?topic=${topic} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nContent-Length: ${bodySizeBytes}\r\n\r\n`,
    )
    this.#socket = socket
    this.#request = Buffer.concat([head, buildBody(tag, bodySizeBytes)])
    this.#bodyAt = head.length
    this.#bodySizeBytes = bodySizeBytes
    this.#serials = serials
    this.#done = done
    socket.on('data', (part) => this.#read(part))
    socket.on('error', done)
    socket.on('close', () => done(new Error('the broker closed the connection')))
  }

  /** @param done - called once all serials are acknowledged, or with what went wrong */
  static async open(
    port: number,
    of: { readonly topic: string; readonly tag: number; readonly bodySizeBytes: number },
    serials: Serials,
    done: (error?: Error) => void,
  ): Promise<HttpPublisher> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    await once(socket, 'connect')
    return new HttpPublisher(socket, of.topic, of.tag, of.bodySizeBytes, serials, done)
  }

  send(): void {
    const serials = this.#serials
    if (serials.next === serials.end) return
    const view = new DataView(this.#request.buffer, this.#request.byteOffset, this.#request.length)
    patchSerial(view, this.#bodyAt, this.#bodySizeBytes, serials.next++)
    this.#socket.write(this.#request)
  }

  close(): void {
    this.#socket.removeAllListeners('close')
    this.#socket.destroy()
  }

  #read(part: Buffer): void {
    const answer = this.#answer.length === 0 ? part : Buffer.concat([this.#answer, part])
    const isWhole = answer.length >= OK_END.length && OK_END.equals(answer.subarray(answer.length - OK_END.length))
    if (!isWhole) {
      this.#answer = Buffer.from(answer)
      if (answer.length > 4096) this.#done(new Error(`the broker answered ${answer.toString('latin1', 0, 200)}`))
      return
    }
    if (!answer.subarray(0, STATUS.length).equals(STATUS)) this.#done(new Error(answer.toString('latin1', 0, 200)))
    this.#answer = Buffer.alloc(0)
    this.#serials.acknowledge(1)
    if (this.#serials.acknowledged) this.#done()
    else this.send()
  }
}
