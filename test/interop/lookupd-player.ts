import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { eventually } from '../support/eventually.js'
import type { RunningLookupd } from '../support/start-nsqlookupd.js'
import { within } from '../support/within.js'

const LIMIT_MS = 5_000
/** What docs/compatibility.md says of them. */
const TOPOLOGY_FIELDS = ['topology_zone', 'topology_region']
const HEADERS = ['content-type', 'x-nsq-content-type', 'allow', 'location'] as const
/** Go's zero time in nanoseconds, as far as numbers of JavaScript have it. */
const NEVER = Number('-6795364578871345152')

export type Bytes = string | Buffer

/** What one nsqd sends: `IDENTIFY` with its size and body. */
export function identifyBytes(body: object | string): Buffer {
  const json = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const size = Buffer.alloc(4)
  size.writeInt32BE(json.length)
  return Buffer.concat([Buffer.from('IDENTIFY\n'), size, json])
}

/** Plays connections and requests to one nsqlookupd, and writes down what it answers, so that two can be compared. */
export class LookupdPlayer {
  readonly transcript: string[] = []
  readonly #lookupd: RunningLookupd
  readonly #peers = new Map<string, PlayedPeer>()

  constructor(lookupd: RunningLookupd) {
    this.#lookupd = lookupd
  }

  /** Opens a connection under a name, with the magic. */
  async connect(name: string, magic: Bytes = '  V1'): Promise<void> {
    const socket = connect({ host: '127.0.0.1', port: this.#lookupd.tcpPort, allowHalfOpen: true })
    await once(socket, 'connect')
    socket.write(magic)
    this.#peers.set(name, new PlayedPeer(socket))
  }

  /** Sends, and writes down so many answers; fewer when the connection ends. */
  async send(name: string, bytes: Bytes, answerCount = 1): Promise<void> {
    const peer = this.#peer(name)
    peer.socket.write(bytes)
    await this.#noteAnswers(name, peer, answerCount)
  }

  /** Ends its half, and writes down everything up to the other end's. */
  async end(name: string): Promise<void> {
    const peer = this.#peer(name)
    peer.socket.end()
    await this.#noteAnswers(name, peer, Number.POSITIVE_INFINITY)
    await this.#forget(name, peer)
  }

  /** Is gone without a word. */
  async drop(name: string): Promise<void> {
    const peer = this.#peer(name)
    await this.#forget(name, peer)
  }

  async ask(method: string, path: string): Promise<void> {
    const answer = await ask(this.#lookupd.httpPort, method, path)
    const headers = HEADERS.filter((name) => answer.headers[name] !== undefined)
    const lines = headers.map((name) => `  ${name}: ${answer.headers[name]}`)
    // The one status that differs knowingly.
    const status = answer.status === 307 ? 308 : answer.status
    this.transcript.push([`${method} ${path} -> ${status}`, ...lines, `  ${this.#masked(answer.text)}`].join('\n'))
  }

  close(): void {
    for (const { socket } of this.#peers.values()) socket.destroy()
  }

  #peer(name: string): PlayedPeer {
    const peer = this.#peers.get(name)
    assert.ok(peer, `${name} is not connected`)
    return peer
  }

  async #noteAnswers(name: string, peer: PlayedPeer, count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const answer = await within(peer.next(), LIMIT_MS, `an answer to ${name}`)
      this.transcript.push(`${name}: ${answer === null ? 'end' : this.#masked(answer)}`)
      if (answer === null) return
    }
  }

  /** Destroys it, and waits until the other end knows. */
  async #forget(name: string, { socket }: PlayedPeer): Promise<void> {
    const address = `127.0.0.1:${socket.localPort}`
    socket.destroy()
    this.#peers.delete(name)
    const isGone = async (): Promise<true | undefined> => {
      const { text } = await this.#lookupd.http.get('/debug')
      return text.includes(`"id":"${address}"`) ? undefined : true
    }
    await eventually(isGone, LIMIT_MS, `${name} gone`)
  }

  /** JSON without what differs from run to run, lists in an order; other text as it is. */
  #masked(text: string): string {
    if (!text.startsWith('{')) return text
    return JSON.stringify(this.#maskedValue(JSON.parse(text)))
  }

  #maskedValue(value: unknown): unknown {
    if (Array.isArray(value)) {
      return value.map((item) => this.#maskedValue(item)).sort((a, b) => compare(JSON.stringify(a), JSON.stringify(b)))
    }
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(withTombstonesByTopic(value)).filter(([key]) => !TOPOLOGY_FIELDS.includes(key))
    return Object.fromEntries(entries.map(([key, item]) => [key, this.#maskedField(key, item)]))
  }

  #maskedField(key: string, value: unknown): unknown {
    if (key === 'last_update') return typeof value
    if (key === 'tombstoned_at') return value === NEVER ? 'never' : 'once'
    if ((key === 'tcp_port' && value === this.#lookupd.tcpPort) || value === this.#lookupd.httpPort) return 'mine'
    if (key === 'remote_address' || key === 'id') return this.#nameOf(String(value))
    return this.#maskedValue(value)
  }

  #nameOf(address: string): string {
    for (const [name, { socket }] of this.#peers) if (address === `127.0.0.1:${socket.localPort}`) return name
    return address
  }
}

/** The two parallel lists of a node, as one: their order is free, but the same in both. */
function withTombstonesByTopic(node: object): object {
  if (!('topics' in node) || !('tombstones' in node)) return node
  const { topics, tombstones, ...others } = node as { topics: string[]; tombstones: boolean[] }
  assert.equal(topics.length, tombstones.length)
  return { ...others, topics: topics.map((topic, index) => `${topic} ${tombstones[index]}`) }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** One connection, and the answers that came on it. */
class PlayedPeer {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  #isEnded = false
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (part) => {
      this.#received = Buffer.concat([this.#received, part])
      this.#wake()
    })
    socket.on('error', () => {}) // a connection that is reset has ended
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#isEnded = true
        this.#wake()
      })
    }
  }

  /** The next answer's text, one byte a letter; null at the end. */
  async next(): Promise<string | null> {
    for (;;) {
      const sizeBytes = this.#received.length < 4 ? Number.POSITIVE_INFINITY : this.#received.readInt32BE()
      if (this.#received.length >= 4 + sizeBytes) {
        const text = this.#received.toString('latin1', 4, 4 + sizeBytes)
        this.#received = this.#received.subarray(4 + sizeBytes)
        return text
      }
      if (this.#isEnded) return null
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly text: string
}

function ask(port: number, method: string, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method, path, agent: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part) => {
        text += part
      })
      answer.on('error', reject)
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }))
    })
    asked.on('error', reject)
    asked.end()
  })
}
