import type { Clock, Logger, RefusalLog } from '@spillway/core'
import { Peer } from '../registrations/peer.js'
import { DatabaseFullError, type RegistrationDatabase } from '../registrations/registration-database.js'
import { parseCommandLine, parseTopicAndChannel } from './command-line.js'
import { FatalError } from './fatal-error.js'
import { parsePeerInfo } from './identify.js'

const MAGIC = '  V1'
const LINE_FEED = 0x0a
const SIZE_BYTES = 4
/** A REGISTER with the longest names has 139. */
export const COMMAND_LINE_BYTES_MAX = 4_096
/** nsqds send some 200. */
export const IDENTIFY_BODY_BYTES_MAX = 16_384
const EMPTY = Buffer.alloc(0)

/** What all sessions share. */
export interface V1Service {
  readonly database: RegistrationDatabase
  readonly clock: Clock
  readonly logger: Logger
  readonly refusals: RefusalLog
  /** The answer to IDENTIFY: who this nsqlookupd is, as JSON. */
  describe(): string
}

/** Where answers go. */
export interface V1Output {
  write(bytes: Buffer): void
  /** Nothing more is said, and nothing more is read. */
  end(): void
}

/**
 * What is read next. An IDENTIFY waits for its body:
 *
 * ```
 *   IDENTIFY\n [ size: int32 ] [ JSON ]        answers, good or bad: [ size: int32 ] [ text ]
 * ```
 */
type State = 'magic' | 'command' | 'body' | 'ended'

/** One nsqd's connection, in NSQ's protocol V1: bytes in, bytes out. */
export class V1Session {
  readonly #service: V1Service
  readonly #output: V1Output
  readonly #remoteAddress: string
  #state: State = 'magic'
  /** What was read of something that is not complete. */
  #rest: Buffer = EMPTY
  #peer: Peer | null = null
  #answers: Buffer[] = []

  constructor(service: V1Service, output: V1Output, remoteAddress: string) {
    this.#service = service
    this.#output = output
    this.#remoteAddress = remoteAddress
  }

  /** Takes what was read; `part` is not kept. */
  read(part: Buffer): void {
    const bytes = this.#rest.length === 0 ? part : Buffer.concat([this.#rest, part])
    let start = 0
    let takenBytes: number
    do {
      takenBytes = this.#takeNext(bytes.subarray(start))
      start += takenBytes
    } while (takenBytes > 0)
    // A copy, so that a few bytes do not keep all of what was read.
    this.#rest = start === bytes.length || this.#state === 'ended' ? EMPTY : Buffer.from(bytes.subarray(start))
    this.#flush()
  }

  /** The client sends nothing more. What it has left incomplete is answered only where it is a body. */
  readEnd(): void {
    if (this.#state === 'body') {
      this.#fail(new FatalError('E_BAD_BODY', this.#rest.length < SIZE_BYTES ? NO_SIZE : NO_BODY))
      this.#flush()
    }
    this.#end()
  }

  /** The connection is gone. */
  closed(): void {
    this.#state = 'ended'
    this.#leave()
  }

  /** @returns how many bytes that took; 0 when there is nothing complete, or nothing more is wanted */
  #takeNext(bytes: Buffer): number {
    try {
      switch (this.#state) {
        case 'magic':
          return this.#takeMagic(bytes)
        case 'command':
          return this.#takeCommand(bytes)
        case 'body':
          return this.#takeBody(bytes)
        default:
          return 0
      }
    } catch (error) {
      if (!(error instanceof FatalError)) throw error
      this.#fail(error)
      return 0
    }
  }

  #takeMagic(bytes: Buffer): number {
    if (bytes.length < MAGIC.length) return 0
    if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) throw new FatalError('E_BAD_PROTOCOL', '')
    this.#state = 'command'
    return MAGIC.length
  }

  #takeCommand(bytes: Buffer): number {
    const end = bytes.indexOf(LINE_FEED)
    if (end > COMMAND_LINE_BYTES_MAX || (end === -1 && bytes.length > COMMAND_LINE_BYTES_MAX)) {
      throw new FatalError('E_INVALID', `command line of more than ${COMMAND_LINE_BYTES_MAX} bytes`)
    }
    if (end === -1) return 0
    this.#execute(bytes.toString('latin1', 0, end))
    return end + 1
  }

  #takeBody(bytes: Buffer): number {
    if (bytes.length < SIZE_BYTES) return 0
    const sizeBytes = bytes.readInt32BE(0)
    if (sizeBytes < 0) throw new FatalError('E_BAD_BODY', NO_SIZE)
    if (sizeBytes > IDENTIFY_BODY_BYTES_MAX) throw new FatalError('E_BAD_BODY', NO_BODY)
    const end = SIZE_BYTES + sizeBytes
    if (bytes.length < end) return 0
    this.#identify(bytes.subarray(SIZE_BYTES, end))
    this.#state = 'command'
    return end
  }

  #execute(line: string): void {
    const [name, ...params] = parseCommandLine(line)
    switch (name) {
      case 'PING':
        this.#peer?.heard()
        this.#answers.push(OK)
        break
      case 'IDENTIFY':
        if (this.#peer !== null) throw new FatalError('E_INVALID', 'cannot IDENTIFY again')
        this.#state = 'body'
        break
      case 'REGISTER':
        this.#register(params)
        break
      case 'UNREGISTER':
        this.#unregister(params)
        break
      default:
        throw new FatalError('E_INVALID', `invalid command ${name}`)
    }
  }

  #identify(body: Buffer): void {
    const { database, clock, logger } = this.#service
    const peer = new Peer(parsePeerInfo(body, this.#remoteAddress), clock)
    this.#peer = peer
    database.addPeer(peer)
    const { broadcast_address, tcp_port, http_port, version } = peer.info
    logger.info('nsqd identified', { peer: this.#remoteAddress, broadcast_address, tcp_port, http_port, version })
    this.#answers.push(answerOf(this.#service.describe(), 'utf8'))
  }

  #register(params: readonly string[]): void {
    const peer = this.#requirePeer()
    const { topic, channel } = parseTopicAndChannel('REGISTER', params)
    try {
      this.#service.database.register(peer, topic, channel)
    } catch (error) {
      if (error instanceof DatabaseFullError) throw new FatalError('E_INVALID', `REGISTER ${error.message}`)
      throw error
    }
    this.#service.logger.debug('registered', { peer: this.#remoteAddress, topic, channel })
    this.#answers.push(OK)
  }

  #unregister(params: readonly string[]): void {
    const peer = this.#requirePeer()
    const { topic, channel } = parseTopicAndChannel('UNREGISTER', params)
    this.#service.database.unregister(peer, topic, channel)
    this.#service.logger.debug('unregistered', { peer: this.#remoteAddress, topic, channel })
    this.#answers.push(OK)
  }

  #requirePeer(): Peer {
    if (this.#peer === null) throw new FatalError('E_INVALID', 'client must IDENTIFY')
    return this.#peer
  }

  #fail(error: FatalError): void {
    this.#service.refusals.note(this.#remoteAddress, error.code, error.detail)
    this.#answers.push(answerOf(error.message, 'latin1'))
    this.#state = 'ended'
  }

  #flush(): void {
    if (this.#answers.length > 0) this.#output.write(Buffer.concat(this.#answers))
    this.#answers = []
    if (this.#state === 'ended') this.#end()
  }

  #end(): void {
    this.#state = 'ended'
    this.#leave()
    this.#output.end()
  }

  #leave(): void {
    const peer = this.#peer
    if (peer === null) return
    this.#peer = null
    this.#service.database.removePeer(peer)
    this.#service.logger.info('nsqd gone', { peer: this.#remoteAddress, node: peer.nodeName })
  }
}

function answerOf(text: string, encoding: 'utf8' | 'latin1'): Buffer {
  const body = Buffer.from(text, encoding)
  const size = Buffer.alloc(SIZE_BYTES)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

const OK = answerOf('OK', 'latin1')
const NO_SIZE = 'IDENTIFY failed to read body size'
const NO_BODY = 'IDENTIFY failed to read body'
