import { BrokerError } from '@spillway/core'
import { type Command, wholeBody } from '../command.js'
import { encodeResponse } from '../frames.js'
import type { Session } from '../session.js'
import { SessionState } from '../session-state.js'

/** `AUTH`, then a secret. Replies with JSON that says who that is. */
export const auth: Command = {
  name: 'AUTH',
  states: [SessionState.init],
  argCountMin: 0,
  argsNoun: 'parameters',
  access: 'none',
  body: wholeBody('AUTH', {
    code: 'E_BAD_BODY',
    noun: 'body',
    tooBigNoun: 'body',
    sizeBytesMax: (options) => options.bodySizeBytesMax,
    // The secret outlives the buffer that it came in: it is asked for again when the answer expires.
    run: (session, bytes, start, end) =>
      session.suspendFor(authenticate(session, Buffer.from(bytes.subarray(start, end)))),
  }),
  begin(_session, line) {
    if (line.argCount > 0) throw new BrokerError('E_INVALID', 'AUTH invalid number of parameters')
  },
}

async function authenticate(session: Session, secret: Uint8Array): Promise<void> {
  const { identity, identityUrl, permissionCount } = await session.authorization.authenticate(secret)
  session.reply(
    encodeResponse(JSON.stringify({ identity, identity_url: identityUrl, permission_count: permissionCount })),
  )
}
