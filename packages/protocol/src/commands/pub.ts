import type { Command } from '../command.js'
import { MESSAGE_PREFIX_SIZE_BYTES, messageBody, PUBLISHING_STATES } from './publishing.js'

/** `PUB <topic>`, then the message. Replies `OK` once it is as safe as the topic's durability says. */
export const pub: Command = {
  name: 'PUB',
  states: PUBLISHING_STATES,
  argCountMin: 1,
  argsNoun: 'parameters',
  access: 'publish',
  body: messageBody('PUB', (session, bytes, start, end) => {
    session.authorization.requirePublish('PUB', session.publisher.topic)
    session.publisher.publish('PUB', bytes, start - MESSAGE_PREFIX_SIZE_BYTES, end, 1)
  }),
  begin(session, line) {
    session.publisher.topic = session.publisher.topicArg('PUB', line)
  },
}
