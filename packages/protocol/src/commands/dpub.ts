import { BrokerError } from '@spillway/core'
import type { Command } from '../command.js'
import { MESSAGE_PREFIX_SIZE_BYTES, messageBody, PUBLISHING_STATES } from './publishing.js'

/** `DPUB <topic> <defer_ms>`, then the message, to be delivered after a while. Replies like PUB. */
export const dpub: Command = {
  name: 'DPUB',
  states: PUBLISHING_STATES,
  argCountMin: 2,
  argsNoun: 'parameters',
  access: 'publish',
  body: messageBody('DPUB', (session, bytes, start, end) => {
    session.authorization.requirePublish('DPUB', session.publisher.topic)
    session.publisher.publishDeferred(bytes, start - MESSAGE_PREFIX_SIZE_BYTES, end)
  }),
  begin(session, line) {
    session.publisher.topic = session.publisher.topicArg('DPUB', line)
    const delayMs = line.argNumber(1)
    if (Number.isNaN(delayMs)) throw new BrokerError('E_INVALID', `DPUB could not parse timeout ${line.arg(1)}`)
    const { reqTimeoutMsMax } = session.options
    if (delayMs > reqTimeoutMsMax) {
      throw new BrokerError('E_INVALID', `DPUB timeout ${line.argDigits(1)} out of range 0-${reqTimeoutMsMax}`)
    }
    session.publisher.delayMs = delayMs
  },
}
