import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { patchSerial } from './body.js'

/**
 * A server that looks like a broker to the client of this benchmark and does as little as can be: what a run against
 * it reaches is the client's ceiling. Batches and single publishes are counted and forgotten; a consumer is given the
 * first body of its topic over and over, with serial numbers patched in, as fast as its socket takes them. Only a
 * single PUB to a topic that somebody consumes is passed on as it is, for it carries the time at which it was sent.
 */
const OK = frame(0, Buffer.from('OK'))
const IDENTIFIED = frame(0, Buffer.from('{}'))
const MESSAGE_HEAD_SIZE_BYTES = 34
const BLOCK_FRAME_COUNT = 256

interface SinkTopic {
  body: Buffer | null
  publishedCount: number
  readonly channels: Map<string, SinkChannel>
}

interface SinkChannel {
  nextSerial: number
  /** Consumers that have sent RDY. */
  ready: SinkClient[]
  turn: number
}

const topics = new Map<string, SinkTopic>()

function topicOf(name: string): SinkTopic {
  let topic = topics.get(name)
  if (topic === undefined) {
    topic = { body: null, publishedCount: 0, channels: new Map() }
    topics.set(name, topic)
  }
  return topic
}

function frame(type: number, data: Buffer): Buffer {
  const bytes = Buffer.alloc(8 + data.length)
  bytes.writeInt32BE(4 + data.length, 0)
  bytes.writeInt32BE(type, 4)
  data.copy(bytes, 8)
  return bytes
}

function messageFrame(body: Buffer): Buffer {
  const data = Buffer.alloc(26 + body.length)
  data.writeUInt16BE(1, 8)
  data.write('0123456789abcdef', 10, 'latin1')
  body.copy(data, 26)
  return frame(2, data)
}

/** Frames of one body that lie one after another, for as many serials at once. */
class Block {
  readonly #bytes: Buffer
  readonly #view: DataView
  readonly #strideSizeBytes: number

  constructor(body: Buffer) {
    const one = messageFrame(body)
    this.#strideSizeBytes = one.length
    this.#bytes = Buffer.concat(Array.from({ length: BLOCK_FRAME_COUNT }, () => one))
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length)
  }

  number(firstSerial: number, count: number): Buffer {
    const stride = this.#strideSizeBytes
    for (let i = 0; i < count; i++) {
      const at = i * stride + MESSAGE_HEAD_SIZE_BYTES
      patchSerial(this.#view, at, stride - MESSAGE_HEAD_SIZE_BYTES, firstSerial + i)
    }
    return this.#bytes.subarray(0, count * stride)
  }
}

/** A PUB that was parsed, to recognise the next one by. */
interface LastPub {
  readonly topic: SinkTopic
  readonly line: Buffer
  readonly bodyAt: number
  readonly sizeBytes: number
}

class SinkClient {
  readonly #socket: Socket
  #rest: Buffer | null = null
  #skipSizeBytes = 0
  #started = false
  #topic: SinkTopic | null = null
  #channel: SinkChannel | null = null
  #ready = false
  #busy = false
  #block: Block | null = null
  #okCount = 0
  #lastPub: LastPub | null = null
  #forwarded: Buffer[] = []

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (bytes) => this.#read(bytes))
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#leave())
  }

  /** Passes one message on, as it came; written at the end of the publisher's read. */
  forward(message: Buffer): void {
    if (this.#forwarded.length === 0)
      queueMicrotask(() => {
        this.#socket.write(this.#forwarded.length === 1 ? this.#forwarded[0] : Buffer.concat(this.#forwarded))
        this.#forwarded = []
      })
    this.#forwarded.push(message)
  }

  /** Gives out what its topic counts beyond what its channel had; one write at a time. */
  stream(): void {
    const topic = this.#topic
    const channel = this.#channel
    if (topic === null || channel === null || topic.body === null || !this.#ready || this.#busy) return
    const count = Math.min(BLOCK_FRAME_COUNT, topic.publishedCount - channel.nextSerial)
    if (count === 0) return
    this.#block ??= new Block(topic.body)
    this.#busy = true
    this.#socket.write(this.#block.number(channel.nextSerial, count), () => {
      this.#busy = false
      this.stream()
    })
    channel.nextSerial += count
  }

  #read(bytes: Buffer): void {
    // A consumer that is set up sends nothing but FINs.
    if (this.#ready) return
    if (this.#isLastPubAgain(bytes)) {
      this.#pub((this.#lastPub as LastPub).topic, bytes, (this.#lastPub as LastPub).bodyAt)
      this.#okCount = 0
      this.#socket.write(OK)
      return
    }
    if (this.#skipSizeBytes >= bytes.length) {
      this.#skipSizeBytes -= bytes.length
    } else {
      let input = bytes.subarray(this.#skipSizeBytes)
      this.#skipSizeBytes = 0
      if (this.#rest !== null) input = Buffer.concat([this.#rest, input])
      this.#rest = null
      this.#parse(input)
    }
    // Nothing is acknowledged before all of it was read.
    if (this.#skipSizeBytes > 0 || this.#okCount === 0) return
    this.#socket.write(this.#okCount === 1 ? OK : Buffer.concat(Array.from({ length: this.#okCount }, () => OK)))
    this.#okCount = 0
  }

  /** One PUB like the one before, and nothing else: what a publisher sends that waits for each answer. */
  #isLastPubAgain(bytes: Buffer): boolean {
    const last = this.#lastPub
    return (
      last !== null &&
      this.#rest === null &&
      this.#skipSizeBytes === 0 &&
      bytes.length === last.sizeBytes &&
      bytes.compare(last.line, 0, last.line.length, 0, last.line.length) === 0
    )
  }

  #parse(input: Buffer): void {
    let at = 0
    if (!this.#started) {
      this.#started = true
      at = 4
    }
    while (at < input.length) {
      const next = this.#command(input, at)
      if (next < 0) {
        this.#rest = Buffer.from(input.subarray(at))
        return
      }
      if (next > input.length) {
        this.#skipSizeBytes = next - input.length
        return
      }
      at = next
    }
  }

  /** Returns where the next command begins, maybe beyond the input; -1 when too little of this one is there. */
  #command(input: Buffer, at: number): number {
    const lineEnd = input.indexOf(10, at)
    if (lineEnd < 0) return -1
    const [name, topicName, channelName] = input.toString('latin1', at, lineEnd).split(' ')
    const bodyAt = lineEnd + 1
    switch (name) {
      case 'PUB': {
        const topic = topicOf(topicName)
        const end = this.#pub(topic, input, bodyAt)
        if (end >= 0)
          this.#lastPub = {
            topic,
            line: Buffer.from(input.subarray(at, bodyAt)),
            bodyAt: bodyAt - at,
            sizeBytes: end - at,
          }
        return end
      }
      case 'MPUB':
        return this.#mpub(topicOf(topicName), input, bodyAt)
      case 'IDENTIFY':
        if (input.length < bodyAt + 4) return -1
        this.#socket.write(IDENTIFIED)
        return bodyAt + 4 + input.readInt32BE(bodyAt)
      case 'SUB':
        this.#subscribe(topicOf(topicName), channelName)
        return bodyAt
      case 'RDY':
        this.#ready = true
        this.#channel?.ready.push(this)
        this.stream()
        return bodyAt
      default:
        return bodyAt
    }
  }

  #pub(topic: SinkTopic, input: Buffer, at: number): number {
    const end = at + 4 + (input.length < at + 4 ? 0 : input.readInt32BE(at))
    if (input.length < at + 4 || input.length < end) return -1
    this.#okCount++
    if (!this.#passOn(topic, input, at + 4, end)) this.#count(topic, 1, input.subarray(at + 4, end))
    return end
  }

  /** Gives a message to one consumer of each channel; `false` when nobody is ready. */
  #passOn(topic: SinkTopic, input: Buffer, at: number, end: number): boolean {
    let passedOn = false
    for (const channel of topic.channels.values()) {
      const { ready } = channel
      if (ready.length === 0) continue
      ready[channel.turn++ % ready.length].forward(messageFrame(input.subarray(at, end)))
      passedOn = true
    }
    return passedOn
  }

  #mpub(topic: SinkTopic, input: Buffer, at: number): number {
    if (input.length < at + 12) return -1
    const firstSizeBytes = input.readInt32BE(at + 8)
    if (topic.body === null && input.length < at + 12 + firstSizeBytes) return -1
    this.#okCount++
    this.#count(topic, input.readInt32BE(at + 4), input.subarray(at + 12, at + 12 + firstSizeBytes))
    return at + 4 + input.readInt32BE(at)
  }

  #count(topic: SinkTopic, count: number, body: Buffer): void {
    topic.body ??= Buffer.from(body)
    topic.publishedCount += count
    for (const channel of topic.channels.values()) for (const consumer of channel.ready) consumer.stream()
  }

  #leave(): void {
    if (this.#channel !== null) this.#channel.ready = this.#channel.ready.filter((consumer) => consumer !== this)
  }

  #subscribe(topic: SinkTopic, channelName: string): void {
    let channel = topic.channels.get(channelName)
    if (channel === undefined) {
      channel = { nextSerial: 0, ready: [], turn: 0 }
      topic.channels.set(channelName, channel)
    }
    this.#topic = topic
    this.#channel = channel
    this.#socket.write(OK)
  }
}

/** Listens on a port of 127.0.0.1, a free one when it is 0. */
export function startSink(port: number): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => new SinkClient(socket))
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve({ port: (server.address() as AddressInfo).port, server }))
  })
}
