import type { Command } from '../command.js'
import { replyUnlessOk, requireMessageId, SETTLING_STATES } from './settle.js'

/** `FIN <id>` — the consumer is done with a message. No reply, unless it fails. */
export const fin: Command = {
  name: 'FIN',
  states: SETTLING_STATES,
  argCountMin: 1,
  argsNoun: 'params',
  access: 'none',
  body: null,
  begin(session, line) {
    const result = session.subscription.finish(line.bytes, requireMessageId(line))
    replyUnlessOk(session, 'FIN', line.arg(0), result)
  },
}
