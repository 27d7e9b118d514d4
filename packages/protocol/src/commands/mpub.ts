import type { Command, CommandBody } from '../command.js'
import { PUBLISHING_STATES } from './publishing.js'

const COUNT_SIZE_BYTES = 4

const body: CommandBody = {
  code: 'E_BAD_BODY',
  noun: 'body',
  tooBigNoun: 'body',
  sizeBytesMax: (options) => options.bodySizeBytesMax,
  sizeKnown: (session, sizeBytes) => session.mpubScanner.begin(sizeBytes),
  arrived: (session, bytes, start, haveBytes) => session.mpubScanner.advance(bytes, start, haveBytes),
  run(session, bytes, start, end) {
    session.publisher.publish('MPUB', bytes, start + COUNT_SIZE_BYTES, end, session.mpubScanner.count)
  },
  endError: (session, haveBytes) => session.mpubScanner.endError(haveBytes),
}

/** `MPUB <topic>`, then a count and that many messages: all of them or none. Replies like PUB. */
export const mpub: Command = {
  name: 'MPUB',
  states: PUBLISHING_STATES,
  argCountMin: 1,
  argsNoun: 'parameters',
  access: 'publish',
  body,
  begin(session, line) {
    // nsqd says the code twice here, and clients may have come to expect it.
    session.publisher.topic = session.publisher.topicArg('E_BAD_TOPIC MPUB', line)
    session.authorization.requirePublish('MPUB', session.publisher.topic)
    // nsqd creates the topic before it has seen the body; clients may count on it.
    session.publisher.openTopic('MPUB')
  },
}
