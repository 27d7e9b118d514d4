import { NsqError } from './errors.js'

const NAME = /^[.a-zA-Z0-9_-]+(#ephemeral)?$/
const NAME_LENGTH_MAX = 64

/** Whether that may be the name of a topic or of a channel. */
export function isValidName(name: unknown): name is string {
  return typeof name === 'string' && name.length <= NAME_LENGTH_MAX && NAME.test(name)
}

/** What names may be, for error texts. */
export const NAME_RULE = '1 to 64 of the characters a-z A-Z 0-9 . _ -, and perhaps #ephemeral at the end'

/** A node would answer the same, and then close the connection with everything that is in flight on it. */
export function badTopic(topic: unknown): NsqError {
  return new NsqError('E_BAD_TOPIC', `topic ${JSON.stringify(topic)}: a topic's name is ${NAME_RULE}`)
}
