import { BrokerError, SettleResult } from '@spillway/core'
import type { CommandLine } from '../command-line.js'
import { encodeError } from '../frames.js'
import type { Session } from '../session.js'
import { SessionState } from '../session-state.js'

const ID_SIZE_BYTES = 16

/** What a consumer holds it may finish, requeue and touch, also after CLS. */
export const SETTLING_STATES = [SessionState.subscribed, SessionState.closing] as const

/** Where the message id, the first argument, begins in the line's bytes. @throws BrokerError `E_INVALID` */
export function requireMessageId(line: CommandLine): number {
  if (line.argSizeBytes(0) !== ID_SIZE_BYTES) throw new BrokerError('E_INVALID', 'invalid message ID')
  return line.argStart(0)
}

/** Tells the client why nothing came of it; nothing when something did. The connection stays. */
export function replyUnlessOk(session: Session, name: 'FIN' | 'REQ' | 'TOUCH', id: string, result: SettleResult): void {
  if (result === SettleResult.ok) return
  const reason = result === SettleResult.notInFlight ? 'ID not in flight' : 'client does not own message'
  session.reply(encodeError(`E_${name}_FAILED ${name} ${id} failed ${reason}`))
}
