import { BrokerError } from '@spillway/core'
import type { Command } from '../command.js'
import { replyUnlessOk, requireMessageId, SETTLING_STATES } from './settle.js'

/** `REQ <id> <timeout_ms>` — the consumer gives a message back, to be delivered after a while. No reply, unless it fails. */
export const req: Command = {
  name: 'REQ',
  states: SETTLING_STATES,
  argCountMin: 2,
  argsNoun: 'params',
  access: 'none',
  body: null,
  begin(session, line) {
    const idAt = requireMessageId(line)
    const delayMs = line.argNumber(1)
    if (Number.isNaN(delayMs)) throw new BrokerError('E_INVALID', `REQ could not parse timeout ${line.arg(1)}`)
    const clampedMs = Math.min(delayMs, session.options.reqTimeoutMsMax)
    replyUnlessOk(session, 'REQ', line.arg(0), session.subscription.requeue(line.bytes, idAt, clampedMs))
  },
}
