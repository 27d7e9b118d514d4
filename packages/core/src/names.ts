const NAME = /^[.a-zA-Z0-9_-]+(#ephemeral)?$/
const EPHEMERAL = '#ephemeral'

/** Whether `name` may name a topic or a channel: 1 to 64 of letters, digits, `.`, `_`, `-`, optionally ending in `#ephemeral`. */
export function isValidName(name: string): boolean {
  return name.length >= 1 && name.length <= 64 && NAME.test(name)
}

/** Whether a valid name says that the topic or channel goes away with its last user and never touches storage for long. */
export function isEphemeral(name: string): boolean {
  return name.endsWith(EPHEMERAL)
}
