import type { Command } from '../command.js'
import { SessionState } from '../session-state.js'

/** `NOP` — nothing, but the client is alive. No reply. */
export const nop: Command = {
  name: 'NOP',
  states: [SessionState.init, SessionState.subscribed, SessionState.closing],
  argCountMin: 0,
  argsNoun: 'params',
  access: 'none',
  body: null,
  begin() {},
}
