import { BrokerError, type BrokerOptions } from '@spillway/core'
import { BodyBuffer, type ChargeMemory } from './body-buffer.js'
import { type Command, type CommandBody, requireBodySize } from './command.js'
import { CommandLine } from './command-line.js'
import type { Session } from './session.js'

/** The longest command line, with its line end. */
export const LINE_SIZE_BYTES_MAX = 16 * 1024
const MAGIC = Buffer.from('  V2', 'latin1')
const SIZE_BYTES = 4
const FIN_SIZE_BYTES = 21 // "FIN ", 16 bytes of id, "\n"
const CARRY_SIZE_BYTES_MIN = 64
const CARRY_KEPT_BYTES_MAX = 256
const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d
const NO_BYTES = Buffer.alloc(0)

const Stage = { magic: 0, line: 1, size: 2, body: 3 } as const
type Stage = (typeof Stage)[keyof typeof Stage]

/** Every session parses and runs a line before the next one is looked at, so they share one. */
const line = new CommandLine()

/**
 * Cuts what a peer sends into commands and runs them, however the bytes are split over reads.
 *
 * ```
 *   "  V2" | line \n | line \n | int32 size | body | line \n | …
 *   magic    line      line      size         body   line
 * ```
 *
 * A command that lies whole in one read is run on the read's own buffer. What is left over is copied: a read of 64 kB
 * is never kept for its last 10 bytes.
 */
export class CommandReader {
  readonly #session: Session
  readonly #options: BrokerOptions
  readonly #body: BodyBuffer
  #stage: Stage = Stage.magic
  /** The beginning of the magic, of a line or of a body's size. */
  #carry = NO_BYTES
  #carryBytes = 0
  /** The command whose body is awaited. */
  #command: Command | null = null
  #bodySizeBytes = 0
  /** What was read while the session was halted. */
  #backlog: Buffer | null = null

  constructor(session: Session, options: BrokerOptions, charge: ChargeMemory) {
    this.#session = session
    this.#options = options
    this.#body = new BodyBuffer(charge)
  }

  /** Whether bytes wait for the session to go on. */
  get hasBacklog(): boolean {
    return this.#backlog !== null
  }

  /** Takes what was read. `chunk` may be used again afterwards. @throws BrokerError the connection's last reply. */
  receive(chunk: Buffer): void {
    if (this.#backlog !== null) this.#backlog = Buffer.concat([this.#backlog, chunk])
    else if (this.#session.isHalted) this.#backlog = Buffer.from(chunk)
    else this.#keep(chunk, this.#consume(chunk), false)
  }

  /** Goes on where the session halted. @throws BrokerError the connection's last reply. */
  resume(): void {
    const backlog = this.#backlog
    if (backlog === null) return
    this.#backlog = null
    this.#keep(backlog, this.#consume(backlog), true)
  }

  /** Forgets what was read while the session was halted. */
  dropBacklog(): void {
    this.#backlog = null
  }

  /** The peer sends nothing more. @throws BrokerError when that cuts a body short. */
  end(): void {
    if (this.#command === null) return
    const { name, body } = this.#command as Command & { body: CommandBody }
    if (this.#stage === Stage.size) throw new BrokerError(body.code, `${name} failed to read ${body.noun} size`)
    throw body.endError(this.#session, this.#body.haveBytes - SIZE_BYTES)
  }

  /** Lets go of every buffer. */
  release(): void {
    this.#body.release()
    this.#carry = NO_BYTES
    this.#carryBytes = 0
    this.#backlog = null
    this.#command = null
  }

  #keep(chunk: Buffer, at: number, isOurs: boolean): void {
    if (at === chunk.length || this.#session.isOver) return
    this.#backlog = isOurs ? chunk.subarray(at) : Buffer.from(chunk.subarray(at))
  }

  /** Returns how far it came: to the end, unless the session halted. */
  #consume(chunk: Buffer): number {
    let at = 0
    while (at < chunk.length && !this.#session.isHalted) {
      if (this.#stage === Stage.line) at = this.#readLine(chunk, at)
      else if (this.#stage === Stage.body) at = this.#readBody(chunk, at)
      else if (this.#stage === Stage.size) at = this.#readSize(chunk, at)
      else at = this.#readMagic(chunk, at)
    }
    return at
  }

  #readMagic(chunk: Buffer, at: number): number {
    const end = this.#fillCarry(chunk, at, MAGIC.length)
    if (this.#carryBytes < MAGIC.length) return end
    if (!this.#takeCarry().equals(MAGIC)) throw new BrokerError('E_BAD_PROTOCOL', '')
    this.#stage = Stage.line
    this.#session.begun()
    return end
  }

  #readLine(chunk: Buffer, start: number): number {
    let at = start
    if (this.#carryBytes === 0) {
      // Most of what a busy consumer sends. Only a real id is found, so the line end is where it seems to be.
      while (at + FIN_SIZE_BYTES <= chunk.length && isFin(chunk, at) && this.#session.finish(chunk, at + 4)) {
        at += FIN_SIZE_BYTES
      }
      if (at === chunk.length) return at
    }
    const newlineAt = chunk.indexOf(NEWLINE, at)
    const end = newlineAt < 0 ? chunk.length : newlineAt + 1
    const isTooLong = this.#carryBytes + end - at > LINE_SIZE_BYTES_MAX - (newlineAt < 0 ? 1 : 0)
    if (isTooLong) {
      this.#session.hangUp()
      return chunk.length
    }
    if (newlineAt < 0) return this.#fillCarry(chunk, at, LINE_SIZE_BYTES_MAX)
    if (this.#carryBytes === 0) return this.#runLine(chunk, at, newlineAt) ? end : at
    return this.#finishCarriedLine(chunk, at, end)
  }

  /** The line began in an earlier read. */
  #finishCarriedLine(chunk: Buffer, start: number, end: number): number {
    this.#fillCarry(chunk, start, this.#carryBytes + end - start)
    const carried = this.#takeCarry()
    if (this.#runLine(carried, 0, carried.length - 1)) return end
    // Not now: the line goes back in front of the rest, to be read again as one piece.
    this.#backlog = Buffer.concat([carried, chunk.subarray(end)])
    return chunk.length
  }

  /** Returns false when the session does not take the command now; its line must then be read again. */
  #runLine(bytes: Buffer, start: number, newlineAt: number): boolean {
    const hasReturn = newlineAt > start && bytes[newlineAt - 1] === CARRIAGE_RETURN
    line.parse(bytes, start, hasReturn ? newlineAt - 1 : newlineAt)
    const command = this.#session.admit(line)
    if (command === null) return false
    this.#session.runLine(command, line)
    if (command.body === null) {
      this.#session.commandDone()
    } else {
      this.#command = command
      this.#stage = Stage.size
    }
    return true
  }

  #readSize(chunk: Buffer, at: number): number {
    if (this.#carryBytes === 0 && at + SIZE_BYTES <= chunk.length) return this.#sizeRead(chunk, at)
    const end = this.#fillCarry(chunk, at, SIZE_BYTES)
    if (this.#carryBytes === SIZE_BYTES) this.#sizeRead(this.#takeCarry(), 0)
    return end
  }

  /** The size is at `bytes[at]`, and whatever `bytes` has behind it is body. Returns how far it came. */
  #sizeRead(bytes: Buffer, at: number): number {
    const command = this.#command as Command
    const body = command.body as CommandBody
    const sizeBytes = bytes.readInt32BE(at)
    requireBodySize(command, body, sizeBytes, this.#options)
    body.sizeKnown(this.#session, sizeBytes)
    this.#bodySizeBytes = sizeBytes
    const start = at + SIZE_BYTES
    if (start + sizeBytes <= bytes.length) {
      this.#runBody(bytes, start, start + sizeBytes)
      return start + sizeBytes
    }
    this.#stage = Stage.body
    this.#body.begin(SIZE_BYTES + sizeBytes)
    return this.#body.append(bytes, at, start)
  }

  #readBody(chunk: Buffer, at: number): number {
    if (this.#body.outgrows(chunk.length - at)) {
      this.#session.requireRoom(this.#command as Command, this.#body.haveBytes - SIZE_BYTES)
    }
    const end = this.#body.append(chunk, at, chunk.length)
    const { bytes, haveBytes } = this.#body
    const body = (this.#command as Command).body as CommandBody
    if (this.#body.isWhole) {
      this.#runBody(bytes, SIZE_BYTES, haveBytes)
      this.#body.release()
    } else {
      body.arrived(this.#session, bytes, SIZE_BYTES, haveBytes - SIZE_BYTES)
    }
    return end
  }

  #runBody(bytes: Buffer, start: number, end: number): void {
    const body = (this.#command as Command).body as CommandBody
    body.arrived(this.#session, bytes, start, this.#bodySizeBytes)
    this.#command = null
    this.#stage = Stage.line
    body.run(this.#session, bytes, start, end)
    this.#session.commandDone()
  }

  /** What was carried over; the buffer is used again, unless it is a large one. */
  #takeCarry(): Buffer {
    const carried = this.#carry.subarray(0, this.#carryBytes)
    this.#carryBytes = 0
    if (this.#carry.length > CARRY_KEPT_BYTES_MAX) this.#carry = NO_BYTES
    return carried
  }

  /** Adds bytes of `chunk` to the carry until it has `needBytes`; returns where it stopped. */
  #fillCarry(chunk: Buffer, start: number, needBytes: number): number {
    const end = Math.min(chunk.length, start + needBytes - this.#carryBytes)
    const haveBytes = this.#carryBytes + end - start
    if (haveBytes > this.#carry.length) {
      const carry = Buffer.alloc(Math.min(LINE_SIZE_BYTES_MAX, Math.max(CARRY_SIZE_BYTES_MIN, 2 * haveBytes)))
      this.#carry.copy(carry, 0, 0, this.#carryBytes)
      this.#carry = carry
    }
    if (end - start <= SIZE_BYTES) for (let at = start; at < end; at++) this.#carry[this.#carryBytes++] = chunk[at]
    else this.#carryBytes += chunk.copy(this.#carry, this.#carryBytes, start, end)
    return end
  }
}

function isFin(bytes: Buffer, at: number): boolean {
  return (
    bytes[at + 20] === NEWLINE &&
    bytes[at] === 0x46 &&
    bytes[at + 1] === 0x49 &&
    bytes[at + 2] === 0x4e &&
    bytes[at + 3] === 0x20
  )
}
