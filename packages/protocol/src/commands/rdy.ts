import { BrokerError } from '@spillway/core'
import type { Command } from '../command.js'
import { SessionState } from '../session-state.js'

const READY_COUNT_DEFAULT = 1

/** `RDY [count]` — at most so many messages in flight at once. No reply. */
export const rdy: Command = {
  name: 'RDY',
  states: [SessionState.subscribed, SessionState.closing],
  argCountMin: 0,
  argsNoun: 'params',
  access: 'none',
  body: null,
  begin(session, line) {
    if (session.state === SessionState.closing) return
    const count = line.argCount > 0 ? line.argNumber(0) : READY_COUNT_DEFAULT
    if (Number.isNaN(count)) throw new BrokerError('E_INVALID', `RDY could not parse count ${line.arg(0)}`)
    const { readyCountMax } = session.options
    if (count > readyCountMax) {
      throw new BrokerError('E_INVALID', `RDY count ${line.argDigits(0)} out of range 0-${readyCountMax}`)
    }
    session.setReady(count)
  },
}
