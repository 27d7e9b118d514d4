import { BrokerError } from '@spillway/core'
import { type Command, type CommandBody, wholeBody } from '../command.js'
import { encodeResponse, OK_FRAME, toByteString } from '../frames.js'
import { negotiate } from '../identify.js'
import type { Session } from '../session.js'
import type { Upgrade } from '../session-output.js'
import { SessionState } from '../session-state.js'

const body: CommandBody = {
  ...wholeBody('IDENTIFY', {
    code: 'E_BAD_BODY',
    noun: 'body',
    tooBigNoun: 'body',
    sizeBytesMax: (options) => options.bodySizeBytesMax,
    run: (session) => negotiateWith(session),
  }),
  // Decoded as it comes: megabytes of JSON at once would hold up everybody else.
  arrived: (session, bytes, start, haveBytes) => session.identifyDecoder.advance(bytes, start, haveBytes),
}

/** `IDENTIFY`, then JSON with what the client is and wants. Replies `OK`, or JSON with what it gets and an `OK` per upgrade. */
export const identify: Command = {
  name: 'IDENTIFY',
  states: [SessionState.init],
  argCountMin: 0,
  argsNoun: 'parameters',
  access: 'none',
  body,
  begin() {},
}

function negotiateWith(session: Session): void {
  const request = session.takeIdentifyRequest()
  const { settings, reply, upgrades } = negotiate(
    request,
    session.settings,
    session.options,
    session.upgrades,
    session.authorization.isRequired,
  )
  session.applySettings(settings)
  session.reply(encodeResponse(reply))
  if (upgrades.length > 0) session.suspendFor(upgradeStream(session, upgrades))
}

async function upgradeStream(session: Session, upgrades: readonly Upgrade[]): Promise<void> {
  session.isUpgrading = true
  for (const upgrade of upgrades) {
    try {
      await session.upgrade(upgrade)
    } catch (error) {
      if (!(error instanceof Error)) throw error
      throw new BrokerError('E_IDENTIFY_FAILED', `IDENTIFY failed ${toByteString(error.message)}`, { cause: error })
    }
    session.reply(OK_FRAME)
  }
  session.isUpgrading = false
}
