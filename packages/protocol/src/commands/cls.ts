import type { Command } from '../command.js'
import { CLOSE_WAIT_FRAME } from '../frames.js'
import { SessionState } from '../session-state.js'

/** `CLS` — no more messages; the consumer finishes what it has, then closes. Replies `CLOSE_WAIT`. */
export const cls: Command = {
  name: 'CLS',
  states: [SessionState.subscribed],
  argCountMin: 0,
  argsNoun: 'params',
  access: 'none',
  body: null,
  begin(session) {
    session.subscription.setReady(0)
    session.state = SessionState.closing
    session.reply(CLOSE_WAIT_FRAME)
  },
}
