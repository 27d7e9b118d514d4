import type { Socket } from 'node:net'
import type { Broker, BrokerError, PublishWaiter } from '@spillway/core'
import type { Connections } from '../connections.js'
import { noteRefusal } from '../note-refusal.js'
import { destinationOf } from '../routes/publish.js'
import { failedPublishCodeOf, reasonOf } from '../unavailable.js'
import { PlainPublishes } from './plain-publish.js'
import type { RawAnswers } from './raw-answers.js'

/** What the connections of one listener share. */
export interface FastPath {
  readonly broker: Broker
  readonly connections: Connections
  readonly answers: RawAnswers
  readonly headerSizeBytesMax: number
  readonly keepAliveTimeoutMs: number
  /** A client that takes longer with its first request, or with the second half of one, is node:http's. */
  readonly patienceMs: number
  /** Makes the connection node:http's. What was read from it comes back with `unshift`. */
  handOver(socket: Socket): void
}

/** A request up to this size may come in two reads: many clients send the head first, and then the body. */
const HALVES_BYTES_MAX = 16 * 1024
/** What stands in front of a message: its size. The end of the head makes room for it. */
const SIZE_BYTES = 4

/**
 * - `idle`: between two requests.
 * - `half`: the head of a request is there, and more of it is to come.
 * - `held`: a request is there, and publishers must wait.
 * - `publishing`: it is published, and not answered yet. What comes meanwhile has to wait.
 * - `gone`: the connection is node:http's, or at its end.
 */
type State = 'idle' | 'half' | 'held' | 'publishing' | 'gone'

/**
 * A connection, for as long as only plain publishes come on it, each after the answer to the one before. Whatever else
 * comes, the connection is node:http's from there on, which then reads that request from its first byte.
 */
export class FastConnection implements PublishWaiter {
  readonly broker: Broker
  /** Of the newest request. */
  rawQuery = ''
  readonly #path: FastPath
  readonly #socket: Socket
  readonly #publishes: PlainPublishes
  #state: State = 'idle'
  /** What was read and is not published. */
  #bytes: Buffer | null = null
  #isFirst = true
  /** The client sends nothing more. */
  #isEnded = false

  constructor(path: FastPath, socket: Socket) {
    this.broker = path.broker
    this.#path = path
    this.#socket = socket
    this.#publishes = new PlainPublishes(path.headerSizeBytesMax)
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('timeout', this.#onTimeout)
    // It is closed then, which is all that there is to do.
    socket.on('error', ignore)
    this.#expect(path.patienceMs)
  }

  /** A request is here, whole or in part, that is not published yet. */
  get hasUnpublished(): boolean {
    return this.#state === 'half' || this.#state === 'held'
  }

  /** Leaves the connection, and all that was read and is not published, to node:http. */
  handOver(): void {
    const bytes = this.#bytes
    const socket = this.#socket
    if (this.#state === 'held') this.#path.connections.letGo(socket)
    this.#state = 'gone'
    this.#bytes = null
    socket.off('data', this.#onData).off('end', this.#onEnd).off('timeout', this.#onTimeout).off('error', ignore)
    socket.setTimeout(0)
    this.#path.handOver(socket)
    if (bytes !== null) socket.unshift(bytes)
    socket.resume()
  }

  // ---- PublishWaiter ---------------------------------------------------------------------------------------------

  published(): void {
    const isLast = this.#path.connections.isEnding(this.#socket)
    this.#answer(this.#path.answers.ok(isLast), isLast)
  }

  publishFailed(_token: number, error: BrokerError): void {
    const { code, detail } = reasonOf(error)
    noteRefusal(this.broker, this.#socket, 'POST /pub', code, detail)
    const isLast = this.#path.connections.isEnding(this.#socket)
    this.#answer(this.#path.answers.error(503, failedPublishCodeOf(error), isLast), isLast)
  }

  // ---- what comes from the socket --------------------------------------------------------------------------------

  readonly #onData = (part: Buffer): void => {
    this.#bytes = this.#bytes === null ? part : Buffer.concat([this.#bytes, part])
    if (this.#state === 'idle' || this.#state === 'half') this.#take(this.#bytes)
    else this.#socket.pause()
  }

  readonly #onEnd = (): void => {
    this.#isEnded = true
    if (this.#state === 'idle') {
      this.#socket.end()
    } else if (this.#state === 'half') {
      this.#state = 'gone'
      this.#socket.end(this.#path.answers.error(500, 'INTERNAL_ERROR', true), 'latin1')
    }
  }

  readonly #onTimeout = (): void => {
    if (this.#state === 'half' || (this.#state === 'idle' && this.#isFirst)) this.handOver()
    else if (this.#state === 'idle') this.#socket.destroy()
  }

  /** The client was given its answer: it may go on. */
  readonly #onDrain = (): void => {
    if (this.#isEnded) {
      this.#socket.end()
    } else if (this.#state === 'idle') {
      if (this.#bytes !== null) this.#take(this.#bytes)
      if (this.#socket.isPaused()) this.#socket.resume()
    }
  }

  /** Publishes what was read, if that is one plain publish and nothing else. */
  #take(bytes: Buffer): void {
    const request = this.#publishes.recognise(bytes)
    const isSecond = this.#state === 'half'
    const end = request === null ? 0 : request.bodyStart + request.bodySizeBytes
    const mayComeInHalves = !isSecond && end <= HALVES_BYTES_MAX
    if (request === null || !this.#isAcceptable(request.bodySizeBytes) || this.#path.connections.isDraining) {
      this.handOver()
    } else if (bytes.length < end && mayComeInHalves) {
      this.#state = 'half'
      this.#expect(this.#path.patienceMs)
    } else if (bytes.length !== end) {
      this.handOver()
    } else if (this.broker.pressure === 'paused') {
      this.#hold()
    } else {
      this.rawQuery = request.rawQuery
      this.#publish(bytes, request.bodyStart - SIZE_BYTES, request.bodySizeBytes)
    }
  }

  #isAcceptable(bodySizeBytes: number): boolean {
    return bodySizeBytes > 0 && bodySizeBytes <= this.broker.options.msgSizeBytesMax
  }

  /** Nothing is read until publishers may go on. */
  #hold(): void {
    const { connections } = this.#path
    this.#state = 'held'
    connections.hold(this.#socket)
    this.broker.onRelief(() => {
      if (this.#state !== 'held') return
      connections.letGo(this.#socket)
      this.#state = 'idle'
      if (this.#bytes !== null && !this.#socket.destroyed) this.#take(this.#bytes)
    })
  }

  #publish(bytes: Buffer, start: number, bodySizeBytes: number): void {
    const destination = this.#destination()
    if (destination === null) {
      this.handOver()
      return
    }
    const { topic, delayMs } = destination
    this.#state = 'publishing'
    this.#bytes = null
    this.#isFirst = false
    this.#path.connections.publishBegan(this.#socket)
    bytes.writeInt32BE(bodySizeBytes, start)
    const end = start + SIZE_BYTES + bodySizeBytes
    if (delayMs === 0) topic.publish(bytes, start, end, 1, this, 0)
    else topic.publishDeferred(bytes, start, end, delayMs, this, 0)
  }

  /** Null when something is wrong with the query: node:http finds that again, and answers. */
  #destination(): ReturnType<typeof destinationOf> | null {
    try {
      return destinationOf(this)
    } catch {
      return null
    }
  }

  #answer(text: string, isLast: boolean): void {
    const socket = this.#socket
    this.#state = 'idle'
    if (socket.destroyed) return
    this.#expect(this.#path.keepAliveTimeoutMs)
    const isTaken = socket.write(text, 'latin1')
    this.#path.connections.answered(socket)
    if (isLast) return
    if (isTaken) this.#onDrain()
    else socket.pause().once('drain', this.#onDrain)
  }

  /** Something has to come or go within this time; 0 is for ever. */
  #expect(timeoutMs: number): void {
    if (this.#socket.timeout !== timeoutMs) this.#socket.setTimeout(timeoutMs)
  }
}

function ignore(): void {}
