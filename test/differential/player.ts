import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { within } from '../support/within.js'
import type { Case, Step } from './case.js'
import { maskBody, maskFrame } from './mask.js'

const LIMIT_MS = 8_000
const POLL_MS = 20
/** Headers that mean something to NSQ's clients. */
const HEADERS = ['content-type', 'x-nsq-content-type', 'allow', 'location', 'www-authenticate']

export interface Place {
  readonly tcpPort: number
  readonly httpPort: number
}

/** Plays a case and returns what came back, a line for each frame, end and answer. */
export async function play({ steps, name }: Case, place: Place): Promise<string[]> {
  const connections = new Map<string, PlayedConnection>()
  const transcript: string[] = []
  try {
    for (const step of steps)
      transcript.push(...(await within(run(step), LIMIT_MS, `${name}: ${JSON.stringify(step).slice(0, 200)}`)))
    return transcript
  } finally {
    for (const connection of connections.values()) connection.close()
  }

  async function run(step: Step): Promise<string[]> {
    if ('connect' in step) {
      connections.set(step.connect, await PlayedConnection.open(place.tcpPort))
      return []
    }
    if ('request' in step) return [await ask(place.httpPort, step.request, step.body, step.headers)]
    if ('until' in step) {
      for (;;) {
        const answer = await ask(place.httpPort, step.until)
        if (step.matches.test(answer)) return []
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      }
    }
    const connection = connections.get(step.on) as PlayedConnection
    if ('send' in step) connection.send(step.send)
    else if ('end' in step) connection.end()
    else if ('frames' in step) return (await connection.frames(step.frames)).map((line) => `${step.on}: ${line}`)
    else return (await connection.rest()).map((line) => `${step.on}: ${line}`)
    return []
  }
}

/** A V2 connection that keeps what comes. */
class PlayedConnection {
  readonly #socket: Socket
  readonly #lines: string[] = []
  readonly #ids: string[] = []
  #received: Buffer = Buffer.alloc(0)
  #isOver = false
  #wake = (): void => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (part: Buffer) => {
      this.#received = Buffer.concat([this.#received, part])
      this.#take()
      this.#wake()
    })
    socket.on('error', () => {}) // shows as the end
    const over = (): void => {
      this.#isOver = true
      this.#wake()
    }
    socket.once('end', over)
    socket.once('close', over)
  }

  static async open(port: number): Promise<PlayedConnection> {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
    await once(socket, 'connect')
    return new PlayedConnection(socket)
  }

  send(data: string | Uint8Array): void {
    const text = Buffer.from(data as string).toString('latin1')
    this.#socket.write(
      Buffer.from(
        text.replace(/\{id:(\d+)\}/g, (_, index) => this.#ids[Number(index)]),
        'latin1',
      ),
    )
  }

  end(): void {
    this.#socket.end()
  }

  close(): void {
    this.#socket.destroy()
  }

  async frames(count: number): Promise<string[]> {
    while (this.#lines.length < count && !this.#isOver) await this.#more()
    const lines = this.#lines.splice(0, count)
    return lines.length < count ? [...lines, 'end'] : lines
  }

  async rest(): Promise<string[]> {
    while (!this.#isOver) await this.#more()
    return [...this.#lines.splice(0), 'end']
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #take(): void {
    while (this.#received.length >= 8) {
      const end = 4 + this.#received.readInt32BE(0)
      if (this.#received.length < end) return
      const frame = this.#received.subarray(0, end)
      this.#received = this.#received.subarray(end)
      if (frame.readInt32BE(4) === 2) this.#ids.push(frame.toString('latin1', 18, 34))
      const line = maskFrame(frame)
      if (line === 'response _heartbeat_') this.#socket.write('NOP\n')
      else this.#lines.push(line)
    }
  }
}

function ask(
  port: number,
  line: string,
  body: string | Uint8Array = '',
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const [method, path] = line.split(' ')
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.once('end', () => {
        const shown = HEADERS.filter((name) => response.headers[name] !== undefined).map(
          (name) => `${name}: ${response.headers[name]}`,
        )
        resolve(
          [`${line} -> ${response.statusCode}`, ...shown, maskBody(Buffer.concat(parts).toString('latin1'))].join(
            '\n  ',
          ),
        )
      })
      response.once('error', reject)
    })
    sent.once('error', reject)
    sent.end(body)
  })
}
