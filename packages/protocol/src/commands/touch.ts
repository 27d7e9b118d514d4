import type { Command } from '../command.js'
import { replyUnlessOk, requireMessageId, SETTLING_STATES } from './settle.js'

/** `TOUCH <id>` — the consumer needs more time for a message. No reply, unless it fails. */
export const touch: Command = {
  name: 'TOUCH',
  states: SETTLING_STATES,
  argCountMin: 1,
  argsNoun: 'params',
  access: 'none',
  body: null,
  begin(session, line) {
    const result = session.subscription.touch(line.bytes, requireMessageId(line))
    replyUnlessOk(session, 'TOUCH', line.arg(0), result)
  },
}
