import { BrokerError, type BrokerOptions, type ErrorCode } from '@spillway/core'
import type { CommandLine } from './command-line.js'
import type { Session } from './session.js'
import type { SessionState } from './session-state.js'

/** What a command does with topics, and so what is checked before its line is taken. */
export type CommandAccess = 'none' | 'publish' | 'consume'

/** One command of the protocol. The session checks state, parameter count and body size from what is declared here. */
export interface Command {
  readonly name: string
  /** Elsewhere it is refused: `E_INVALID cannot {name} in current state`. */
  readonly states: readonly SessionState[]
  /** With fewer it is refused: `E_INVALID {name} insufficient number of {argsNoun}`. Surplus ones are ignored. */
  readonly argCountMin: number
  readonly argsNoun: 'parameters' | 'params'
  readonly access: CommandAccess
  /** `null` when nothing follows the line. */
  readonly body: CommandBody | null
  /**
   * Does what the line asks for; with a body, checks what is to be checked before it is read. `line` is valid only until this returns.
   * @throws BrokerError replied to the client, which is then disconnected.
   */
  begin(session: Session, line: CommandLine): void
}

/** The part of a command behind its line: an int32 size, then that many bytes. */
export interface CommandBody {
  readonly code: ErrorCode & ('E_BAD_BODY' | 'E_BAD_MESSAGE')
  /** As errors name it: `failed to read {noun}`. */
  readonly noun: 'body' | 'message body'
  /** As the error about a large one names it: `{tooBigNoun} too big`. */
  readonly tooBigNoun: 'body' | 'message'
  sizeBytesMax(options: BrokerOptions): number
  /** The size is known and within limits. */
  sizeKnown(session: Session, sizeBytes: number): void
  /** The first `haveBytes` of the body are at `bytes[start]`; more may follow, in other buffers. Also called once all of it is there. */
  arrived(session: Session, bytes: Buffer, start: number, haveBytes: number): void
  /** The body is `bytes[start, end)`, its size in the four bytes before. The buffer is used for something else afterwards. */
  run(session: Session, bytes: Buffer, start: number, end: number): void
  /** What to say when the peer goes away after `haveBytes` of the body. */
  endError(session: Session, haveBytes: number): BrokerError
}

/** What a body needs that is looked at only once it is whole. */
export type WholeBody = Pick<CommandBody, 'code' | 'noun' | 'tooBigNoun' | 'sizeBytesMax' | 'run'>

/** A body that is looked at only once it is whole. */
export function wholeBody(commandName: string, body: WholeBody): CommandBody {
  return {
    ...body,
    sizeKnown() {},
    arrived() {},
    endError: () => new BrokerError(body.code, `${commandName} failed to read ${body.noun}`),
  }
}

/** @throws BrokerError `E_INVALID` when the line has too few parameters. */
export function requireArgs(command: Command, line: CommandLine, argCountMin: number): void {
  if (line.argCount >= argCountMin) return
  throw new BrokerError('E_INVALID', `${command.name} insufficient number of ${command.argsNoun}`)
}

/** @throws BrokerError when `sizeBytes` is no size for the command's body. */
export function requireBodySize(command: Command, body: CommandBody, sizeBytes: number, options: BrokerOptions): void {
  const sizeBytesMax = body.sizeBytesMax(options)
  if (sizeBytes > sizeBytesMax) {
    throw new BrokerError(body.code, `${command.name} ${body.tooBigNoun} too big ${sizeBytes} > ${sizeBytesMax}`)
  }
  if (sizeBytes <= 0) throw new BrokerError(body.code, `${command.name} invalid ${body.noun} size ${sizeBytes}`)
}
