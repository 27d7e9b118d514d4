import { BrokerError, isValidName } from '@spillway/core'
import { type Command, requireArgs } from '../command.js'
import { OK_FRAME, toByteString } from '../frames.js'
import { goQuote } from '../go-quote.js'
import type { Session } from '../session.js'
import { SessionState } from '../session-state.js'

/** `SUB <topic> <channel>` — the connection becomes a consumer. Replies `OK` once the channel is durable. */
export const sub: Command = {
  name: 'SUB',
  states: [SessionState.init],
  argCountMin: 0, // two, but something else is checked before
  argsNoun: 'parameters',
  access: 'consume',
  body: null,
  begin(session, line) {
    if (session.settings.heartbeatIntervalMs === 0) {
      throw new BrokerError('E_INVALID', 'cannot SUB with heartbeats disabled')
    }
    requireArgs(sub, line, 2)
    const topic = session.publisher.topicArg('SUB', line)
    const channel = line.arg(1)
    if (!isValidName(channel)) {
      throw new BrokerError('E_BAD_CHANNEL', `SUB channel name ${goQuote(channel)} is not valid`)
    }
    session.authorization.requireConsume('SUB', topic, channel)
    session.suspendFor(subscribe(session, topic, channel))
  },
}

async function subscribe(session: Session, topic: string, channel: string): Promise<void> {
  try {
    const { msgTimeoutMs, sampleRate } = session.settings
    session.subscribed(
      await session.broker.subscribe(topic, channel, { msgTimeoutMs, sampleRate, sink: session, client: session }),
    )
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    throw new BrokerError('E_SUB_FAILED', `SUB failed ${toByteString(error.detail)}`, { cause: error })
  }
  session.reply(OK_FRAME)
}
