import type { CommandBody } from '../command.js'
import { wholeBody } from '../command.js'
import type { Session } from '../session.js'
import { SessionState } from '../session-state.js'

/** A message's size in front of it belongs to the layout that a topic takes. */
export const MESSAGE_PREFIX_SIZE_BYTES = 4

/** Publishing needs no subscription and does not mind one. */
export const PUBLISHING_STATES = [SessionState.init, SessionState.subscribed, SessionState.closing] as const

/** The body of PUB and DPUB: one message. */
export function messageBody(
  commandName: string,
  run: (session: Session, bytes: Buffer, start: number, end: number) => void,
): CommandBody {
  return wholeBody(commandName, {
    code: 'E_BAD_MESSAGE',
    noun: 'message body',
    tooBigNoun: 'message',
    sizeBytesMax: (options) => options.msgSizeBytesMax,
    run,
  })
}
